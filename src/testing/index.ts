/** The property harness: an optimizer's compiled class against its reference, at the derived bound. */
export * from '../reference/index.js'
export { type Case, type CaseLayer, drawCase, type Signature } from './case.js'
export { type Choices, choices, randomOf } from './choices.js'
export { type Comparison, compareCase, type Difference, type TensorRecord } from './compare.js'
export { describeVerdict, judge, judgeCase, type Subject, TABLE_OF, type Verdict } from './harness.js'
export { type ProgramChoices, programOf } from './programs.js'
export { type Compiled, type CompiledClass, runCase, type Snapshot, type StepRecord } from './session.js'
export { NotCompiled, type SubjectOptions, subjectOf } from './subject.js'

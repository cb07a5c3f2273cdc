/** Tries an optimizer on every property, and shrinks what fails. */
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import type { Table } from '../reference/index.js'
import { type Case, drawCase } from './case.js'
import { cases } from './cases.js'
import { propertiesOf } from './claims.js'
import { type Difference, expectedStep } from './compare.js'
import { factsOf } from './facts.js'
import { type Formula, formulasAt } from './formulas.js'
import type { Subject } from './harness.js'
import type { Finding, Ground, Property, Trial } from './properties.js'
import { runCase } from './session.js'
import type { Side } from './sides.js'
import { EXACT_BACKENDS, TABLE_OF } from './targets.js'
import { firstUndetermined } from './undetermined.js'

export interface Effort {
  /** The first case is drawn from this number, the next from the next. */
  readonly seed: number
  /** Cases a property. */
  readonly runs: number
}

export interface Outcome {
  readonly property: Property
  /** `undecided`: too few cases tell anything, so it is no pass. */
  readonly result: 'holds' | 'fails' | 'undecided' | 'silent'
  /** Why it is silent or undecided. */
  readonly reason: string
  readonly cases: number
  readonly compared: number
  /** Of the numbers compared, those whose bound is infinite or hangs on a comparison that rounding decides. */
  readonly undetermined: number
  readonly failure: Failure | null
}

export interface Failure {
  /** Draws the case again: as the seed of a single run. */
  readonly seed: number
  /** The simplest case found that fails, and how many simplifications led there. */
  readonly given: Case
  readonly shrinks: number
  /** Where it differs first; null where it is something else. */
  readonly difference: Difference | null
  readonly differences: number
  readonly problems: readonly string[]
  /** For what is compared with the reference. */
  readonly formulas: readonly Formula[]
  /** Of two trainings: how the second goes. */
  readonly otherwise: string | null
  /** For a law that is claimed: the formulas of both. */
  readonly sides: readonly Side[]
}

/** The share of cases that must tell something, and the share of a case's numbers that may be undetermined there. */
const TELLING = 1 / 2
const UNDETERMINED = 1 / 100
/** Fewer cases than these may all happen to be of the other kind. */
const MANY = 10
/** How long to look for a simpler case. */
const SHRINKING = 20_000

/** What holds on the current backend: of all properties and the program's own laws, or of these. */
export async function verify(
  subject: Subject,
  effort: Effort,
  properties: readonly Property[] = propertiesOf(subject.reference.laws)
): Promise<readonly Outcome[]> {
  const ground = await groundOf(subject)
  const outcomes: Outcome[] = []
  for (const property of properties) {
    if (ground) outcomes.push(await verifyProperty(subject, property, ground, effort))
    else outcomes.push({ ...nothing(property), result: 'silent', reason: NO_GROUND })
  }
  return outcomes
}

const nothing = (property: Property): Omit<Outcome, 'result'> => ({
  property,
  ...{ reason: '', cases: 0, compared: 0, undetermined: 0, failure: null }
})

const NO_GROUND =
  'it has no kernel for this backend, and runs as TensorFlow.js operations, whose rounding is not known here'

/** Which arithmetic there is here, found by a step; if that can't be taken, each property will say so. */
async function groundOf({ Optimizer, reference, signature }: Subject): Promise<Ground | null> {
  const layer = { name: 'w', shape: [1], weight: Float32Array.of(1), gradients: [Float32Array.of(1)], group: {} }
  const given = { ...drawCase(1, signature), layers: [layer], steps: 1, reload: 0 }
  const run = runCase(Optimizer, reference, given)
  const kernel = await run.then(({ records }) => records[0]!.kernel).catch(() => 'ops')
  const table = TABLE_OF[kernel]
  if (!table) throw new Error(`there is no table of roundings for the driver ${kernel}`)
  const exact = EXACT_BACKENDS.includes(tf.getBackend())
  return kernel === 'ops' && !exact ? null : { table, exact }
}

async function verifyProperty(
  subject: Subject,
  property: Property,
  ground: Ground,
  { seed, runs }: Effort
): Promise<Outcome> {
  const facts = factsOf(subject.program)
  const silent = property.silent(facts, ground)
  if (silent !== null) return { ...nothing(property), result: 'silent', reason: silent }

  const check = async (given: Case): Promise<Finding> => {
    try {
      const run: Trial['run'] = (...how) => runCase(subject.Optimizer, subject.reference, ...how)
      return await property.check({ ...ground, subject, given, facts, run })
    } catch (error) {
      const problems = [`it threw: ${error instanceof Error ? error.message : String(error)}`]
      return { compared: 0, undetermined: 0, differences: [], tensors: [], problems }
    }
  }
  const isWrong = ({ differences, problems }: Finding): boolean => differences.length > 0 || problems.length > 0

  let compared = 0
  let undetermined = 0
  let telling = 0
  let unclear: { readonly seed: number; readonly given: Case } | null = null
  for (let i = 0; i < runs; i++) {
    let first: (Finding & { readonly given: Case }) | undefined
    const holds = fc.asyncProperty(cases(property.draw, subject.signature), async (given) => {
      const finding = await check(given)
      first ??= { ...finding, given }
      return !isWrong(finding)
    })
    const options = { seed: seed + i, numRuns: 1, interruptAfterTimeLimit: SHRINKING }
    const { failed, counterexample, numShrinks } = await fc.check(holds, options)
    compared += first!.compared
    undetermined += first!.undetermined
    const share = property.strict ? UNDETERMINED : 1
    if (first!.compared > 0 && first!.undetermined <= share * first!.compared) telling++
    else if (first!.compared > 0) unclear ??= { seed: seed + i, given: first!.given }
    if (!failed) continue
    const given = counterexample![0]
    const finding = await check(given)
    const [difference = null] = finding.differences
    const byReference = property.name === 'reference' || property.name === 'extremes' || property.name === 'not finite'
    const formulas = difference && byReference ? await formulasAt(subject, given, difference, ground.table) : []
    const sides = (difference && (await property.sides?.(subject, given, difference))) ?? []
    const failure: Failure = {
      seed: seed + i,
      given,
      shrinks: numShrinks,
      difference,
      differences: finding.differences.length,
      problems: finding.problems,
      formulas,
      otherwise: property.otherwise?.(given) ?? null,
      sides
    }
    return { ...nothing(property), result: 'fails', cases: i + 1, compared, undetermined, failure }
  }
  const told = { ...nothing(property), cases: runs, compared, undetermined }
  if (property.strict && telling < TELLING * runs) {
    if (property.wants && compared === 0) return { ...told, result: 'undecided', reason: `it takes ${property.wants}` }
    const few = runs < MANY ? `, and ${runs} are few` : ''
    const where = unclear && (await whereUnclear(subject, unclear.given, ground.table))
    const why = where ? `. In that of seed ${unclear!.seed}, ${where}` : ''
    const reason = `only ${telling} of ${runs} cases could be determined${few}${why}`
    return { ...told, result: 'undecided', reason }
  }
  if (compared === 0) return { ...told, result: 'silent', reason: `none of ${runs} cases has anything to compare` }
  return { ...told, result: 'holds' }
}

/** What first can't be determined of a case's steps; null where all can be, as of a law that hangs on its second training. */
async function whereUnclear(
  { Optimizer, reference, program }: Subject,
  given: Case,
  table: Table
): Promise<string | null> {
  const { records } = await runCase(Optimizer, reference, given)
  const results = records.map((record, step) => expectedStep(reference, given, record, step, table))
  return firstUndetermined(program, reference, given, results)
}

/** It is no pass. */
export const isFailure = ({ result }: Outcome): boolean => result === 'fails' || result === 'undecided'

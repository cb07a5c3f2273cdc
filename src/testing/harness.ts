/** A compiled optimizer against the reference: cases drawn until enough of what they compute can be determined. */
import type { Program } from '../compiler/check/program.js'
import { type Reference, type Table, tables } from '../reference/index.js'
import { type Case, drawCase, type Signature } from './case.js'
import type { Draw } from './cases.js'
import { type Comparison, compareCase } from './compare.js'
import { type CompiledClass, type Ran, runCase } from './session.js'
import { TABLE_OF } from './targets.js'

export interface Subject {
  readonly reference: Reference
  readonly Optimizer: CompiledClass
  readonly program: Program
  readonly signature: Signature
  /** Compiles the text once more, with what `change` makes of its program. */
  readonly again: (change: (program: Program) => Program) => Promise<Subject>
}

/** One whose compiled class lives elsewhere, as in a browser, and runs its cases there. */
export interface RemoteSubject extends Omit<Subject, 'Optimizer' | 'again'> {
  readonly run: (...how: [given: Case, meanwhile?: Parameters<typeof runCase>[3]]) => Promise<Ran>
}

export interface Verdict {
  readonly case: Case
  /** What draws this case again. */
  readonly seed: number
  readonly kernel: string
  readonly comparison: Comparison
  /** Tensors that were left when everything had been disposed. */
  readonly leaked: number
}

/** At most this share of a case may be undetermined. */
const UNDETERMINED = 1 / 100
/** Cases that are drawn before a program is given up as undeterminable. */
const DRAWS = 6

/** The verdict on the first case that tells something, or null where none did. */
export async function judge(subject: Subject | RemoteSubject, seed: number, table?: Table): Promise<Verdict | null> {
  for (let draw = 0; draw < DRAWS; draw++) {
    const verdict = await judgeCase(subject, seed + draw * 0x10001, table)
    const { compared, undetermined, differences } = verdict.comparison
    if (differences.length > 0 || verdict.leaked !== 0) return verdict
    if (compared > 0 && undetermined <= UNDETERMINED * compared) return verdict
  }
  return null
}

/** One case, whatever it tells. */
export async function judgeCase(
  subject: Subject | RemoteSubject,
  seed: number,
  table?: Table,
  draw: Draw = drawCase
): Promise<Verdict> {
  const { reference, signature } = subject
  const drawn = draw(seed, signature)
  const { records, leaked } = await runOn(subject, drawn)
  const kernel = records.find((r) => r.kernel !== 'none')?.kernel ?? 'none'
  // A case in which no layer ever takes part runs no kernel: what state starts as is all there is to compare.
  const roundings = table ?? (kernel === 'none' ? tables.ops : TABLE_OF[kernel])
  if (!roundings) throw new Error(`no table of roundings for the kernel ${kernel}`)
  return { case: drawn, seed, kernel, leaked, comparison: compareCase(reference, drawn, records, roundings) }
}

/** Runs a case wherever the class lives. */
export function runOn(subject: Subject | RemoteSubject, given: Case): Promise<Ran> {
  return 'run' in subject ? subject.run(given) : runCase(subject.Optimizer, subject.reference, given)
}

/** What went wrong, as a person reads it. */
export function describeVerdict({ seed, kernel, comparison, leaked, case: drawn }: Verdict): string {
  const layers = drawn.layers.map(
    (l) => `${l.name} [${l.shape}]${Object.keys(l.group).length > 0 ? ` ${JSON.stringify(l.group)}` : ''}`
  )
  return [
    `case seed ${seed}, kernel ${kernel}, ${drawn.steps} steps`,
    `hypers ${JSON.stringify(drawn.hypers)}, falling ${JSON.stringify(drawn.falling)}, masks ${JSON.stringify(drawn.masks)}`,
    `${drawn.inPlace ? 'in place' : 'into fresh arrays'}${drawn.reload > 0 ? `, reloaded before step ${drawn.reload}` : ''}`,
    ...layers,
    ...(leaked === 0 ? [] : [`leaked ${leaked} tensors`]),
    ...comparison.differences
      .slice(0, 5)
      .flatMap((d) => [
        `${d.where}: ${d.actual}, expected ${d.expected} ± ${d.bound} (off by ${Math.abs(d.actual - d.expected)})`,
        ...d.trace.map((line) => `    ${line}`)
      ]),
    ...(comparison.differences.length > 5 ? [`and ${comparison.differences.length - 5} more`] : [])
  ].join('\n')
}

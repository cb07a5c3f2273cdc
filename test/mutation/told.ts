/**
 * The harness on a compiler that makes mistakes: formulas, plans, host code and kernel text with one mistake each must be
 * told from what is right. `npm run mutants` tries all of them and writes docs/mutants.md.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RemoteSubject } from '../../src/testing/harness.js'
import type { Slots } from '../../src/testing/session.js'
import { subjectOf } from '../../src/testing/subject.js'
import { classFrom } from '../support/class-from.js'
import { EVERYTHING } from './everything.js'
import { type Bring, fateOf, type Mutant, mutantsOf, seedThatTells, unchanged } from './mutants.js'

/** Of each optimizer on each kernel; `all` for all. */
const MUTANTS = process.env.OPTC_MUTANTS ?? '2'
/** Which of them a sample has. */
const SEED = Number(process.env.OPTC_SEED ?? 0)
/** A line for each mutant; those that have theirs already are not tried again. */
const REPORT = process.env.OPTC_MUTANTS_REPORT
/**
 * Most are told by the first case; a guard like ‖u‖ > 0 shows only where a kernel has no gradient in its first step, and a larger
 * ε of LAMB in a kernel for a β that float32 holds only where ε and the rate are large too.
 */
const SEEDS = REPORT ? 3000 : 300
/** Whoever wants a report waits: what is the same is run for 10,000 steps, and what comes after a timeout would count as told. */
const HOUR = 3_600_000

const OPTIMIZERS = ['sgd', 'momentum', 'adagrad', 'adam', 'lars', 'lamb', 'clipped-adamw', 'everything']
const sourceOf = (name: string): string =>
  name === 'everything' ? EVERYTHING : readFileSync(new URL(`../../optimizers/${name}.opt`, import.meta.url), 'utf8')

/** Kernel text that is the same with the mistake, and why: it is run, to see. (Of plans it is computed: `equivalent.ts`.) */
const SAME: readonly (readonly [optimizer: RegExp, label: RegExp, reason: string])[] = [
  [/^lars$/, /(decay|s\.h\[2\]).* \[.*(add|sub|\+|-)/i, 'where the mask says no, decay is 0: g + 0 · w is g − 0 · w'],
  [
    /./,
    /if \((group\.x == 0u && )?id == 0u\) \{.* \[== → !=\]/,
    'all threads but the first compute and write the same'
  ],
  [/./, /^to\[\d\] = total\[\d\]; /, 'a sum that nobody reads: the same program makes of it what is read']
]

export interface Ground {
  /** What runs classes that live elsewhere. */
  readonly bring?: (code: string, slots: Slots) => Promise<RemoteSubject['run']>
  /** Opens the backend anew, where a mutant may leave it broken: all that came after would count as told. */
  readonly reopen?: () => Promise<void>
}

/** On the driver of that name, which must be the one that runs. */
export function everyMistakeIsTold(kernel: string, { bring, reopen }: Ground = {}): void {
  test.each(OPTIMIZERS)('%s', { timeout: REPORT ? HOUR : 300_000 }, async (name) => {
    const source = sourceOf(name)
    const subject = await subjectOf(source, { path: `${name}.opt`, targets: [kernel.replace('-js', '')] })
    const { reference, program, signature } = subject
    const there: Bring = async (code) =>
      bring
        ? { reference, program, signature, run: await bring(code, { slots: reference.slots }) }
        : { ...subject, Optimizer: classFrom(code) }
    await reopen?.()
    const text = unchanged(subject, kernel)
    const right = await there(text)
    expect(await seedThatTells(right, 6)).toBe(null)
    const sameBecause = ({ layer, label }: Mutant): string | null => {
      if (layer === 'formula' || layer === 'plan') return null
      return SAME.find(([optimizer, pattern]) => optimizer.test(name) && pattern.test(label))?.[2] ?? null
    }
    const all = mutantsOf(subject, kernel)
    const count = MUTANTS === 'all' ? all.length : Math.min(all.length, Number(MUTANTS))
    const known = reported(name, kernel)
    const survivors: string[] = []
    for (let i = 0; i < count; i++) {
      const at = Math.floor(((i + 0.5) * all.length) / count + SEED * 0.618 * (all.length / count)) % all.length
      const mutant = all[at]!
      const { layer, kind, label } = mutant
      await reopen?.()
      const fate =
        known.get(at) ?? (await fateOf(mutant, { bring: there, right, unchanged: text, seeds: SEEDS, sameBecause }))
      if (REPORT && !known.has(at))
        appendFileSync(
          REPORT,
          `${JSON.stringify({ optimizer: name, kernel, at, of: all.length, layer, kind, label, ...fate })}\n`
        )
      if (fate.fate === 'survived') survivors.push(`${layer}: ${kind}: ${label}`)
    }
    expect(survivors).toEqual([])
  })
}

type Fate = Awaited<ReturnType<typeof fateOf>>

/** By the mutant's number. */
function reported(name: string, of: string): ReadonlyMap<number, Fate> {
  const lines = REPORT && existsSync(REPORT) ? readFileSync(REPORT, 'utf8').trim().split('\n').filter(Boolean) : []
  const mine = lines
    .map((line) => JSON.parse(line) as Fate & { optimizer: string; kernel: string; at: number })
    .filter(({ optimizer, kernel }) => optimizer === name && kernel === of)
  return new Map(mine.map((one) => [one.at, one]))
}

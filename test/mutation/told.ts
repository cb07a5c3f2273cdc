/**
 * The harness on a compiler that makes mistakes: formulas, plans, host code and kernel text with one mistake each must be
 * told from what is right. `npm run mutants` tries all of them and writes docs/mutants.md.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { subjectOf } from '../../src/testing/subject.js'
import { EVERYTHING } from './everything.js'
import { fateOf, mutantsOf, seedThatTells, unchanged } from './mutants.js'

/** Of each optimizer on each kernel; `all` for all. */
const MUTANTS = process.env.OPTC_MUTANTS ?? '3'
const REPORT = process.env.OPTC_MUTANTS_REPORT
/** Most are told by the first case; a guard like ‖u‖ > 0 shows only where a kernel has no gradient in its first step. */
const SEEDS = 300

const OPTIMIZERS = ['sgd', 'momentum', 'adagrad', 'adam', 'lars', 'lamb', 'clipped-adamw', 'everything']
const sourceOf = (name: string): string =>
  name === 'everything' ? EVERYTHING : readFileSync(new URL(`../../optimizers/${name}.opt`, import.meta.url), 'utf8')

/** Kernel text that is the same with the mistake, and why. (Of plans it is computed: `equivalent.ts`.) */
const SAME: readonly (readonly [optimizer: RegExp, label: RegExp, reason: string])[] = [
  [/^lars$/, /(decay|s\.h\[2\]).* \[.*(add|sub|\+|-)/, 'where the mask says no, decay is 0: g + 0 · w is g − 0 · w'],
  [/./, /min\(start \+ layer\.span.* \[\+ → -\]/, '0 − span is a large u32: the first workgroup does the work of all'],
  [/./, /if \(id == 0u\) \{.* \[== → !=\]/, 'all threads but the first compute and write the same']
]

/** On the driver of that name, which must be the one that runs. */
export function everyMistakeIsTold(kernel: string): void {
  test.each(OPTIMIZERS)('%s', { timeout: MUTANTS === 'all' ? 3_600_000 : 300_000 }, async (name) => {
    const source = sourceOf(name)
    const subject = await subjectOf(source, { path: `${name}.opt`, targets: [kernel.replace('-js', '')] })
    expect(await seedThatTells(unchanged(subject, kernel), subject, 6)).toBe(null)
    const all = mutantsOf(subject, kernel)
    const count = MUTANTS === 'all' ? all.length : Math.min(all.length, Number(MUTANTS))
    const survivors: string[] = []
    for (let i = 0; i < count; i++) {
      const mutant = all[Math.floor(((i + 0.5) * all.length) / count)]!
      const { layer, kind, label } = mutant
      const same = SAME.find(
        ([optimizer, pattern]) => optimizer.test(name) && layer !== 'formula' && pattern.test(label)
      )
      const found = await fateOf(mutant, subject, same ? 12 : SEEDS)
      const fate = found.fate === 'survived' && same ? { fate: 'equivalent', reason: same[2] } : found
      if (REPORT)
        appendFileSync(REPORT, `${JSON.stringify({ optimizer: name, kernel, layer, kind, label, ...fate })}\n`)
      if (fate.fate === 'survived') survivors.push(`${layer}: ${kind}: ${label}`)
    }
    expect(survivors).toEqual([])
  })
}

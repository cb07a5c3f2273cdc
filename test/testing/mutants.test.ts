/**
 * The harness on optimizers that are slightly wrong: every operator of the shipped programs replaced by another, one at a
 * time, compiled, and judged by the reference of the right one.
 */
import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, test } from 'vitest'
import { judge } from '../../src/testing/harness.js'
import { NotCompiled, subjectOf } from '../../src/testing/subject.js'

/** What is found, and what stands in its place. */
const SWAPS: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/ \+ /g, () => ' - '],
  [/ - /g, () => ' + '],
  [/ \* /g, () => ' / '],
  [/ \/ /g, () => ' * '],
  [/√(?=[\p{L}(])/gu, () => ''],
  [/²/g, () => ''],
  [/\^t/g, () => '^(t + 1)'],
  [/ > 0/g, () => ' >= 0'],
  [/ and /g, () => ' or '],
  [/if (?=\w+ then)/g, () => 'if not '],
  [/‖\w‖/g, (norm) => `${norm.slice(0, -1)} over model‖`]
]

interface Mutant {
  readonly label: string
  readonly source: string
}

function mutantsOf(source: string): Mutant[] {
  const body = source.indexOf('step(')
  return SWAPS.flatMap(([pattern, to]) =>
    [...source.matchAll(pattern)]
      .filter(({ index }) => index > body)
      .map((match): Mutant => {
        const written = to(match[0])
        const line = source.slice(source.lastIndexOf('\n', match.index) + 1, source.indexOf('\n', match.index)).trim()
        const column = match.index - source.lastIndexOf('\n', match.index)
        return {
          label: `${line} [${column}: ${match[0].trim()} → ${written.trim() || 'nothing'}]`,
          source: source.slice(0, match.index) + written + source.slice(match.index + match[0].length)
        }
      })
  )
}

/** A guard like ‖u‖ > 0 shows only where a kernel has no gradient in its first step and no decay. */
const SEEDS = 300

describe.each(['sgd', 'momentum', 'adam', 'adagrad', 'lars', 'lamb', 'clipped-adamw'])('%s', (file) => {
  const source = readFileSync(new URL(`../../optimizers/${file}.opt`, import.meta.url), 'utf8')

  test('every mutant is caught', { timeout: 120_000 }, async () => {
    const { reference } = await subjectOf(source, { targets: ['ops'] })
    const survivors: string[] = []
    let caught = 0
    for (const mutant of mutantsOf(source)) {
      try {
        const { Optimizer, signature } = await subjectOf(mutant.source, { targets: ['ops'] })
        let found = false
        for (let seed = 1; seed <= SEEDS && !found; seed++) {
          const verdict = await judge({ reference, signature, Optimizer }, seed)
          found = verdict !== null && verdict.comparison.differences.length > 0
        }
        if (found) caught++
        else survivors.push(mutant.label)
      } catch (error) {
        // The checker has caught it.
        if (!(error instanceof NotCompiled)) throw error
      }
    }
    console.log(`${file}: ${caught} mutants caught`)
    expect(survivors).toEqual([])
    expect(caught).toBeGreaterThan(0)
  })
})

/** What every target is held to: random programs and the shipped optimizers, step by step, at the derived bound. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { factsOf } from '../../src/testing/facts.js'
import {
  describeVerdict,
  judge,
  judgeCase,
  type RemoteSubject,
  type Subject,
  type Verdict
} from '../../src/testing/harness.js'
import { type SubjectOptions, subjectOf } from '../../src/testing/subject.js'
import { BOOL_OF_ELEMENTS, BOOL_OF_ROWS, CHOICE_OVER_COLS, ROWS_READ_BEFORE } from '../support/found.js'
import { program, programWithAxes } from './arbitraries.js'

/** OPTC_RUNS=1000 looks harder. */
const RUNS = Number(process.env.OPTC_RUNS ?? 30)
/** What each shipped optimizer is tried on; of these at least half must tell something. */
const CASES = 6
/** The optimizers whose bound is held to be tight, as the median over tensors of the largest bound by the largest error. */
const SIX = ['sgd', 'momentum', 'adam', 'lars', 'lamb', 'clipped-adamw']
const SLACK = 50
/** A reduction's error is that of a whole layer: more of them show what is usual. `npm run tightness` looks at more of all. */
const TIGHT_CASES = { alone: 8, reduced: 30 }
const ALL_CASES = Number(process.env.OPTC_TIGHT_CASES ?? 0)
const TELLING = 10
const REPORT = process.env.OPTC_TIGHTNESS_REPORT
/** Of the random programs at least this share must have a case that tells something. */
const DETERMINED = 0.8
const MINUTES = 60_000

/** Fails with what a person needs to see it again. */
function mustAgree(verdict: Verdict, source: string): void {
  const wrong = verdict.comparison.differences.length > 0 || verdict.leaked !== 0
  if (wrong) throw new Error(`${describeVerdict(verdict)}\n\n${source}`)
}

export function heldToReference(
  kernel: string,
  options: SubjectOptions,
  bring: (source: string, options: SubjectOptions) => Promise<Subject | RemoteSubject> = subjectOf
): void {
  const programs = fc.oneof(programWithAxes, program)
  test(`${RUNS} random programs`, { timeout: 5 * MINUTES + RUNS * 2000 }, async () => {
    let judged = 0
    let determined = 0
    const property = fc.asyncProperty(programs, fc.nat(), async (source, seed) => {
      const verdict = await judge(await bring(source, options), seed)
      judged++
      if (!verdict) return
      determined++
      mustAgree(verdict, source)
    })
    await fc.assert(property, { numRuns: RUNS })
    expect(determined / judged).toBeGreaterThan(DETERMINED)
  })

  const files = readdirSync(new URL('../../optimizers', import.meta.url)).filter(
    (f) => f.endsWith('.opt') && f !== 'std.opt'
  )
  test.each(files)('%s', { timeout: MINUTES }, async (file) => {
    const source = readFileSync(new URL(`../../optimizers/${file}`, import.meta.url), 'utf8')
    const subject = await bring(source, { ...options, path: file })
    let told = 0
    for (let seed = 1; seed <= CASES; seed++) {
      const verdict = await judge(subject, seed)
      if (!verdict) continue
      mustAgree(verdict, source)
      expect(['none', kernel]).toContain(verdict.kernel)
      told++
    }
    expect(told).toBeGreaterThanOrEqual(CASES / 2)
  })

  test('what was compiled wrong once', { timeout: MINUTES }, async () => {
    for (const source of [BOOL_OF_ELEMENTS, BOOL_OF_ROWS, CHOICE_OVER_COLS, ROWS_READ_BEFORE]) {
      const subject = await bring(source, options)
      const kernels = new Set<string>()
      for (let seed = 1; seed <= CASES; seed++) {
        const verdict = await judge(subject, seed)
        if (!verdict) continue
        mustAgree(verdict, source)
        kernels.add(verdict.kernel)
      }
      expect(kernels).toContain(kernel)
    }
  })

  test.each(SIX)(
    'the bound of %s is not slack',
    { timeout: MINUTES + (ALL_CASES + TIGHT_CASES.reduced) * 2000 },
    async (name) => {
      const source = readFileSync(new URL(`../../optimizers/${name}.opt`, import.meta.url), 'utf8')
      const subject = await bring(source, { ...options, path: `${name}.opt` })
      const ratios: Record<string, number[]> = {}
      let compared = 0
      let undetermined = 0
      // Every case as it is drawn, also those that tell little.
      const cases = ALL_CASES || TIGHT_CASES[factsOf(subject.program).reduces ? 'reduced' : 'alone']
      for (let seed = 1; seed <= cases; seed++) {
        const { comparison } = await judgeCase(subject, seed)
        compared += comparison.compared
        undetermined += comparison.undetermined
        for (const { name, elements, largestBound, largestError } of comparison.tensors) {
          // Of a few numbers the largest error says nothing: it may be as good as 0.
          if (elements < TELLING || largestBound === 0) continue
          ratios[name] ??= []
          ratios[name].push(largestBound / largestError)
        }
      }
      const medians = Object.fromEntries(Object.entries(ratios).map(([of, list]) => [of, median(list)]))
      if (REPORT) {
        const share = undetermined / compared
        appendFileSync(
          REPORT,
          `${JSON.stringify({ kernel, name, medians, tensors: Object.values(ratios).flat().length, share })}\n`
        )
      }
      expect(Object.keys(medians)).toContain('weight')
      for (const ratio of Object.values(medians)) expect(ratio).toBeLessThan(SLACK)
      expect(undetermined / compared).toBeLessThan(1 / 100)
    }
  )
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!

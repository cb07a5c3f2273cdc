/** What every target is held to: random programs and the shipped optimizers, step by step, at the derived bound. */
import { readdirSync, readFileSync } from 'node:fs'
import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { TARGETS } from '../../src/compiler/emit/targets.js'
import { usesAxes } from '../../src/compiler/plan/order.js'
import { describeVerdict, judge, type Verdict } from '../../src/testing/harness.js'
import { type SubjectOptions, subjectOf } from '../../src/testing/subject.js'
import { program, programWithAxes } from './arbitraries.js'

/** OPTC_RUNS=1000 looks harder. */
const RUNS = Number(process.env.OPTC_RUNS ?? 30)
/** What each shipped optimizer is tried on; of these at least half must tell something. */
const CASES = 6
/** Of the random programs at least this share must have a case that tells something. */
const DETERMINED = 0.8
const MINUTES = 60_000

/** Fails with what a person needs to see it again. */
function mustAgree(verdict: Verdict, source: string): void {
  const wrong = verdict.comparison.differences.length > 0 || verdict.leaked !== 0
  if (wrong) throw new Error(`${describeVerdict(verdict)}\n\n${source}`)
}

export function heldToReference(kernel: string, options: SubjectOptions): void {
  const axes = TARGETS.filter((t) => options.targets?.includes(t.target) ?? true).some((t) => t.abilities.axes)
  const programs = axes ? fc.oneof(programWithAxes, program) : program
  test(`${RUNS} random programs`, { timeout: 5 * MINUTES + RUNS * 2000 }, async () => {
    let judged = 0
    let determined = 0
    const property = fc.asyncProperty(programs, fc.nat(), async (source, seed) => {
      const verdict = await judge(await subjectOf(source, options), seed)
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
    const subject = await subjectOf(source, { ...options, path: file })
    if (!axes && usesAxes(subject.program)) return
    const ratios: number[] = []
    for (let seed = 1; seed <= CASES; seed++) {
      const verdict = await judge(subject, seed)
      if (!verdict) continue
      mustAgree(verdict, source)
      expect(['none', kernel]).toContain(verdict.kernel)
      for (const { largestBound, largestError } of verdict.comparison.tensors) {
        if (largestError > 0) ratios.push(largestBound / largestError)
      }
    }
    expect(ratios.length).toBeGreaterThanOrEqual(CASES / 2)
    const median = ratios.sort((a, b) => a - b)[ratios.length >> 1]!
    console.log(
      `${kernel}, ${file}: the bound is ${median.toFixed(1)} times the largest error (median of ${ratios.length})`
    )
  })
}

/**
 * A table: every optimizer of the library, with what it claims, and random programs, through every law. (That they agree with the reference on
 * every target is in files of their own.)
 */
import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  describeFailure,
  inWords,
  isFailure,
  type Outcome,
  propertiesOf,
  type Subject,
  subjectOf,
  verify
} from '../../src/testing/index.js'
import { shipped } from '../support/library.js'
import { program } from './arbitraries.js'

/** OPTC_RUNS=100 looks harder: cases a law for the library, random programs with a case a law each. */
const RUNS = Number(process.env['OPTC_RUNS'] ?? 2)
const PROGRAMS = Number(process.env['OPTC_RUNS'] ?? 12)
const lawsOf = ({ reference }: Subject) => propertiesOf(reference.laws).filter((p) => p.name !== 'reference')
const held = new Map<string, number>()

beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
afterAll(() => console.log(`held: ${[...held].map(([name, n]) => `${name} ${n}`).join(', ')}`))

async function keepsThem(subject: Subject, seed: number, runs: number): Promise<readonly Outcome[]> {
  const outcomes = await verify(subject, { seed, runs }, lawsOf(subject))
  for (const outcome of outcomes) {
    const { property, result, failure } = outcome
    if (result === 'holds') held.set(property.name, (held.get(property.name) ?? 0) + 1)
    if (!isFailure(outcome)) continue
    const again = (found: number): string => `seed ${found}`
    throw new Error(`${property.says}\n${inWords(outcome)}\n${failure ? describeFailure(failure, again) : ''}`)
  }
  return outcomes
}

test.each([...shipped.values()].map((s) => s.file))('%s', { timeout: 60_000 + RUNS * 10_000 }, async (file) => {
  const source = readFileSync(new URL(`../../optimizers/${file}`, import.meta.url), 'utf8')
  const outcomes = await keepsThem(await subjectOf(source, { path: file, targets: ['cpu', 'ops'] }), 1, RUNS)
  // These hold for whatever a program says: silence would be a hole in the table.
  const always = ['extremes', 'not finite', 'repeatable', 'order', 'resume', 'in place']
  const spoken = outcomes.filter((o) => o.result === 'holds').map((o) => o.property.name)
  expect(spoken).toEqual(expect.arrayContaining(always))
})

test(`${PROGRAMS} random programs`, { timeout: 60_000 + PROGRAMS * 10_000 }, async () => {
  const property = fc.asyncProperty(program, fc.nat(1_000_000), async (source, seed) => {
    await keepsThem(await subjectOf(source, { targets: ['cpu', 'ops'] }), seed, 1)
  })
  await fc.assert(property, { numRuns: PROGRAMS })
})

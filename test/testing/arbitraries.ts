/** Random programs for fast-check: it shrinks the streams of choices, and with them the program. */
import { fc } from '@fast-check/vitest'
import { type ProgramChoices, programOf } from '../../src/testing/programs.js'

const stream = (length: number): fc.Arbitrary<number[]> => fc.array(fc.nat(9999), { maxLength: length, size: 'max' })
const streams = (count: number, length: number): fc.Arbitrary<number[][]> =>
  fc.array(stream(length), { maxLength: count, size: 'max' })

const drawn: fc.Arbitrary<ProgramChoices> = fc.record({
  header: stream(4),
  states: streams(4, 4),
  transforms: streams(2, 40),
  fns: streams(2, 30),
  schedules: streams(1, 20),
  statements: streams(8, 80)
})

/** The text of a program; what a failing test prints is a file. */
export const program: fc.Arbitrary<string> = drawn.map((choices) => programOf(choices))

/** One that may have rows and columns. */
export const programWithAxes: fc.Arbitrary<string> = drawn.map((choices) => programOf(choices, true))

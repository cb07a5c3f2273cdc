import { describe, expect, test } from 'vitest'
import { messages } from '../../../src/compiler/messages.generated.js'
import { checked } from './support.js'

const OURS = Object.values(messages).filter((m) => m.code.startsWith('OPT2'))

/** Their programs would fill pages: budget.test.ts has them. */
const WITHOUT_PROGRAMS = ['tooLarge']
const codes = (source: string): string[] => checked(source).diagnostics.map((d) => d.code)

describe.each(OURS.filter((m) => !WITHOUT_PROGRAMS.includes(m.name)))('$code $name', ({ code, wrong, right }) => {
  test('the wrong program has this error alone', () => {
    expect(codes(wrong)).toEqual([code])
  })

  test('the right one has none', () => {
    expect(codes(right)).toEqual([])
  })
})

test.each(OURS)('$code is a whole sentence', ({ message }) => {
  expect(message).toMatch(/^[A-Z`{].*\.$/)
})

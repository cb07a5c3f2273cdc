import { describe, expect, test } from 'vitest'
import { messages } from '../../../src/compiler/messages.generated.js'
import { checked } from './support.js'

const OURS = Object.values(messages).filter((m) => m.code.startsWith('OPT2'))

/** Their programs would be long, or can't be written down. */
const WITHOUT_PROGRAMS = ['nestedTooDeep', 'tooLarge', 'onOutsideStep']

describe.each(OURS)('$code $name', ({ code, name, wrong, right, message }) => {
  const codes = (source: string): string[] => checked(source).diagnostics.map((d) => d.code)

  test.skipIf(WITHOUT_PROGRAMS.includes(name))('the wrong program has this error alone, the right one none', () => {
    expect(codes(wrong)).toEqual([code])
    expect(codes(right)).toEqual([])
  })

  test('is a whole sentence', () => {
    expect(message).toMatch(/^[A-Z`{].*\.$/)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { regexProblem } from '../../../src/compiler/syntax/regex.js'
import { codesOf, inFunction } from './support.js'

describe('fine', () => {
  test.each([
    'norm',
    '^norm$',
    'norm|bias|scale',
    'block_\\d+/attn',
    '^block_\\d+/.*attn.*/kernel$',
    '(conv|dense)_\\d+/kernel',
    '(?:conv|dense)(?:_\\d+)?/bias',
    '(?:abc)+$',
    '(abc)*x(def){2,}',
    '[a-z]+[0-9]*',
    '[(+*]+\\(\\+\\)[\\]x]',
    '\\bnorm\\b',
    'a{2,5}',
    'a{,5}',
    'x{y}',
    '\\\\1',
    '[?=(?!]',
    '\\(?=a',
    'β|γ',
    'a+?b*?c??',
    'a'.repeat(200)
  ])('%s', (pattern) => expect(regexProblem(pattern, 'i')).toBeNull())
})

describe('refused', () => {
  test.each([
    ['a'.repeat(201), '', 'it has more than 200 characters'],
    ['a', 'g', 'its flags are `g`, but the only one there is is `i`'],
    ['a', 'ii', 'its flags are `ii`, but the only one there is is `i`'],
    ['(a', '', 'it is not well formed'],
    ['*a', '', 'it is not well formed'],
    ['(a)\\1', '', '`\\1` refers back to a group'],
    ['\\\\\\1(a)', '', '`\\1` refers back to a group'],
    ['(?<n>a)\\k<n>', '', '`\\k` refers back to a group'],
    ['a(?=b)', '', '`(?=` looks around'],
    ['a(?!b)', '', '`(?!` looks around'],
    ['(?<=a)b', '', '`(?<=` looks around'],
    ['(?<!a)b', '', '`(?<!` looks around'],
    ['(?<n>a)', '', 'its groups can be `(…)` and `(?:…)` only'],
    ...[
      '(a+)+',
      '(a*)*',
      '(a|b)*',
      '(a|a)+$',
      '(a?){50}',
      '(.*)*x',
      'a*a*a*a*b',
      '((a{1,9}){1,9}){1,9}',
      'a?'.repeat(66),
      '(a|a)'.repeat(40),
      '(?:a|b|ab){30}',
      `${'a?'.repeat(22)}b`
    ].map((pattern): [string, string, string] => [pattern, '', 'on a long name it would try too many ways to match'])
  ])('%s', (pattern, flags, why) => expect(regexProblem(pattern, flags)).toBe(why))

  test('in a program', () => {
    expect(codesOf(inFunction('name ~ /(a+)+$/'))).toEqual(['OPT1007'])
    expect(codesOf(inFunction('name ~ /a\u2028b/'))).toEqual(['OPT1009'])
  })
})

/**
 * How many ways there are to match a prefix of a text, each found by trying: what a backtracking engine goes through.
 * Patterns are of the letters a and b, `.`, groups, alternatives and repeats.
 */
function waysThrough(pattern: string, text: string, limit: number): number {
  let steps = 0
  let at = 0
  type Go = (position: number, then: (position: number) => void) => void
  const alternatives = (): Go => {
    const all = [row()]
    while (pattern[at] === '|') {
      at++
      all.push(row())
    }
    return (p, then) => {
      for (const one of all) one(p, then)
    }
  }
  const row = (): Go => {
    let whole: Go = (p, then) => then(p)
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      const [before, next] = [whole, repeated()]
      whole = (p, then) => before(p, (q) => next(q, then))
    }
    return whole
  }
  const repeated = (): Go => {
    let one: Go
    if (pattern[at] === '(') {
      at++
      one = alternatives()
      at++
    } else {
      const letter = pattern[at++]!
      one = (p, then) => {
        if (p < text.length && (letter === '.' || text[p] === letter)) then(p + 1)
      }
    }
    const sign = pattern[at]
    if (sign !== '*' && sign !== '+' && sign !== '?') return one
    at++
    const more: (count: number) => Go = (count) => (p, then) => {
      if (sign !== '?' || count === 0) one(p, (q) => (q > p ? more(count + 1)(q, then) : undefined))
      if (sign !== '+' || count > 0) then(p)
    }
    return more(0)
  }
  const whole = alternatives()
  try {
    whole(0, () => {
      if (++steps > limit) throw new Error('too many')
    })
  } catch {
    return Number.POSITIVE_INFINITY
  }
  return steps
}

test('what is let through has no more ways than were counted', () => {
  const pattern = fc.letrec<{ pattern: string }>((tie) => {
    const atom = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('a', 'b', '.') },
      tie('pattern').map((p) => `(${p})`)
    )
    const piece = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?')).map(([a, sign]) => a + sign)
    const row = fc.array(piece, { minLength: 1, maxLength: 4 }).map((all) => all.join(''))
    return {
      pattern: fc.oneof(
        { depthSize: 'small' },
        row,
        fc.tuple(row, row).map(([a, b]) => `${a}|${b}`)
      )
    }
  }).pattern
  let refused = 0
  fc.assert(
    fc.property(pattern, fc.stringMatching(/^[ab]{0,12}$/), (p, text) => {
      if (regexProblem(p, '') !== null) {
        refused++
        return
      }
      expect(waysThrough(p, text, 3e6), p).toBeLessThanOrEqual(3e6)
      new RegExp(`(?:${p})$`).test(`${'ab'.repeat(20)}c`)
    }),
    { numRuns: 300 }
  )
  expect(refused).toBeGreaterThan(0)
})

test('the worst of what is let through answers at once', () => {
  for (const pattern of ['.*.*.*x', 'a*a*a*b', '(a|a)?(a|a)?(a|a)?(a|a)?(a|a)?a*a*b', `${'a?'.repeat(21)}b`]) {
    expect(regexProblem(pattern, '')).toBeNull()
    expect(new RegExp(`${pattern}$`).test(`${'a'.repeat(100)}c`)).toBe(false)
  }
})

/** The EBNF is read here as a reader would, and has to say the same of a text as the parser. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IToken } from 'chevrotain'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from '../../src/compiler/syntax/parse.js'
import { print } from '../../src/compiler/syntax/print.js'
import { lexer, Name, Numeral, OpenText, Regex, Text } from '../../src/compiler/syntax/tokens.js'
import { file } from '../compiler/syntax/support.js'

const text = readFileSync(join(import.meta.dirname, '..', '..', 'grammar', 'optc.ebnf'), 'utf8').replaceAll(
  '\r\n',
  '\n'
)
const rules = new Map(
  [...text.matchAll(/^([a-z]\w*) +::= (.*)$/gm)].map(([, name, body]) => [name!, body!.match(/'[^']+'|\w+|[()|*+?]/g)!])
)
const [, signs = ''] = /Signs with other spellings\. \*\/\n\n([\s\S]*?)\n\n/.exec(text) ?? []
const canonical = new Map(
  signs.split('\n').flatMap((line) => {
    const [first, ...others] = [...line.matchAll(/'([^']+)'/g)].map((m) => m[1]!)
    return others.map((other) => [other, first!])
  })
)
const classes = new Map([
  ['NAME', Name],
  ['NUMBER', Numeral],
  ['TEXT', Text],
  ['REGEX', Regex]
])

/** Where a rule can end that begins at one of some places of a text. */
type Reader = (from: ReadonlySet<number>, tokens: readonly IToken[]) => ReadonlySet<number>
const readers = new Map<string, Reader>()

function readerOf(rule: string): Reader {
  const known = readers.get(rule)
  if (known) return known
  readers.set(rule, (from, tokens) => readers.get(rule)!(from, tokens))
  const items = [...rules.get(rule)!]
  const reader = choice(items)
  expect(items).toEqual([])
  readers.set(rule, reader)
  return reader
}

const union = (sets: readonly ReadonlySet<number>[]): ReadonlySet<number> => new Set(sets.flatMap((set) => [...set]))

function choice(items: string[]): Reader {
  const all = [row(items)]
  while (items[0] === '|') {
    items.shift()
    all.push(row(items))
  }
  return (from, tokens) => union(all.map((one) => one(from, tokens)))
}

function row(items: string[]): Reader {
  const all: Reader[] = []
  while (items.length > 0 && items[0] !== '|' && items[0] !== ')') all.push(repeated(items))
  return (from, tokens) => all.reduce((at, one) => one(at, tokens), from)
}

function repeated(items: string[]): Reader {
  const one = single(items)
  if (!/^[*+?]$/.test(items[0] ?? '')) return one
  const sign = items.shift()!
  if (sign === '?') return (from, tokens) => union([from, one(from, tokens)])
  return (from, tokens) => {
    const first = sign === '*' ? from : one(from, tokens)
    const reached = new Set(first)
    for (let next = first; next.size > 0; ) {
      next = new Set([...one(next, tokens)].filter((at) => !reached.has(at)))
      for (const at of next) reached.add(at)
    }
    return reached
  }
}

function single(items: string[]): Reader {
  const item = items.shift()!
  if (item === '(') {
    const inner = choice(items)
    expect(items.shift()).toBe(')')
    return inner
  }
  const type = classes.get(item)
  if (!item.startsWith("'") && !type) {
    return (from, tokens) => (from.size === 0 ? from : readerOf(item)(from, tokens))
  }
  const matches = (token: IToken): boolean =>
    type
      ? token.tokenType === type
      : !inClass(token) && (canonical.get(token.image) ?? token.image) === item.slice(1, -1)
  return (from, tokens) =>
    new Set([...from].filter((at) => at < tokens.length && matches(tokens[at]!)).map((at) => at + 1))
}

const inClass = (token: IToken): boolean => [...classes.values(), OpenText].includes(token.tokenType)

function accepts(source: string): boolean {
  const { tokens, groups } = lexer.tokenize(source)
  const { strange = [], openComments = [] } = groups
  if (strange.length + openComments.length > 0) return false
  return readerOf('file')(new Set([0]), tokens).has(tokens.length)
}

/** Mistakes that the grammar leaves to words. */
const BEYOND = new Set(['OPT1006', 'OPT1007', 'OPT1008', 'OPT1014', 'OPT1015', 'OPT1016'])
const isProgram = (source: string): boolean => parse(source, 'x.opt').diagnostics.every((d) => BEYOND.has(d.code))

test('every rule that is named is there', () => {
  for (const items of rules.values()) {
    for (const item of items) if (/^[a-z]/.test(item)) expect([...rules.keys()]).toContain(item)
  }
  expect(rules.size).toBeGreaterThan(30)
})

describe('says what the parser says', () => {
  test('of programs', () => {
    fc.assert(
      fc.property(file, (tree) => accepts(print(tree))),
      { numRuns: 60 }
    )
  })

  test('of programs that have a piece too few or too many', () => {
    const pieces = [
      '(',
      ')',
      '{',
      '}',
      '=',
      ':=',
      ',',
      ';',
      '-',
      '*',
      '²',
      '‖',
      '√',
      '^',
      '<',
      'not',
      'if',
      'over',
      'x',
      '1',
      'use',
      'state'
    ]
    let wrong = 0
    fc.assert(
      fc.property(file, fc.nat(), fc.option(fc.constantFrom(...pieces)), (tree, seed, put) => {
        const parts = print(tree).split(/(?<=\s)|(?=[(){},])|(?<=[(){},])/)
        const at = seed % (parts.length + 1)
        const source = [
          ...parts.slice(0, at),
          put === null ? '' : ` ${put} `,
          ...parts.slice(at + (put === null ? 1 : 0))
        ].join('')
        const expected = isProgram(source)
        if (!expected) wrong++
        expect(accepts(source), source).toBe(expected)
      }),
      { numRuns: 150 }
    )
    expect(wrong).toBeGreaterThan(20)
  })
})

/** What an editor colours is what the lexer reads. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import oniguruma from 'vscode-oniguruma'
import textmate from 'vscode-textmate'
import { print } from '../../src/compiler/syntax/print.js'
import * as T from '../../src/compiler/syntax/tokens.js'
import { file } from '../compiler/syntax/support.js'

const root = join(import.meta.dirname, '..', '..')
let grammar: textmate.IGrammar

beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm')
  const { buffer, byteOffset, byteLength } = readFileSync(wasm)
  await oniguruma.loadWASM(buffer.slice(byteOffset, byteOffset + byteLength))
  const path = join(root, 'grammar', 'optc.tmLanguage.json')
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text)
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(path, 'utf8'), path)
  })
  grammar = (await registry.loadGrammar('source.optc'))!
})

/** The innermost scope at each place of a text. */
function scopesOf(source: string): string[] {
  const scopes: string[] = []
  let stack: textmate.StateStack | null = textmate.INITIAL
  for (const line of source.split('\n')) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack)
    for (const token of tokens) {
      for (let at = token.startIndex; at < Math.min(token.endIndex, line.length); at++)
        scopes.push(token.scopes.at(-1)!)
    }
    scopes.push('end of line')
    stack = ruleStack
  }
  return scopes
}

const WORDS = /^(?:keyword|storage|constant\.language)/
const EXPECTED: readonly (readonly [ReadonlySet<unknown>, RegExp])[] = [
  [new Set([T.Name]), /^(?:variable|entity|support|constant\.language)/],
  [new Set([T.Numeral]), /^constant\.numeric/],
  [new Set([T.Text, T.OpenText]), /^string\.quoted/],
  [new Set([T.Regex]), /^string\.regexp/],
  [new Set([...Object.values(T.words), T.LawWord]), WORDS],
  [
    new Set([T.OpenParen, T.CloseParen, T.OpenBrace, T.CloseBrace, T.OpenBracket, T.CloseBracket]),
    /^punctuation\.section/
  ],
  [new Set([T.Comma, T.Semicolon, T.Colon]), /^punctuation\.separator/]
]

/** Every character of every token has the scope that is right for the token. */
function check(source: string): void {
  const scopes = scopesOf(source)
  const { tokens, groups } = T.lexer.tokenize(source)
  for (const { tokenType, image, startOffset } of tokens) {
    const [, right] = EXPECTED.find(([types]) => types.has(tokenType)) ?? [null, /^keyword\.operator/]
    const found = [...new Set(scopes.slice(startOffset, startOffset + image.length))]
    expect(found, `${image} in\n${source}`).toHaveLength(1)
    expect(found[0], `${image} in\n${source}`).toMatch(right)
  }
  const { docs = [] } = groups
  for (const { startOffset } of docs) expect(scopes[startOffset]).toBe('comment.line.documentation.optc')
}

describe('every token has its colour', () => {
  const folder = join(root, 'optimizers')
  test.each(readdirSync(folder))('in %s', (name) =>
    check(readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n'))
  )

  test('in programs of every kind', () => {
    fc.assert(
      fc.property(file, (tree) => check(print(tree))),
      { numRuns: 40 }
    )
  })

  test.each([
    'a / b / c ~ /x[/]\\/y/i and d /e',
    'β1·g lr·m m̂ ∇f x′ v₀ inf1 iff notx or_',
    'x ← 1; y:=2; z=3; a==b a<=b a≤b a−b a×b ‖x‖ ∥y∥ x² √x',
    '1 1. .5 1e-7 2.5E+3',
    'sum(x over model) sum(x over layer) model layer',
    'fn f(x) = x optimizer A schedule s() = t transform u on (g)',
    'law law: law -> 2 law → law law = law law := x law x := y flaw x: law_ x:',
    'step(w, g) use f(x) on (y) observe a as b in',
    'a // b "c"\n/* d\n e */ f /// g\n//// h'
  ])('in %j', check)

  test('comments are comments', () => {
    const source = 'a // b\n/* c\nd */ e /// f\n//// g'
    const scopes = scopesOf(source)
    const at = (letter: string): string => scopes[source.indexOf(letter)]!
    expect(['b', 'c', 'd', 'f', 'g'].map(at)).toEqual([
      'comment.line.double-slash.optc',
      'comment.block.optc',
      'comment.block.optc',
      'comment.line.documentation.optc',
      'comment.line.double-slash.optc'
    ])
  })

  test('declared names, functions of the language and facts stand out', () => {
    const source = 'optimizer LAMB fn half sqrt rank mine(x) sqrt(y)'
    const scopes = scopesOf(source)
    const at = (text: string): string => scopes[source.indexOf(text)]!
    expect(at('LAMB')).toBe('entity.name.class.optc')
    expect(at('half')).toBe('entity.name.function.optc')
    expect(at('sqrt rank')).toBe('variable.other.optc')
    expect(at('rank')).toBe('variable.language.optc')
    expect(at('mine')).toBe('entity.name.function.optc')
    expect(at('sqrt(')).toBe('support.function.optc')
  })
})

/** Text → syntax tree, with everything that is wrong with its form. Never throws. */
import type { IToken, TokenType } from 'chevrotain'
import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import { nearest } from '../suggest.js'
import type { Doc, File } from './ast.js'
import { type Braces, bracesOf } from './braces.js'
import { partsOf } from './expressions.js'
import { insteadOf, shown } from './look-alikes.js'
import { diagnose, isAftermath } from './mistakes.js'
import { parser } from './parser.js'
import { endOf, MAX_MISTAKES, Stop, spanOf, startOf } from './recovery.js'
import { regexProblem } from './regex.js'
import * as T from './tokens.js'

export function parse(source: string, path: string): { file: File; diagnostics: Diagnostic[] } {
  const binary = /[\0\ufffd]/.exec(source)
  if (binary) {
    const span = { start: binary.index, end: binary.index + 1 }
    return { file: { path, source, imports: [], declarations: [] }, diagnostics: [problems.notText(path, span)] }
  }
  const { tokens, groups } = T.lexer.tokenize(source)
  const { docs = [], strange = [], openComments = [] } = groups
  const braces = bracesOf(tokens)
  const misplaced = wordsAsNames(tokens, source, braces)
  markTargets(tokens, source)
  const stop = run(tokens, docReader(docs))

  const unread = [
    ...openComments.map((t) => problems.openComment(path, { start: startOf(t), end: startOf(t) + 2 })),
    ...strange.map((t) =>
      problems.strangeCharacter(path, spanOf(t), { found: shown(t.image), suggestion: insteadOf(t.image) })
    ),
    ...tokens.filter((t) => t.tokenType === T.OpenText).map((t) => problems.openText(path, spanOf(t))),
    ...tokens
      .filter(({ tokenType, image }) => NAMES.has(tokenType) && image.length > LONGEST_NAME)
      .map((t) => problems.nameTooLong(path, spanOf(t), { length: t.image.length, limit: LONGEST_NAME })),
    ...misplaced.map((t) => problems.reservedWord(path, spanOf(t), { word: t.image }))
  ]
  const mistakes = parser.mistakes
    .filter((mistake) => !isAftermath(mistake, braces))
    .map((mistake) => diagnose(mistake, { path, source, tokens }))
  const diagnostics = [...oneOfEachLine(unread, mistakes, source), ...notes(path)].sort(bySource)
  const last = diagnostics[MAX_MISTAKES]?.span ?? (stop?.limit === null ? stop.at : undefined)
  diagnostics.splice(MAX_MISTAKES)
  if (last) diagnostics.push(problems.tooManyMistakes(path, last, { limit: MAX_MISTAKES }))
  if (stop && stop.limit !== null) diagnostics.push(problems.tooDeep(path, stop.at, { limit: stop.limit }))
  const { imports, declarations } = parser
  return { file: { path, source, imports, declarations }, diagnostics: diagnostics.sort(bySource) }
}

function run(tokens: IToken[], docBetween: (previous: IToken, first: IToken) => Doc): Stop | null {
  parser.begin(tokens)
  parser.docBetween = docBetween
  try {
    parser.file()
    return null
  } catch (error) {
    if (error instanceof Stop) return error
    throw error
  } finally {
    parser.finish()
  }
}

/** What the grammar takes, and the language does not. */
function notes(path: string): Diagnostic[] {
  const { overs, regexes, rootPowers, bareArguments, numerals } = parser.noted
  const found: Diagnostic[] = []
  for (const { image, ...token } of overs) {
    const meant = nearest(image, ['layer', 'model', 'rows', 'cols', 'channels'])
    const suggestion = meant ? `Did you mean \`over ${meant}\`?` : 'Write `over layer` or `over model`.'
    found.push(problems.unknownOver(path, spanOf({ image, ...token }), { found: image, suggestion }))
  }
  for (const regex of regexes) {
    const { pattern, flags } = partsOf(regex)
    const why = regexProblem(pattern, flags)
    if (regex.tokenType === T.OpenRegex) found.push(problems.openRegex(path, spanOf(regex)))
    else if (why) found.push(problems.badRegex(path, spanOf(regex), { why }))
  }
  // A root under a root sees the same power behind it.
  for (const power of new Set(rootPowers)) found.push(problems.powerOfRoot(path, spanOf(power)))
  for (const argument of bareArguments) found.push(problems.positionalAfterNamed(path, argument))
  for (const numeral of numerals) {
    const value = Number(numeral.image)
    const vanishes = value === 0 && /[1-9]/.test(numeral.image.replace(/e.*/i, ''))
    if (vanishes || value === Number.POSITIVE_INFINITY) {
      const what = vanishes ? 'small' : 'large'
      found.push(problems.numberOutOfReach(path, spanOf(numeral), { number: numeral.image, what }))
    }
  }
  for (const late of parser.lateImports) found.push(problems.lateImport(path, late))
  return found
}

/** Words that begin something, but stand where only a name could. They are read as names; of each, the first is told. */
function wordsAsNames(tokens: readonly IToken[], source: string, { open }: Braces): IToken[] {
  const told = new Map<string, IToken>()
  tokens.forEach((token, i) => {
    if (!T.BEGINNINGS.has(token.tokenType)) return
    const [before, next] = [tokens[i - 1], tokens[i + 1]]
    const isDue = before !== undefined && !isFirst(token, before, source) && !COMPLETE.has(before.tokenType)
    // In front of a name it begins something, and what was due before it is missing.
    const isOperand = isDue && (next?.tokenType !== T.Name || isFirst(next, token, source))
    const isTarget = (next?.tokenType === T.Equal || next?.tokenType === T.Becomes) && open.get(token)! > 1
    if (!isOperand && !isTarget) return
    retype(token, T.Name)
    if (!told.has(token.image)) told.set(token.image, token)
  })
  return [...told.values()]
}

/**
 * Marks the names that begin a statement, whatever went wrong before: the parser goes on there. They are followed by `:=`,
 * or are first on their line or behind something that is complete: both, or one of them and followed by `=`.
 */
function markTargets(tokens: readonly IToken[], source: string): void {
  tokens.forEach((token, i) => {
    if (token.tokenType !== T.Name) return
    const before = tokens[i - 1]
    const after = tokens[i + 1]?.tokenType
    const first = isFirst(token, before, source)
    const isBehindWhole = before === undefined || COMPLETE.has(before.tokenType)
    if (
      after === T.Becomes ||
      (after === T.Equal && (first || isBehindWhole)) ||
      // A bar may just as well open a norm.
      (first && isBehindWhole && before?.tokenType !== T.Bars)
    ) {
      retype(token, T.Target)
    }
  })
}

const isFirst = (token: IToken, before: IToken | undefined, source: string): boolean =>
  before === undefined || /[\r\n]/.test(source.slice(endOf(before), startOf(token)))

function retype(token: IToken, type: TokenType): void {
  token.tokenType = type
  token.tokenTypeIdx = type.tokenTypeIdx!
}

/** What an expression, a statement or the opening of a body may end with. */
const NAMES: ReadonlySet<TokenType> = new Set([T.Name, T.Target])
/** Shading languages take no longer ones for sure, once letters that they lack are spelt out. */
const LONGEST_NAME = 200
const COMPLETE: ReadonlySet<TokenType> = new Set([...T.ENDS, T.Text, T.OpenText, T.OpenBrace, T.Semicolon])

/** The `///` lines between two tokens. */
function docReader(docs: readonly IToken[]): (previous: IToken, first: IToken) => Doc {
  return (previous, first) => {
    const lines: string[] = []
    for (let i = firstFrom(docs, endOf(previous)); i < docs.length; i++) {
      const doc = docs[i]!
      if (startOf(doc) > startOf(first)) break
      lines.push(doc.image.replace(/^\/\/\/ ?/, '').trimEnd())
    }
    return lines.join('\n')
  }
}

/** The first of some tokens that starts at an offset or behind it. */
function firstFrom(tokens: readonly IToken[], offset: number): number {
  let low = 0
  let high = tokens.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (startOf(tokens[middle]!) < offset) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * One problem a line, for they may have led to each other: the first, but what could not even be read before a mistake
 * right in front of it.
 */
function oneOfEachLine(unread: Diagnostic[], mistakes: Diagnostic[], source: string): Diagnostic[] {
  const isUnread = new Set(unread)
  const kept: Diagnostic[] = []
  let lineEnd = -1
  for (const found of [...unread, ...mistakes].sort(bySource)) {
    const first = kept.at(-1)
    if (!first || found.span.start > lineEnd) {
      kept.push(found)
      const end = source.indexOf('\n', found.span.start)
      lineEnd = end < 0 ? source.length : end
    } else if (isUnread.has(found) && !isUnread.has(first) && isNext(first, found, source)) {
      kept[kept.length - 1] = found
    }
  }
  return kept
}

/** Whether nothing but a few spaces stand between two. */
const isNext = (a: Diagnostic, b: Diagnostic, source: string): boolean =>
  b.span.start - a.span.end < 80 && source.slice(a.span.end, b.span.start).trim() === ''

const bySource = (a: Diagnostic, b: Diagnostic): number => a.span.start - b.span.start

/** From a place where the parser could not go on to what is said of it. */
import type { IToken, TokenType } from 'chevrotain'
import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import { nearest } from '../suggest.js'
import type { Span } from './ast.js'
import type { Braces } from './braces.js'
import { EOF } from './chevrotain.js'
import { endOf, type Mistake, spanOf } from './recovery.js'
import * as T from './tokens.js'

const { words } = T

/** The file that a mistake is in. */
export interface Reading {
  readonly path: string
  readonly source: string
  readonly tokens: readonly IToken[]
}

const EXPRESSIONS: ReadonlySet<string> = new Set(['expression', 'negation', 'negative', 'primary', 'literal'])

/** What would have been right, where there are alternatives, or a word for what a sign would end. By rule, and token. */
const EXPECTED: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...EXPRESSIONS].map((rule) => [rule, 'an expression'])),
  assignment: '`=` or `:=`',
  names: 'a name',
  law: 'a replacement such as `g -> 8 * g`',
  range: 'a range such as `(0, inf)`, `[0, 1)` or `{1, 2, 4}`',
  interval: '`)` or `]`',
  'file EOF': '`optimizer`, `fn`, `schedule` or `transform`',
  'optimizer CloseBrace': '`hyper`, `mask`, `state`, `use`, `step`, `law` or `}`',
  'transform CloseBrace': '`mask`, `state`, a statement or `}`',
  'step CloseBrace': 'a statement or `}`',
  'reference CloseParen': '`,` or `)`',
  'use CloseParen': '`,` or `)`',
  'parameters CloseParen': '`,` or `)`',
  'subjects CloseParen': '`,` or `)`',
  'import CloseBrace': '`,` or `}`',
  'set CloseBrace': '`,` or `}`'
}

/** Where a body or the file could end: anything that stands in it would be right, too. And how many braces are open there. */
const BODIES: ReadonlyMap<string, number> = new Map([
  ['file EOF', 0],
  ['optimizer CloseBrace', 1],
  ['transform CloseBrace', 1],
  ['step CloseBrace', 2]
])

/** What comes right behind an expression: there an operator would be right, too. */
const BEHIND_EXPRESSION: ReadonlySet<string> = new Set([
  'parenthesis CloseParen',
  'norm Bars',
  'conditional ThenWord',
  'conditional ElseWord',
  'observe AsWord'
])

/** Likewise, but what was left out may have been a comma. */
const IN_LIST: ReadonlySet<string> = new Set([
  'reference CloseParen',
  'use CloseParen',
  'interval Comma',
  'set CloseBrace'
])

const OPENERS: ReadonlyMap<TokenType, TokenType> = new Map([
  [T.CloseParen, T.OpenParen],
  [T.CloseBracket, T.OpenBracket],
  [T.CloseBrace, T.OpenBrace]
])

/** Those that stand outside of bodies. */
const DECLARATIONS: ReadonlySet<TokenType> = new Set(
  (['optimizer', 'fn', 'schedule', 'transform', 'import'] as const).map((word) => words[word])
)

const RESERVED: ReadonlySet<TokenType> = new Set(Object.values(words))

const OPERANDS: ReadonlySet<TokenType> = new Set([
  T.Name,
  T.Numeral,
  T.OpenParen,
  T.Root,
  words.inf,
  words.true,
  words.false
])

const COMPARISONS: ReadonlySet<TokenType> = new Set([
  T.LessEqual,
  T.GreaterEqual,
  T.NotEqual,
  T.EqualEqual,
  T.Less,
  T.Greater,
  T.Tilde
])

const ARITHMETIC: ReadonlySet<TokenType> = new Set([T.Plus, T.Minus, T.Times, T.Slash, T.Caret])

/** How other languages begin a local. */
const BINDERS: ReadonlySet<string> = new Set(['let', 'const', 'var', 'val', 'def', 'local'])

/**
 * Whether the parser only lost count of the braces after a mistake before: where they all meet, it takes one body for
 * another.
 */
export function isAftermath({ rule, expected, found }: Mistake, { open, meet }: Braces): boolean {
  const depth = expected === null ? undefined : BODIES.get(`${rule} ${expected.name}`)
  return depth !== undefined && meet && (open.get(found) ?? 0) !== depth
}

export function diagnose(mistake: Mistake, reading: Reading): Diagnostic {
  const { rule, expected, found } = mistake
  const { path, source, tokens } = reading
  const index = found.tokenType === EOF ? tokens.length : tokens.indexOf(found)
  const around: Around = { previous: tokens[index - 1], found, next: tokens[index + 1] }
  const { previous } = around
  const place = expected === null ? rule : `${rule} ${expected.name}`
  const inBody = BODIES.has(place)
  const operandDue = expected === null && EXPRESSIONS.has(rule)
  const behind = isBehindExpression(place, previous)
  const span = found.tokenType === EOF ? lastOf(source) : spanOf(found)
  const sameLine = previous === undefined || !source.slice(endOf(previous), span.start).includes('\n')

  const opener = expected === null ? undefined : unclosed(expected, found, index, tokens)
  if (opener) {
    return problems.unclosed(path, spanOf(opener), { open: opener.image, close: expected!.PATTERN as string })
  }
  if (sameLine && RESERVED.has(found.tokenType)) {
    if (found.tokenType === words.if && (operandDue || behind)) return problems.bareIf(path, span)
    const nameDue = expected === T.Identifier || expected === T.Name || place === 'names'
    if (nameDue) return problems.reservedWord(path, span, { word: found.image })
  }
  if (behind && COMPARISONS.has(found.tokenType)) return problems.chainedComparison(path, span)
  if (behind && sameLine && OPERANDS.has(found.tokenType) && !IN_LIST.has(place)) {
    const [left, right] = [shorten(previous!.image), shorten(found.image)]
    return problems.missingOperator(path, span, { left, right })
  }
  const right = EXPECTED[place] ?? expected?.LABEL ?? 'something else'
  const wanted = {
    expected: behind && !inBody ? `an operator${right.includes(' or ') ? ',' : ' or'} ${right}` : right,
    suggestion: hintFor(place, around)
  }
  const after = previous === undefined || inBody ? '' : ` after \`${shorten(previous.image)}\``
  // What is missing at the end of a line is best seen there.
  if (found.tokenType === EOF) return problems.unexpected(path, span, { ...wanted, after, what: 'the file ends' })
  if (!sameLine && !inBody) {
    const end = spanOf(previous!)
    return problems.unexpected(path, { ...end, start: end.end - 1 }, { ...wanted, after, what: 'the line ends' })
  }
  return problems.unexpected(path, span, { ...wanted, after, what: `found \`${shorten(found.image)}\`` })
}

/** A token and its neighbours. */
interface Around {
  readonly previous: IToken | undefined
  readonly found: IToken
  readonly next: IToken | undefined
}

function isBehindExpression(place: string, previous: IToken | undefined): boolean {
  if (BEHIND_EXPRESSION.has(place) || IN_LIST.has(place)) return true
  if (previous === undefined || previous.tokenType === T.CloseBrace) return false
  return BODIES.has(place) && T.ENDS.has(previous.tokenType)
}

/** The bracket that should have been closed: where the file, a body or a statement ends before it. */
function unclosed(expected: TokenType, found: IToken, at: number, tokens: readonly IToken[]): IToken | undefined {
  const open = OPENERS.get(expected)
  const { tokenType } = found
  const ends =
    tokenType === EOF ||
    (expected === T.CloseBrace
      ? DECLARATIONS.has(tokenType) && surplus(tokens, T.OpenBrace, T.CloseBrace) > 0
      : tokenType === T.CloseBrace || tokenType === T.Target || T.BEGINNINGS.has(tokenType))
  if (!open || !ends) return undefined
  let depth = 1
  for (let i = (at < 0 ? tokens.length : at) - 1; i >= 0; i--) {
    const { tokenType } = tokens[i]!
    if (tokenType === expected) depth++
    if (tokenType === open && --depth === 0) return tokens[i]
  }
  return undefined
}

/** How many more brackets are opened than closed. */
function surplus(tokens: readonly IToken[], open: TokenType, close: TokenType): number {
  return tokens.reduce((sum, { tokenType }) => sum + Number(tokenType === open) - Number(tokenType === close), 0)
}

function hintFor(place: string, around: Around): string {
  const { previous, found, next } = around
  const is = (type: TokenType): boolean => found.tokenType === type
  if (place === 'assignment') return hintForStatement(previous!.image, found, next)
  if (is(T.Equal) && BEHIND_EXPRESSION.has(place)) return 'Compare with `==`.'
  if (is(T.Times) && previous?.tokenType === T.Times) return 'Write a power as `x^y`.'
  if (is(words.not)) return 'Put parentheses around `not …`.'
  if (is(T.Text) || is(T.OpenText)) return 'Only imports have texts.'
  if (place === 'value Equal' && is(words.in)) return 'Give it a default: `= … in …`.'
  if (place === 'value Equal' && is(T.Becomes)) return 'Declarations take `=`; `:=` is for what changes in a step.'
  if (place === 'step CloseBrace' && is(T.Name)) return meantWord(found.image, ['use', 'observe'])
  if (!BODIES.has(place)) return ''
  if (next?.tokenType === T.Arrow) return 'Put a comma between what a law replaces.'
  if (is(T.LawWord) && place === 'file EOF') return 'A law stands in the optimizer that it is about.'
  if (found.image === 'law' && place === 'optimizer CloseBrace') return 'Write a law as `law name: g -> 8 * g`.'
  if (place !== 'file EOF' && DECLARATIONS.has(found.tokenType)) {
    return `\`${found.image}\` stands at the top level of a file, not inside something else.`
  }
  if (place === 'step CloseBrace' && T.BEGINNINGS.has(found.tokenType)) {
    return `\`${found.image}\` stands in the optimizer, outside of \`step\`.`
  }
  if (is(T.CloseBrace)) return 'There is one `}` too many.'
  if (is(T.Target) && (next?.tokenType === T.Equal || next?.tokenType === T.Becomes)) {
    return place === 'file EOF' ? 'Write a function as `fn name(…) = …`.' : 'Statements stand in `step(w, g) { … }`.'
  }
  return meantWord(
    found.image,
    ['law', ...T.WORDS].filter((word) => EXPECTED[place]!.includes(`\`${word}\``))
  )
}

/** For what begins with a name, and goes on neither with `=` nor with `:=`. */
function hintForStatement(name: string, found: IToken, next: IToken | undefined): string {
  if (BINDERS.has(name)) return `Leave \`${name}\` out: \`${found.image} = …\` binds a local.`
  if (found.tokenType === T.Less && next?.tokenType === T.Minus) return `Write \`${name} := …\` or \`${name} ← …\`.`
  if (found.tokenType === T.Colon) return `Write \`${name} := …\`.`
  if (found.tokenType === T.EqualEqual) return `\`${name} = …\` binds a local, \`${name} := …\` updates state.`
  if (found.tokenType === T.OpenParen) return 'Functions are declared outside of optimizers: `fn name(…) = …`.'
  if (ARITHMETIC.has(found.tokenType) && next?.tokenType === T.Equal) {
    return `Write \`${name} := ${name} ${found.image} …\`.`
  }
  return meantWord(name, ['use', 'observe'])
}

function meantWord(found: string, known: readonly string[]): string {
  const meant = nearest(found, known)
  return meant === null ? '' : `Did you mean \`${meant}\`?`
}

/** A token as a sentence shows it. */
const shorten = (image: string): string => (image.length > 30 ? `${image.slice(0, 29)}…` : image)

/** The last character that is not space: there it shows that something is missing. */
function lastOf(source: string): Span {
  const end = source.trimEnd().length
  return { start: Math.max(0, end - 1), end }
}

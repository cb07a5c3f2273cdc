/** The tokens of a `.opt` file. */
import type { CustomPatternMatcherFunc, ITokenConfig, TokenType } from 'chevrotain'
import { createToken, Lexer } from './chevrotain.js'

/** A pattern that Chevrotain can't take as it stands: it would drop the flag `u`. */
function sticky(pattern: RegExp): CustomPatternMatcherFunc {
  return (text, offset) => {
    pattern.lastIndex = offset
    return pattern.exec(text) as ReturnType<CustomPatternMatcherFunc>
  }
}

export const tokens: TokenType[] = []

function token(
  name: string,
  pattern: ITokenConfig['pattern'],
  label: string,
  more: Partial<ITokenConfig> = {}
): TokenType {
  const made = createToken({ name, ...(pattern === undefined ? {} : { pattern }), label, ...more })
  tokens.push(made)
  return made
}

/** Tokens that stand in the same place of the grammar: the parser asks for the kind, the tree keeps the operator. */
export const Comparison: TokenType = token('Comparison', Lexer.NA, 'a comparison')
export const Additive: TokenType = token('Additive', Lexer.NA, '`+` or `-`')
export const Multiplicative: TokenType = token('Multiplicative', Lexer.NA, '`*` or `/`')

token('Space', /\s+/, 'space', { group: Lexer.SKIPPED, line_breaks: true })
token('Doc', /\/\/\/(?!\/)[^\r\n]*/, 'a doc comment', { group: 'docs' })
token('LineComment', /\/\/[^\r\n]*/, 'a comment', { group: Lexer.SKIPPED })
token('BlockComment', /\/\*[\s\S]*?\*\//, 'a comment', { group: Lexer.SKIPPED, line_breaks: true })
/** Takes the rest of the file, so that what stands in it is not read as a program. */
token('OpenComment', /\/\*[\s\S]*/, 'a comment', { group: 'openComments', line_breaks: true })

export const Text: TokenType = token('Text', /"[^"\r\n]*"/, 'a path in quotes')
export const OpenText: TokenType = token('OpenText', /"[^"\r\n]*/, 'a path in quotes', { categories: [Text] })
export const Numeral: TokenType = token('Numeral', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/, 'a number')

/** `/` after `~` opens a regular expression; everywhere else it divides. */
const afterTilde =
  (pattern: RegExp): CustomPatternMatcherFunc =>
  (text, offset, before, groups) =>
    before.at(-1)?.tokenType === Tilde ? sticky(pattern)(text, offset, before, groups) : null
const ofRegex: Partial<ITokenConfig> = { start_chars_hint: ['/'], line_breaks: false }
const REGEX =
  /\/(?:[^/\\[\r\n\u2028\u2029]|\\[^\r\n\u2028\u2029]|\[(?:[^\]\\\r\n\u2028\u2029]|\\[^\r\n\u2028\u2029]){0,9999}\]){1,9999}\/[a-zA-Z]{0,99}/uy
export const Regex: TokenType = token('Regex', afterTilde(REGEX), 'a regular expression such as `/norm/`', ofRegex)
export const OpenRegex: TokenType = token('OpenRegex', afterTilde(/\/[^\r\n]*/y), 'a regular expression', {
  ...ofRegex,
  categories: [Regex]
})

export const Becomes: TokenType = token('Becomes', /:=|←/, '`:=`')
export const Arrow: TokenType = token('Arrow', /->|→/, '`->`')
export const Colon: TokenType = token('Colon', ':', '`:`')
const comparison = { categories: [Comparison] }
export const LessEqual: TokenType = token('LessEqual', /<=|≤/, '`<=`', comparison)
export const GreaterEqual: TokenType = token('GreaterEqual', />=|≥/, '`>=`', comparison)
export const NotEqual: TokenType = token('NotEqual', /!=|≠/, '`!=`', comparison)
export const EqualEqual: TokenType = token('EqualEqual', '==', '`==`', comparison)
export const Less: TokenType = token('Less', '<', '`<`', comparison)
export const Greater: TokenType = token('Greater', '>', '`>`', comparison)
export const Equal: TokenType = token('Equal', '=', '`=`')
export const Plus: TokenType = token('Plus', '+', '`+`', { categories: [Additive] })
export const Minus: TokenType = token('Minus', /[-−]/, '`-`', { categories: [Additive] })
export const Times: TokenType = token('Times', /[*·\u0387⋅×]/, '`*`', { categories: [Multiplicative] })
export const Slash: TokenType = token('Slash', '/', '`/`', { categories: [Multiplicative] })
export const Caret: TokenType = token('Caret', '^', '`^`')
export const Squared: TokenType = token('Squared', '²', '`²`')
export const Tilde: TokenType = token('Tilde', '~', '`~`')
export const Root: TokenType = token('Root', '√', '`√`')
export const Bars: TokenType = token('Bars', /[‖∥]/, '`‖`')
export const OpenParen: TokenType = token('OpenParen', '(', '`(`')
export const CloseParen: TokenType = token('CloseParen', ')', '`)`')
export const OpenBrace: TokenType = token('OpenBrace', '{', '`{`')
export const CloseBrace: TokenType = token('CloseBrace', '}', '`}`')
export const OpenBracket: TokenType = token('OpenBracket', '[', '`[`')
export const CloseBracket: TokenType = token('CloseBracket', ']', '`]`')
export const Comma: TokenType = token('Comma', ',', '`,`')
export const Semicolon: TokenType = token('Semicolon', ';', '`;`')

/**
 * What Unicode allows in names, and what mathematics adds. `·` (U+00B7, and U+0387, which normalises to it) is in
 * ID_Continue, but it multiplies; what can't be seen would make two names of one.
 * Repeats are counted here, because the engine overflows its stack on some millions of them.
 */
const START = /[\p{ID_Start}_∇]/uy
const CONTINUE = /(?:(?![\u00b7\u0387\p{Default_Ignorable_Code_Point}])[\p{ID_Continue}₀-₉′]){1,1000}/uy

/** All of a name, however long it is. */
const name: CustomPatternMatcherFunc = (text, offset) => {
  START.lastIndex = offset
  if (!START.test(text)) return null
  CONTINUE.lastIndex = START.lastIndex
  let end = START.lastIndex
  while (CONTINUE.test(text)) end = CONTINUE.lastIndex
  return [text.slice(offset, end)] as unknown as ReturnType<CustomPatternMatcherFunc>
}

/** Where a name may start: Chevrotain sorts characters into buckets of 255, and this is one of each, and all of ASCII. */
const NAME_STARTS: number[] = Array.from({ length: 0x10000 }, (_, code) => code).filter((code) =>
  code < 256 ? /[\p{ID_Start}_]/u.test(String.fromCharCode(code)) : code % 255 === 0 || code === 256
)

/** A name, wherever it stands. */
export const Identifier: TokenType = createToken({ name: 'Identifier', pattern: Lexer.NA, label: 'a name' })

export const Name: TokenType = createToken({
  name: 'Name',
  pattern: name,
  label: 'a name',
  categories: [Identifier],
  start_chars_hint: NAME_STARTS,
  line_breaks: false
})

/** A name that begins a statement, told by what stands around it. After a mistake the parser goes on there. */
export const Target: TokenType = createToken({
  name: 'Target',
  pattern: Lexer.NA,
  label: 'a name',
  categories: [Identifier]
})

/** `law`, where a name and a colon stand behind it: elsewhere it is a name like any other. */
export const LawWord: TokenType = token('LawWord', sticky(/law(?=[^\S\r\n]+[^\s:]+[^\S\r\n]*:(?!=))/y), '`law`', {
  start_chars_hint: ['l'],
  line_breaks: false
})

/** Reserved words. None can be a name, so no statement can continue the expression before it. */
export const WORDS = [
  'optimizer',
  'hyper',
  'as',
  'inf',
  'in',
  'mask',
  'state',
  'over',
  'step',
  'observe',
  'fn',
  'schedule',
  'transform',
  'on',
  'use',
  'import',
  'from',
  'if',
  'then',
  'else',
  'and',
  'or',
  'not',
  'true',
  'false'
] as const
export type Word = (typeof WORDS)[number]
export const isWord = (text: string): text is Word => Object.hasOwn(words, text)

export const words = Object.fromEntries(
  WORDS.map((word) => [
    word,
    token(`${word[0]!.toUpperCase()}${word.slice(1)}Word`, word, `\`${word}\``, { longer_alt: Name })
  ])
) as Record<Word, TokenType>
tokens.push(Identifier, Target, Name)

/** What begins no other token: one or more of one character. */
token('Strange', sticky(/([\s\S])\1{0,999}/uy), 'a strange character', {
  group: 'strange',
  start_chars_hint: [...Array(256).keys(), ...NAME_STARTS.filter((code) => code > 255)],
  line_breaks: false
})

export const lexer: Lexer = new Lexer(tokens, { positionTracking: 'onlyOffset', ensureOptimizations: true })

/** The tokens that an expression may end with. */
export const ENDS: ReadonlySet<TokenType> = new Set([
  Name,
  Target,
  Numeral,
  Regex,
  OpenRegex,
  Squared,
  Bars,
  CloseParen,
  CloseBracket,
  CloseBrace,
  words.inf,
  words.true,
  words.false
])

/** Words that begin something, and are never part of an expression. */
export const BEGINNINGS: ReadonlySet<TokenType> = new Set([
  LawWord,
  ...(
    ['optimizer', 'hyper', 'mask', 'state', 'step', 'observe', 'fn', 'schedule', 'transform', 'use', 'import'] as const
  ).map((word) => words[word])
])

/** The tokens of a `.opt` file. */
import { type CustomPatternMatcherFunc, createToken, Lexer, type TokenType } from 'chevrotain'

/** What Unicode allows in names, and what mathematics adds. `·` (U+00B7) is in ID_Continue, but it multiplies. */
const NAME = /[\p{ID_Start}_∇](?:(?![\u00b7\u0387])[\p{ID_Continue}₀-₉′])*/uy

const sticky =
  (re: RegExp): CustomPatternMatcherFunc =>
  (text, offset) => {
    re.lastIndex = offset
    return re.exec(text) as ReturnType<CustomPatternMatcherFunc>
  }

export const tokens: TokenType[] = []

function token(
  name: string,
  pattern: RegExp | string | CustomPatternMatcherFunc,
  label: string,
  more: object = {}
): TokenType {
  const made = createToken({ name, pattern, label, ...more })
  tokens.push(made)
  return made
}

export const Space = token('Space', /[ \t\r\n\u00a0\ufeff]+/, 'space', { group: Lexer.SKIPPED, line_breaks: true })
export const Doc = token('Doc', /\/\/\/[^\r\n]*/, 'doc comment', { group: 'docs' })
token('LineComment', /\/\/[^\r\n]*/, 'comment', { group: Lexer.SKIPPED })
token('BlockComment', /\/\*[^]*?\*\//, 'comment', { group: Lexer.SKIPPED, line_breaks: true })
export const Text = token('Text', /"[^"\r\n]*"/, 'a text in quotes')
export const Numeral = token('Numeral', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/, 'a number')

/** `/` after `~` opens a regular expression; everywhere else it divides. */
const REGEX = /\/((?:[^/\\\r\n[]|\\[^\r\n]|\[(?:[^\]\\\r\n]|\\[^\r\n])*\])+)\/([a-z]*)/y
export const Regex = token(
  'Regex',
  (text, offset, before) => (before.at(-1)?.tokenType === Tilde ? sticky(REGEX)(text, offset, before, {}) : null),
  'a regular expression',
  { start_chars_hint: ['/'], line_breaks: false }
)

export const Becomes = token('Becomes', /:=|←/, '`:=`')
export const LessEqual = token('LessEqual', /<=|≤/, '`<=`')
export const GreaterEqual = token('GreaterEqual', />=|≥/, '`>=`')
export const NotEqual = token('NotEqual', /!=|≠/, '`!=`')
export const EqualEqual = token('EqualEqual', '==', '`==`')
export const Less = token('Less', '<', '`<`')
export const Greater = token('Greater', '>', '`>`')
export const Equal = token('Equal', '=', '`=`')
export const Plus = token('Plus', '+', '`+`')
export const Minus = token('Minus', /[-−]/, '`-`')
export const Times = token('Times', /[*·⋅×]/, '`*`')
export const Slash = token('Slash', '/', '`/`')
export const Caret = token('Caret', '^', '`^`')
export const Squared = token('Squared', '²', '`²`')
export const Tilde = token('Tilde', '~', '`~`')
export const Root = token('Root', '√', '`√`')
export const Bars = token('Bars', /[‖∥]/, '`‖`')
export const OpenParen = token('OpenParen', '(', '`(`')
export const CloseParen = token('CloseParen', ')', '`)`')
export const OpenBrace = token('OpenBrace', '{', '`{`')
export const CloseBrace = token('CloseBrace', '}', '`}`')
export const OpenBracket = token('OpenBracket', '[', '`[`')
export const CloseBracket = token('CloseBracket', ']', '`]`')
export const Comma = token('Comma', ',', '`,`')
export const Semicolon = token('Semicolon', ';', '`;`')

export const Identifier = createToken({
  name: 'Identifier',
  pattern: sticky(NAME),
  label: 'a name',
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

export const words = Object.fromEntries(
  WORDS.map((word) => [
    word,
    token(`${word[0]!.toUpperCase()}${word.slice(1)}Word`, word, `\`${word}\``, { longer_alt: Identifier })
  ])
) as Record<Word, TokenType>
tokens.push(Identifier)

export const lexer: Lexer = new Lexer(tokens, { positionTracking: 'full' })

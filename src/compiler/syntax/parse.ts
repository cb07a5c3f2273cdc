/** Text → syntax tree, with everything that is wrong with its form. Never throws. */
import { EOF, type ILexingError, type IRecognitionException, type IToken } from 'chevrotain'
import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import type { File, Span } from './ast.js'
import { parser } from './parser.js'
import { lexer } from './tokens.js'

const MAX_DEPTH = 200

export function parse(source: string, path: string): { file: File; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const nothing: File = { path, source, imports: [], declarations: [] }
  const { tokens, groups, errors } = lexer.tokenize(source)
  for (const error of errors) diagnostics.push(lexingProblem(error, source, path))
  const deep = tooDeep(tokens)
  if (deep) return { file: nothing, diagnostics: [problems.tooDeep(path, spanOf(deep), { limit: MAX_DEPTH })] }

  parser.input = tokens
  parser.docBefore = docReader(source, groups['docs'] ?? [])
  parser.overs = []
  parser.regexes = []
  parser.powersOfRoots = []
  const parsed = parser.file()
  for (const error of parser.errors) diagnostics.push(syntaxProblem(error, source, path))
  for (const word of parser.overs) {
    if (!['layer', 'model', 'rows', 'cols'].includes(word.image))
      diagnostics.push(problems.unknownOver(path, spanOf(word), { found: word.image }))
  }
  for (const regex of parser.regexes) {
    const why = regexProblem(regex.image)
    if (why) diagnostics.push(problems.badRegex(path, spanOf(regex), { why }))
  }
  for (const power of parser.powersOfRoots) diagnostics.push(problems.powerOfRoot(path, spanOf(power)))
  return {
    file: {
      ...nothing,
      imports: parsed?.imports ?? [],
      declarations: (parsed?.declarations ?? []).filter((d) => d !== undefined)
    },
    diagnostics: onePerLine(diagnostics, source)
  }
}

const spanOf = (t: IToken): Span => ({ start: t.startOffset, end: (t.endOffset ?? t.startOffset) + 1 })

function lexingProblem(error: ILexingError, source: string, path: string): Diagnostic {
  const span = { start: error.offset, end: error.offset + Math.max(1, Math.min(error.length, 1)) }
  if (source.startsWith('/*', error.offset))
    return problems.openComment(path, { start: error.offset, end: error.offset + 2 })
  if (source[error.offset] === '"') return problems.openText(path, span)
  const found = String.fromCodePoint(source.codePointAt(error.offset) ?? 0)
  const code = found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  return problems.strangeCharacter(path, span, { found: /\p{C}/u.test(found) ? '' : found, code: `U+${code}` })
}

function syntaxProblem(error: IRecognitionException, source: string, path: string): Diagnostic {
  const found = error.token.tokenType === EOF ? 'the end of the file' : `\`${error.token.image}\``
  const at =
    error.token.tokenType === EOF
      ? { start: Math.max(0, source.trimEnd().length - 1), end: source.trimEnd().length }
      : spanOf(error.token)
  const expected = 'expected' in error ? String(error.expected) : error.message
  return problems.unexpected(path, at, { found, expected })
}

function tooDeep(tokens: readonly IToken[]): IToken | null {
  let depth = 0
  for (const token of tokens) {
    if (/^[([{√]$|^if$|^not$|^[-−]$/.test(token.image)) depth += /^[([{]$/.test(token.image) ? 1 : 0
    if (/^[)\]}]$/.test(token.image)) depth--
    if (depth > MAX_DEPTH) return token
  }
  return null
}

function regexProblem(image: string): string | null {
  const close = image.lastIndexOf('/')
  const pattern = image.slice(1, close)
  if (pattern.length > 200) return 'it is longer than 200 characters'
  if (/\\[1-9]|\\k</.test(pattern)) return 'it refers back to a group'
  if (/\(\?(?:=|!|<=|<!)/.test(pattern)) return 'it looks around'
  if (!/^[ims]*$/.test(image.slice(close + 1))) return 'its flags can be i, m and s'
  try {
    new RegExp(pattern, image.slice(close + 1))
    return null
  } catch {
    return 'it is not well formed'
  }
}

/** The `///` lines right above an offset. */
function docReader(source: string, docs: readonly IToken[]): (offset: number) => string {
  return (offset) => {
    const lines: string[] = []
    let before = offset
    for (let i = docs.length - 1; i >= 0; i--) {
      const doc = docs[i]!
      const after = doc.startOffset + doc.image.length
      if (after > before) continue
      if (source.slice(after, before).trim() !== '') break
      lines.unshift(doc.image.replace(/^\/\/\/ ?/, ''))
      before = doc.startOffset
    }
    return lines.join('\n')
  }
}

function onePerLine(diagnostics: Diagnostic[], source: string): Diagnostic[] {
  const seen = new Set<number>()
  return diagnostics
    .sort((a, b) => a.span.start - b.span.start)
    .filter((d) => {
      const line = source.lastIndexOf('\n', d.span.start - 1)
      return !seen.has(line) && seen.add(line)
    })
}

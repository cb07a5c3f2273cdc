/** Texts that nobody meant: soups of tokens, and programs with a few edits, which fast-check shrinks edit by edit. */
import { fc } from '@fast-check/vitest'
import { shipped } from '../support/library.js'
import { program } from './arbitraries.js'

/** All that the language has, some of what it nearly has, and what no text should hold. */
const TOKENS: readonly string[] = [
  ...['optimizer', 'hyper', 'as', 'in', 'mask', 'state', 'over', 'step', 'observe', 'fn', 'schedule', 'transform'],
  ...['on', 'use', 'import', 'from', 'if', 'then', 'else', 'and', 'or', 'not', 'true', 'false', 'inf', 'noise'],
  ...['w', 'g', 't', 'm', 'v', 'lr', 'β', 'ε', 'm̂', '∇', 'x', 'rank', 'size', 'age', 'name', 'layer', 'model', 'rows'],
  ...['sqrt', 'rsqrt', 'cbrt', 'exp', 'log', 'clamp', 'floor', 'tanh', 'sum', 'mean', 'norm', 'rms', 'dot', 'max'],
  ...['min', 'abs', 'sign', 'constructor', '__proto__', 'cols', '"std"', '"./a.opt"', '/re/i', '/(a+)+$/', '/[/'],
  ...[
    '+',
    '-',
    '*',
    '/',
    '^',
    '²',
    '√',
    '‖',
    '·',
    '=',
    ':=',
    '←',
    '<',
    '<=',
    '≤',
    '>',
    '>=',
    '≥',
    '==',
    '!=',
    '≠',
    '~'
  ],
  ...['(', ')', '{', '}', '[', ']', ',', ';', '.', ':', '//', '/*', '*/', '///', '"', "'", '`', '$', '@', '#', '\\'],
  ...['0', '1', '2', '-1', '0.5', '1e-8', '1e308', '1e999', '1e-400', '00', '1.', '.5', '1e', '9007199254740993'],
  ...['\n', '\t', '\r\n', '\0', '\u2028', '\uFEFF', '\uD800', '\u200B', 'µ', 'μ', 'ϵ', '′', '𝛽', '−', '×', '∥', '👩‍💻']
]
const token = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...TOKENS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) }
)

const soup = fc
  .array(fc.tuple(token, fc.constantFrom(' ', ' ', '', '\n')), { maxLength: 60, size: 'max' })
  .map((parts) => parts.flat().join(''))

interface Edit {
  readonly at: number
  readonly cut: number
  readonly put: readonly string[]
  /** Copies this many tokens from further on instead. */
  readonly copy: number
}
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  cut: fc.constantFrom(0, 1, 1, 2, 5, 20),
  put: fc.array(token, { maxLength: 2 }),
  copy: fc.constantFrom(0, 0, 0, 1, 3, 30)
})

function edited([text, edits]: [string, readonly Edit[]]): string {
  const parts = text.match(/[\p{L}\p{N}_.]+|\s+|./gsu) ?? []
  for (const { at, cut, put, copy } of edits) {
    const from = at % (parts.length + 1)
    const other = (at * 7) % (parts.length + 1)
    parts.splice(from, cut, ...put, ...parts.slice(other, other + copy))
  }
  return parts.join('')
}

const library = fc.constantFrom(...[...shipped.values()].map(({ source }) => source))

/** A text for the compiler. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: soup },
  { weight: 1, arbitrary: soup.map((s) => `optimizer A { hyper lr = 0.1 state m = 0 step(w, g, t) { ${s} } }`) },
  { weight: 4, arbitrary: fc.tuple(library, fc.array(edit, { minLength: 1, maxLength: 4 })).map(edited) },
  { weight: 3, arbitrary: fc.tuple(program, fc.array(edit, { minLength: 1, maxLength: 4 })).map(edited) }
)

/** Sizes and shapes that nobody writes, and that must neither hang nor break anything. */
import { describe, expect, test } from 'vitest'
import { parse } from '../../../src/compiler/syntax/parse.js'
import { MAX_DEPTH, MAX_NESTING } from '../../../src/compiler/syntax/recovery.js'
import { codesOf, inFunction, inStep, parsed } from './support.js'

const MEGA = 1 << 20

describe('a megabyte of', () => {
  test.each([
    ['( at the top', '('.repeat(MEGA), ['OPT1002']],
    ['( in an expression', inFunction('('.repeat(MEGA)), ['OPT1005']],
    ['closed parentheses', inFunction(`${'('.repeat(MEGA / 2)}x${')'.repeat(MEGA / 2)}`), ['OPT1005']],
    ['{', '{'.repeat(MEGA), ['OPT1002']],
    ['}', '}'.repeat(MEGA), ['OPT1002']],
    ['commas', inFunction(`f(${','.repeat(MEGA)}`), ['OPT1002']],
    ['‖', inFunction('‖'.repeat(MEGA)), ['OPT1005']],
    ['√', inFunction(`${'√'.repeat(MEGA)}x`), ['OPT1005']],
    ['²', inFunction(`x${'²'.repeat(MEGA)}`), ['OPT1005']],
    ['-', inFunction(`${'-'.repeat(MEGA)}x`), ['OPT1005']],
    ['not', inFunction(`${'not '.repeat(MEGA / 4)}x`), ['OPT1005']],
    ['if', inFunction('if '.repeat(MEGA / 3)), ['OPT1005']],
    ['else if', inFunction(`${'if x then x else '.repeat(MEGA / 17)}x`), ['OPT1005']],
    ['x^', inFunction(`${'x^'.repeat(MEGA / 2)}x`), ['OPT1005']],
    ['x +', inFunction(`${'x+'.repeat(MEGA / 2)}x`), ['OPT1005']],
    ['one word', 'optimizer '.repeat(MEGA / 10), ['OPT1011', 'OPT1019']],
    ['one name', 'a'.repeat(MEGA), ['OPT1020']],
    ['@', '@'.repeat(MEGA), ['OPT1001']],
    ['"', '"'.repeat(MEGA), ['OPT1002']],
    ['zeros', '\0'.repeat(MEGA), ['OPT1017']],
    ['open comments', '/* '.repeat(MEGA / 3), ['OPT1003']],
    ['a regular expression', inFunction(`name ~ /${'a'.repeat(MEGA)}/`), ['OPT1009']],
    ['spaces', ' '.repeat(MEGA), []]
  ])('%s', (_, source, codes) => expect(codesOf(source)).toEqual(codes))
})

describe('a hundred thousand lines', () => {
  test('that are right', () => {
    expect(parsed(inStep('w := w - g\n'.repeat(100_000))).declarations).toHaveLength(1)
  })

  test.each([
    ['of mistakes', inStep('w := w - * g\n'.repeat(100_000))],
    ['of nonsense between declarations', 'x\nfn f(a) = a\n'.repeat(50_000)],
    ['of characters that mean nothing', '@\n'.repeat(100_000)]
  ])('%s', (_, source) => expect(codesOf(source).at(-1)).toBe('OPT1019'))

  test('of documentation', () => {
    const [optimizer] = parsed(`${'/// a\n'.repeat(100_000)}optimizer A { }`).declarations
    expect(optimizer!.doc).toHaveLength(2 * 100_000 - 1)
  })
})

describe('depth', () => {
  const nested: readonly (readonly [string, (n: number) => string])[] = [
    ['parentheses', (n) => `${'('.repeat(n)}x${')'.repeat(n)}`],
    ['calls', (n) => `${'f('.repeat(n)}x${')'.repeat(n)}`],
    ['norms', (n) => `${'‖'.repeat(n)}x${'‖'.repeat(n)}`],
    ['conditions', (n) => `${'if '.repeat(n)}x${' then x else x'.repeat(n)}`]
  ]

  // The expression itself is one level.
  test.each(nested)('%s may be nested so deep and no deeper', (_, text) => {
    expect(codesOf(inFunction(text(MAX_NESTING - 2)))).toEqual([])
    expect(codesOf(inFunction(text(MAX_NESTING)))).toEqual(['OPT1005'])
  })

  test('operators may be so many and no more', () => {
    expect(codesOf(inFunction(`${'x + '.repeat(MAX_DEPTH - 1)}x`))).toEqual([])
    expect(codesOf(inFunction(`${'x + '.repeat(MAX_DEPTH)}x`))).toEqual(['OPT1005'])
  })

  test('what was read before stands', () => {
    const { file, diagnostics } = parse(`fn g(x) = x\n${inFunction('('.repeat(99))}`, 'x.opt')
    expect(file.declarations.map((d) => d.name.text)).toEqual(['g', 'f'])
    expect(diagnostics.map((d) => d.code)).toEqual(['OPT1005'])
  })

  test('a file is read the same after one that was given up', () => {
    const before = parse(inStep('w := w - g'), 'x.opt')
    parse(inFunction('('.repeat(99)), 'x.opt')
    parse('@\n}\n'.repeat(999), 'x.opt')
    expect(parse(inStep('w := w - g'), 'x.opt')).toEqual(before)
  })
})

test('names that every object has are names', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']
  for (const name of names) {
    const { declarations, imports } = parsed(
      `import { ${name} } from "std"
       fn ${name}(${name}, ${name} = 1) = ${name}(${name}, ${name} = ${name})
       optimizer ${name} { hyper ${name} as ${name} = 1 mask ${name} = ${name} state ${name} = 0 use ${name}
         step(${name}, ${name}) { ${name} := ${name} observe ${name} as ${name} } }`
    )
    expect(imports[0]!.names[0]!.text).toBe(name)
    expect(declarations.map((d) => d.name.text)).toEqual([name, name])
  }
})

import { describe, expect, test } from 'vitest'
import { type Load, link } from '../../../src/compiler/syntax/modules.js'

/** Files by path; a specifier is a path as it stands. */
const loading =
  (files: Record<string, string>, asked: string[] = []): Load =>
  (specifier, from) => {
    asked.push(`${specifier} from ${from}`)
    return Object.hasOwn(files, specifier) ? { path: specifier, source: files[specifier]! } : null
  }

const linked = (files: Record<string, string>, asked?: string[]) => {
  const { module, diagnostics } = link(files['main']!, 'main', loading(files, asked))
  return { module, told: diagnostics.map((d) => `${d.path}:${d.span.start} ${d.code}`), diagnostics }
}

test('names are found in the files that declare them', () => {
  const { module, told } = linked({
    main: 'import { f, s } from "a" import { u } from "b"',
    a: 'import { u } from "b" fn f(x) = x schedule s() = t',
    b: 'transform u on (g) { g := 1 }'
  })
  expect(told).toEqual([])
  expect([...module.imports].map(([here, { module, name }]) => [here, module.file.path, name])).toEqual([
    ['f', 'a', 'f'],
    ['s', 'a', 's'],
    ['u', 'b', 'u']
  ])
  expect(module.imports.get('f')!.module.imports.get('u')!.module).toBe(module.imports.get('u')!.module)
})

test('std is at hand without a loader', () => {
  const { module, diagnostics } = link('import { clipByGlobalNorm } from "std"', 'x.opt', () => {
    throw new Error('asked for a file')
  })
  expect(diagnostics).toEqual([])
  expect(module.imports.get('clipByGlobalNorm')!.module.file.path).toBe('std')
})

test('a file is loaded and reported once, however many import it', () => {
  const asked: string[] = []
  const { told } = linked(
    {
      main: 'import { f } from "a" import { g } from "b"',
      a: 'import { h } from "c" fn f(x) = x',
      b: 'import { h } from "c" fn g(x) = x',
      c: 'fn h(x) = ]'
    },
    asked
  )
  expect(told).toEqual(['c:10 OPT1002'])
})

describe('circles', () => {
  test.each([
    ['of one', { main: 'import { f } from "main" fn f(x) = x' }, ['main:18 OPT1102'], 'main → main'],
    [
      'of three',
      {
        main: 'import { f } from "a"',
        a: 'import { f } from "b" fn f(x) = x',
        b: 'import { f } from "c" fn f(x) = x',
        c: 'import { f } from "a" fn f(x) = x'
      },
      ['c:18 OPT1102'],
      'a → b → c → a'
    ]
  ])('%s are an error', (_, files, errors, cycle) => {
    const { told, diagnostics } = linked(files)
    expect(told).toEqual(errors)
    expect(diagnostics[0]!.message).toContain(cycle)
  })

  test('two ways to one file are none', () => {
    expect(
      linked({
        main: 'import { a } from "a" import { b } from "b"',
        a: 'import { c } from "c" fn a(x) = x',
        b: 'import { c } from "c" fn b(x) = x',
        c: 'fn c(x) = x'
      }).told
    ).toEqual([])
  })
})

describe('what can not be had', () => {
  test('a file', () => expect(linked({ main: 'import { a, b } from "nowhere"' }).told).toEqual(['main:21 OPT1101']))

  test('a name, with the nearest there is', () => {
    const { told, diagnostics } = linked({ main: 'import { halv, zzz } from "a"', a: 'fn half(x) = x' })
    expect(told).toEqual(['main:9 OPT1103', 'main:15 OPT1103'])
    expect(diagnostics.map((d) => d.hint)).toEqual(['Did you mean `half`?', undefined])
  })

  test('an optimizer', () =>
    expect(linked({ main: 'import { A } from "a"', a: 'optimizer A { }' }).told).toEqual(['main:9 OPT1104']))

  test('what a file has imported itself', () => {
    expect(linked({ main: 'import { f } from "a"', a: 'import { f } from "b"', b: 'fn f(x) = x' }).told).toEqual([
      'main:9 OPT1103'
    ])
  })

  test('names that every object has', () => {
    const { told, module } = linked({ main: 'import { constructor, __proto__ } from "a"', a: '' })
    expect(told).toEqual(['main:9 OPT1103', 'main:22 OPT1103'])
    expect(module.imports.size).toBe(0)
  })
})

test('names are compared in their normal form', () => {
  expect(linked({ main: 'import { \u00e9 } from "a"', a: 'fn e\u0301(x) = x' }).told).toEqual([])
})

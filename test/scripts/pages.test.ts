/** The pages of the library: formulas as TeX, and plots that are what the reference computes. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { draw } from '../../scripts/generate/optimizers.mjs'
import { library } from '../../scripts/pages/library.mjs'
import { rows, symbol, tex } from '../../scripts/pages/tex.mjs'
import { parse } from '../../src/compiler/syntax/parse.js'
import { shipped } from '../support/library.js'

/** The expression as TeX. */
function of(expression: string): string {
  const { file, diagnostics } = parse(`fn f() = ${expression}`, 'test.opt')
  expect(diagnostics).toEqual([])
  return tex((file.declarations[0] as { body: unknown }).body)
}

test.each([
  ['β1', '\\beta_{1}'],
  ['β₁', '\\beta_{1}'],
  ['m̂', '\\hat{m}'],
  ['û', '\\hat{u}'],
  ['ε', '\\varepsilon'],
  ['∇', '\\nabla'],
  ['w₀', 'w_{0}'],
  ['x′', "x'"],
  ['maxNorm', '\\mathrm{maxNorm}'],
  ['Δ', '\\Delta']
])('the symbol %s', (name, expected) => {
  expect(symbol(name)).toBe(expected)
})

describe('expressions keep their meaning', () => {
  test.each([
    ['a + b * c', 'a + b \\, c'],
    ['(a + b) * c', '\\left( a + b \\right) \\, c'],
    ['a - (b - c)', 'a - \\left( b - c \\right)'],
    ['a - b - c', 'a - b - c'],
    ['a / b / c', '\\frac{\\frac{a}{b}}{c}'],
    ['a * 2', 'a \\cdot 2'],
    ['-g^2', '-g^{2}'],
    ['(-g)^2', '\\left( -g \\right)^{2}'],
    ['(a / b)^2', '\\left( \\frac{a}{b} \\right)^{2}'],
    ['a^b^c', 'a^{b^{c}}'],
    ['(a^b)^c', '\\left( a^{b} \\right)^{c}'],
    ['a * -b', 'a \\, \\left( -b \\right)'],
    ['1e-6 * a', '10^{-6} \\, a'],
    ['√(a + b)', '\\sqrt{a + b}'],
    ['‖g over model‖', '\\lVert g \\rVert_{\\text{model}}'],
    ['mean(g over model)', '\\mathrm{mean}_{\\text{model}}\\left( g \\right)'],
    ['max(a, 0)', '\\max\\left( a, 0 \\right)'],
    [
      'if a > 0 then 1 else if b then 2 else 3',
      '\\begin{cases} 1 & \\text{if } a > 0 \\\\ 2 & \\text{if } b \\\\ 3 & \\text{otherwise} \\end{cases}'
    ],
    [
      'if not a and (b or c) then 1 else 0',
      '\\begin{cases} 1 & \\text{if } \\lnot a \\land \\left( b \\lor c \\right) \\\\ 0 & \\text{otherwise} \\end{cases}'
    ]
  ])('%s', (expression, expected) => {
    expect(of(expression)).toBe(expected)
  })
})

test('statements: what is bound, what is updated, what a transform changes', () => {
  const { file } = parse(
    'optimizer A { step(w, g) { u = 2 * g; w := w - u; use f(1, by = 2) on (u, w); observe u as seen } }',
    'a'
  )
  const [{ steps }] = file.declarations as unknown as [{ steps: [{ body: []; params: [] }] }]
  expect(rows(steps[0].body, steps[0].params)).toEqual([
    'u &= 2 \\, g',
    'w &\\leftarrow w - u',
    'u &\\leftarrow \\mathrm{f}\\left( u, w;\\; 1;\\; \\mathrm{by} = 2 \\right)'
  ])
})

test.each(['sgd', 'lion', 'novograd'])('the plot of %s is what the reference computes', async (name) => {
  const entry = (await library()).find((e: { file: string }) => e.file === `${name}.opt`)!
  const kept = readFileSync(new URL(`../../docs/optimizers/plots/${name}.svg`, import.meta.url), 'utf8')
  expect(await draw(entry.module, entry.optimizer)).toBe(kept.replace(/^.*\n/, '').replaceAll('\r\n', '\n'))
})

test.each([...shipped.values()].map(({ name, source }) => [name, source]))(
  '%s says what it descends from, how it differs, and where it is from',
  (_, source) => {
    const doc = source
      .split('\n')
      .filter((line) => line.startsWith('///'))
      .join(' ')
      .replaceAll('///', '')
      .replace(/\s+/g, ' ')
    expect(doc).toMatch(/ Descends from (no other here|[A-Z]\w+( and [A-Z]\w+)?): \S.*\. /)
    expect(doc).toMatch(/ As /)
    expect(doc).toMatch(/ @see \S/)
  }
)

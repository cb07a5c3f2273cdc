/** Each rule by what it makes of one formula; that values stay what they are is the business of values.test.ts. */
import { describe, expect, test } from 'vitest'
import type { Node } from '../../../src/compiler/check/program.js'
import { rewriteProgram } from '../../../src/compiler/plan/rewrite.js'
import { RULES } from '../../../src/compiler/plan/rules.js'
import { speller } from '../../../src/compiler/plan/spell.js'
import { Sketch } from './support/programs.js'

/** What becomes of a value that the program observes. */
function rewritten(make: (s: Sketch) => Node, layer = true): string {
  const s = new Sketch()
  s.hyper('a', 'a', 2)
  s.hyper('b', 'b', 3)
  const value = make(s)
  if (layer) s.observe('x', value)
  const { program } = rewriteProgram(s.program('Rules', layer ? s.w : value))
  return speller(program, () => null)(layer ? program.observations[0]!.value : program.weight)
}

const a = (s: Sketch): Node => s.graph.hyper('a', 'number')
const b = (s: Sketch): Node => s.graph.hyper('b', 'number')
const neg = (s: Sketch, x: Node): Node => s.graph.unary('neg', x)
const not = (s: Sketch, x: Node): Node => s.graph.unary('not', x)
const p = (s: Sketch): Node => s.op('lt', s.w, s.g)

const CASES: Readonly<Record<string, readonly (readonly [(s: Sketch) => Node, string])[]>> = {
  'fold constants': [[(s) => s.mul(s.w, s.add(2, 3)), 'w * 5']],
  'x + 0 = x': [[(s) => s.add(0, s.w), 'w']],
  'x − 0 = x': [[(s) => s.sub(s.w, 0), 'w']],
  '0 − x = −x': [[(s) => s.sub(0, s.g), '-g']],
  '1 · x = x': [[(s) => s.mul(1, s.g), 'g']],
  '−1 · x = −x': [[(s) => s.mul(s.g, -1), '-g']],
  'x / 1 = x': [[(s) => s.div(s.g, 1), 'g']],
  'x / −1 = −x': [[(s) => s.div(s.g, -1), '-g']],
  '−(−x) = x': [
    [(s) => neg(s, neg(s, s.g)), 'g'],
    [(s) => s.if(not(s, not(s, p(s))), 1, s.g), 'if w < g then 1 else g']
  ],
  'x − (−y) = x + y': [[(s) => s.sub(s.w, neg(s, s.g)), 'w + g']],
  'x + (−y) = x − y': [[(s) => s.add(neg(s, s.g), s.w), 'w - g']],
  'abs of abs, abs of −x': [[(s) => s.graph.unary('abs', neg(s, s.graph.unary('abs', s.g))), 'abs(g)']],
  'x op x = x': [[(s) => s.op('max', s.g, s.g), 'g']],
  'x and true = x': [[(s) => s.if(s.all(s.graph.const(true), p(s)), 1, s.g), 'if w < g then 1 else g']],
  'x and false = false': [[(s) => s.if(s.all(p(s), s.graph.const(false)), 1, s.g), 'g']],
  'x or false = x': [[(s) => s.if(s.op('or', p(s), s.graph.const(false)), 1, s.g), 'if w < g then 1 else g']],
  'x or true = true': [[(s) => s.if(s.op('or', p(s), s.graph.const(true)), s.w, s.g), 'w']],
  'not (x = y)': [
    [(s) => s.if(s.all(not(s, s.op('eq', s.w, s.g)), p(s)), 1, s.g), 'if w != g and w < g then 1 else g']
  ],
  'select by a constant': [[(s) => s.if(s.graph.const(true), s.w, s.g), 'w']],
  'select of the same': [[(s) => s.if(p(s), s.g, s.g), 'g']],
  'select by not': [[(s) => s.if(not(s, p(s)), 1, s.g), 'if w < g then g else 1']],
  powers: [
    [(s) => s.op('pow', s.g, 2), 'g²'],
    [(s) => s.op('pow', s.g, 5), '(g²)² * g'],
    [(s) => s.op('pow', s.g, -2), '1 / g²'],
    [(s) => s.op('pow', s.g, 0.5), 'sqrt(g)'],
    [(s) => s.op('pow', s.g, -0.5), 'rsqrt(g)'],
    [(s) => s.op('pow', s.g, 0), '1'],
    [(s) => s.op('pow', s.g, 1.5), 'g^1.5'],
    [(s) => s.op('pow', s.g, 1025), 'g^1025'],
    [(s) => s.op('pow', s.g, a(s)), 'g^a']
  ],
  'x / host = x · (1 / host)': [[(s) => s.div(s.g, a(s)), '1 / a * g']],
  'host · (1 / x) = host / x': [[(s) => s.mul(a(s), s.div(1, s.g)), 'a / g']],
  'x · (1 / y) = x / y on the host': [[(s) => s.mul(s.g, s.mul(a(s), s.div(1, b(s)))), 'g * (a / b)']],
  'collect host factors': [
    [(s) => s.mul(a(s), s.mul(s.mul(s.g, s.w), b(s))), 'a * b * (g * w)'],
    [(s) => s.div(s.mul(a(s), s.div(s.g, b(s))), s.w), 'a / b * g / w'],
    [(s) => s.div(s.mul(a(s), s.g), s.mul(b(s), s.w)), 'a / b * (g / w)']
  ]
}

describe('rules', () => {
  test.each(RULES.map((rule) => rule.name))('%s', (name) => {
    expect(CASES[name]).toBeDefined()
    for (const [make, text] of CASES[name]!) expect(rewritten(make, false)).toBe(text)
  })

  test.each<[string, (s: Sketch) => Node, string]>([
    ['0 · x: x may be infinite', (s) => s.mul(0, s.g), '0 * g'],
    ['x − x', (s) => s.sub(s.g, s.g), 'g - g'],
    ['x / x', (s) => s.div(s.g, s.g), 'g / g'],
    ['a sum is not distributed', (s) => s.mul(a(s), s.add(s.g, s.w)), 'a * (g + w)'],
    [
      'not (x < y): neither may hold',
      (s) => s.if(s.all(not(s, p(s)), p(s)), 1, s.g),
      'if not w < g and w < g then 1 else g'
    ]
  ])('leave alone %s', (_, make, text) => expect(rewritten(make, false)).toBe(text))

  test('x · y and y · x are one value', () => {
    expect(rewritten((s) => s.div(s.mul(s.g, s.w), s.mul(s.w, s.g)), false)).toBe('g * w / (g * w)')
  })

  test('what a slot keeps is no link of a chain: later passes read it', () => {
    const s = new Sketch()
    const m = s.update('m', s.mul(s.hyper('a', 'a', 2), s.slot('m')))
    const { program } = rewriteProgram(s.program('Kept', s.mul(s.hyper('b', 'b', 3), m)))
    expect(program.weight.args[1]).toBe(program.slots[0]!.next)
  })
})

describe('a reduction of what turns out to be the same for all', () => {
  const same = (s: Sketch, x: Node | number): Node => s.if(s.graph.const(true), x, s.g)
  const reduce = (op: 'sum' | 'max', over: 'layer' | 'model') => (s: Sketch, x: Node) => s.graph.reduce(op, over, x)
  test.each<[string, (s: Sketch) => Node, string]>([
    ['sum over the layer', (s) => reduce('sum', 'layer')(s, same(s, a(s))), 'a * size'],
    ['max over the layer', (s) => reduce('max', 'layer')(s, same(s, a(s))), 'a'],
    ['sum over the model', (s) => reduce('sum', 'model')(s, same(s, a(s))), 'a * modelSize'],
    [
      'of what each layer has one of',
      (s) => reduce('sum', 'model')(s, same(s, s.graph.fact('rank'))),
      'sum(rank * size over model)'
    ],
    [
      'of one value a layer',
      (s) => reduce('sum', 'model')(s, s.if(s.graph.const(true), a(s), s.norm(s.g))),
      'a * modelLayers'
    ]
  ])('%s', (_, make, text) => expect(rewritten(make)).toBe(text))
})

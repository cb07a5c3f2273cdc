import { expect, test } from 'vitest'
import type { Node } from '../../../src/compiler/check/program.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { IDEAL, type Plan } from '../../../src/compiler/plan/plan.js'
import { Sketch } from './support/programs.js'
import { verify } from './support/verify.js'

function planOf(update: (s: Sketch) => Node): Plan {
  const s = new Sketch()
  const plan = makePlan(s.program('Conditions', s.sub(s.w, update(s))), IDEAL)
  expect(verify(plan)).toEqual([])
  return plan
}
const not = (s: Sketch, x: Node): Node => s.graph.unary('not', x)

test('a condition and its opposite are one', () => {
  const plan = planOf((s) => {
    const p = s.mask('p')
    return s.add(s.if(p, s.g, s.w), s.if(not(s, p), s.mul(s.g, s.w), s.norm(s.g)))
  })
  expect(plan.conditions).toMatchObject([{ op: 'mask', name: 'p' }])
  expect(plan.variants.map((v) => v.passes.length)).toEqual([1, 2])
})

test('assignments that mean the same share a variant', () => {
  const plan = planOf((s) => s.if(s.mask('p'), s.g, s.if(s.mask('q'), s.norm(s.g), s.w)))
  const [p, q] = [0, 1].map((i) => 1 << plan.conditions.findIndex((c) => c.op === 'mask' && c.name === 'pq'[i]))
  expect(new Set(plan.variants).size).toBe(3)
  expect(plan.variants[p!]).toBe(plan.variants[p! | q!])
})

test('assignments that can not be do not count', () => {
  const plan = planOf((s) => {
    const [p, q] = [s.mask('p'), s.mask('q')]
    // Without p there is no `p and q`: a layer that pays for both branches does not exist.
    return s.add(s.if(p, s.g, s.norm(s.g)), s.if(s.all(p, q), s.norm(s.w), s.g))
  })
  expect(plan.conditions).toHaveLength(2)
  expect(new Set(plan.variants).size).toBe(3)
})

test('what decides host values alone, or values of the model, is a scalar', () => {
  const plan = planOf((s) => {
    const [p, q] = [s.mask('p'), s.op('gt', s.t, 3)]
    return s.add(s.mul(s.if(p, 1, 2), s.g), s.if(q, s.norm(s.g, 'model'), 1))
  })
  expect(plan.conditions).toEqual([])
  expect(plan.scalars.map((scalar) => scalar.node.kind)).toContain('bool')
})

test('beyond four conditions, the others are scalars of kernels', () => {
  const plan = planOf((s) =>
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => s.if(s.mask(name), s.g, s.mul(s.g, s.w))).reduce((x, y) => s.add(x, y))
  )
  expect(plan.conditions).toHaveLength(4)
  expect(plan.scalars.filter((scalar) => scalar.node.op === 'mask')).toHaveLength(2)
})

test('all layers make the same reductions over the model, each of what it is to them', () => {
  const plan = planOf((s) => {
    const operand = s.if(s.mask('p'), s.mul(s.g, s.g), 2)
    return s.mul(s.g, s.graph.reduce('sum', 'model', operand))
  })
  const [without, with_] = plan.variants
  const [node] = plan.barriers[0]!.reductions
  expect(with_!.passes[0]!.reductions).toMatchObject([{ node, value: { op: 'mul' } }])
  expect(with_!.shares).toEqual([])
  expect(without!.passes).toHaveLength(1)
  expect(without!.shares).toMatchObject([{ node, value: { op: 'mul', place: 'host' } }])
})

test('a layer makes no reduction that only other layers put into one over the model', () => {
  const plan = planOf((s) => s.mul(s.g, s.graph.reduce('max', 'model', s.if(s.mask('p'), s.norm(s.g), 1))))
  const [without, with_] = plan.variants
  expect(with_!.passes.map((p) => p.reductions.length)).toEqual([1, 0])
  expect(without!.passes.map((p) => p.reductions.length)).toEqual([0])
  expect(without!.shares).toMatchObject([{ value: { op: 'const', value: 1 } }])
})

/** What docs/language.md says where two readers might differ, each in a program of a few lines. */
import { expect, test } from 'vitest'
import { link } from '../../src/compiler/syntax/modules.js'
import { type LayerInput, type Reference, reference, type StepInput, tables } from '../../src/reference/index.js'

function optimizer(body: string, before = ''): Reference {
  const { module, diagnostics } = link(`${before}\noptimizer O {\n${body}\n}`, 'o.opt', () => null)
  expect(diagnostics).toEqual([])
  return reference(module)
}

const layer = (weight: number[], gradient: number[] | null, more: Partial<LayerInput> = {}): LayerInput => {
  return { name: 'a', shape: [weight.length], weight, gradient, age: 1, slots: null, ...more }
}
const input = (layers: LayerInput[], more: Partial<StepInput> = {}): StepInput => ({
  t: 1,
  layers,
  modelState: null,
  ...more
})

/** The weights of every layer after one step. */
const weights = (o: Reference, ...layers: LayerInput[]): number[][] =>
  o.step(input(layers)).layers.map((l) => [...l.weight.value])

test('statements run in order: a read sees the latest, a local never changes', () => {
  const o = optimizer('state m = 1 step(w, g) { a = m  m := m + g  b = m  m := 10 * m  w := a + 100 * b + 1000 * m }')
  const result = o.step(input([layer([0], [2])])).layers[0]!
  expect(result.weight.value[0]).toBe(1 + 100 * 3 + 1000 * 30)
  expect(result.slots.m!.value[0]).toBe(30)
})

test('a weight that was updated reads as updated', () => {
  const o = optimizer('step(w, g) { w := w + 1  w := w * g }')
  expect(weights(o, layer([2], [5]))).toEqual([[15]])
})

test('uses run before the step, in the order written, each with state of its own', () => {
  const o = optimizer(
    'use add(1) use double() use add(10) step(w, g) { w := g }',
    `transform add(n) on (g) { state s = 0  s := s + n  g := g + s }
     transform double() on (g) { g := 2 * g }`
  )
  const { layers } = o.step(input([layer([0], [3])]))
  expect(layers[0]!.weight.value[0]).toBe((3 + 1) * 2 + 10)
  expect(Object.fromEntries(Object.entries(layers[0]!.slots).map(([k, v]) => [k, v.value[0]]))).toEqual({
    add_s: 1,
    add2_s: 10
  })
})

test('a transform as a statement replaces the local, not the gradient', () => {
  const o = optimizer(
    'step(w, g) { u = 2 * g  use negated() on (u)  w := u + 100 * g }',
    'transform negated() on (x) { x := -x }'
  )
  expect(weights(o, layer([0], [3]))).toEqual([[-6 + 300]])
})

test('reductions range over all elements, whatever conditional they stand in', () => {
  const o = optimizer('step(w, g) { w := if g > 0 then sum(g) else 0 }')
  expect(weights(o, layer([0, 0, 0], [1, -5, 2]))).toEqual([[-2, 0, -2]])
})

test('over the model: elements of all layers, or one value a layer', () => {
  const sums = optimizer(
    'step(w, g) { w := sum(g over model) + 100 * sum(‖g‖ over model) + 1000 * mean(g over model) + g - g }'
  )
  const [a, b] = weights(sums, layer([0], [3]), layer([0, 0], [3, 4]))
  expect(a).toEqual([10 + 100 * 8 + 1000 * (10 / 3)])
  expect(b).toEqual([a![0], a![0]])
})

test('a layer without gradient keeps everything and adds nothing', () => {
  const o = optimizer('state m = 5 step(w, g) { m := m + g  w := sum(g over model) + m - m }')
  const result = o.step(input([layer([7], null, { slots: { m: [6] } }), layer([0], [2])]))
  expect(result.layers.map((l) => l.weight.value[0])).toEqual([7, 2])
  expect(result.layers[0]!.slots.m!.value[0]).toBe(6)
})

test('where no layer takes part, state of the model stays', () => {
  const o = optimizer('state p over model = 1 step(w, g) { p := 2 * p  w := p * g }')
  const of = (gradient: number[] | null): number | undefined =>
    o.step(input([layer([1], gradient)], { modelState: { p: 8 } })).modelState.p?.value[0]
  expect(of([1])).toBe(16)
  expect(of(null)).toBe(8)
})

test('t is the optimizer’s count, age the layer’s', () => {
  const o = optimizer('step(w, g, k) { w := 10 * k + age + g }')
  const at = (age: number): LayerInput => layer([0], [0], { age })
  expect(o.step(input([at(2), at(7)], { t: 9 })).layers.map((l) => l.weight.value[0])).toEqual([92, 97])
})

test('INIT reads the weight and hyperparameters of the first step', () => {
  const o = optimizer('hyper scale = 3 state z = scale * w step(w, g) { z := z + g  w := z }')
  const first = o.step(input([layer([2], [1])], { hypers: { scale: 5 } }))
  expect(first.layers[0]!.slots.z!.value[0]).toBe(11)
})

test('the branch not taken never poisons the result', () => {
  const o = optimizer('step(w, g) { w := if g > 0 then 1 / g else 0 }')
  const { layers } = o.step(input([layer([1, 1], [0, 4])]), tables.wgsl)
  expect([...layers[0]!.weight.value]).toEqual([0, 0.25])
  expect(layers[0]!.weight.bound[0]).toBe(0)
})

test('masks read facts and may be overridden; groups set hyperparameters', () => {
  const o = optimizer(
    'hyper k = 1 mask bias = name ~ /bias$/i or rank == 0 step(w, g) { w := if bias then k * g else w }'
  )
  const named = (name: string, more: Partial<LayerInput> = {}): LayerInput => layer([0], [1], { name, ...more })
  expect(
    weights(
      o,
      named('x/Bias'),
      named('x/kernel'),
      named('x/kernel', { masks: { bias: true } }),
      named('y/bias', { hypers: { k: 4 } })
    )
  ).toEqual([[1], [0], [1], [4]])
})

test('state that only host values update lives on the host, however it came there', () => {
  const o = optimizer(
    `state count over layer = 0  state p over model = 1  state n over layer = 0  state late over model = 0
     step(w, g, t) { count := count + age  p := p * 0.9^t  n := ‖g‖  late := late + sum(n over model)  w := w - (count + p + late) * g }`
  )
  expect(o.slots.map((s) => [s.name, s.place])).toEqual([
    ['count', 'host'],
    ['p', 'host'],
    ['n', 'device'],
    ['late', 'device']
  ])
})

test('what may be NaN is not bounded by a function that is', () => {
  const o = optimizer('step(w, g) { w := tanh(1 / g) + clamp(1 / g, -1, 1) + sign(abs(1 / g)) }')
  const { bound } = o.step(input([layer([0, 0], [0, 1])]), tables.wasm).layers[0]!.weight
  expect(bound[0]).toBe(Infinity)
  expect(bound[1]).toBeLessThan(1e-5)
})

test('an undecided select is the hull of its branches, and marked', () => {
  const o = optimizer('step(w, g) { w := if 3 * g > 0.3 then 5 else 7 }')
  const { layers } = o.step(input([layer([0, 0], [Math.fround(0.1), 0.2])]), tables.wasm)
  const { bound, undecided } = layers[0]!.weight
  expect([...undecided]).toEqual([1, 0])
  expect([...bound]).toEqual([2, 0])
})

test('the trace names every value, in order', () => {
  const o = optimizer('state m = 0 step(w, g) { a = 2 * g  m := m + a  w := w - m }')
  const { trace } = o.step(input([layer([1], [3])])).layers[0]!
  expect(trace.map((r) => [r.name, r.value.value[0]])).toEqual([
    ['a', 6],
    ['m', 6],
    ['w', -5]
  ])
})

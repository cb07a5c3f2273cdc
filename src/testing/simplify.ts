/** Simpler cases, for one that fails: the smallest that still does is what people are shown. */
import { type Case, type CaseLayer, mapValues, type Signature, without } from './case.js'

/** Each a little simpler than the case, the boldest first. */
export function* simplerCases(given: Case, { hypers }: Pick<Signature, 'hypers'>): Generator<Case> {
  const { layers, steps } = given
  if (layers.length > 1) {
    for (const layer of layers) yield { ...given, layers: [layer] }
    for (const layer of layers) yield { ...given, layers: layers.filter((l) => l !== layer) }
  }
  for (let n = 1; n < steps; n++) yield cut(given, 0, n)
  if (steps > 1) yield cut(given, 1, steps)
  if (given.reload > 0) yield { ...given, reload: 0 }
  if (!given.inPlace) yield { ...given, inPlace: true }
  if (given.falling.length > 0) yield { ...given, falling: [] }
  for (const name of Object.keys(given.masks)) yield { ...given, masks: without(given.masks, name) }
  for (const [i, layer] of layers.entries()) {
    for (const simpler of simplerLayers(layer)) yield { ...given, layers: layers.with(i, simpler) }
  }
  for (const { name, init } of hypers) {
    if (given.hypers[name] !== init) yield { ...given, hypers: { ...given.hypers, [name]: init } }
  }
  for (const { name, init, range } of hypers) {
    const value = given.hypers[name]!
    const round = shorter(value)
    const fits = range === null || (range.kind === 'interval' && +round > range.low && +round < range.high)
    if (value !== init && round !== value && fits) yield { ...given, hypers: { ...given.hypers, [name]: round } }
  }
}

/** Steps `from` to `to`, from 0. */
function cut(given: Case, from: number, to: number): Case {
  const reload = given.reload - from
  return {
    ...given,
    steps: to - from,
    // Saved before its second step at the earliest.
    reload: reload > 1 && reload <= to - from ? reload : 0,
    layers: given.layers.map((l) => ({ ...l, gradients: l.gradients.slice(from, to) }))
  }
}

function* simplerLayers(layer: CaseLayer): Generator<CaseLayer> {
  for (const name of Object.keys(layer.group)) yield { ...layer, group: without(layer.group, name) }
  const size = layer.weight.length
  if (size > 1) {
    yield part(layer, 0, 1)
    yield part(layer, 0, size >> 1)
    yield part(layer, size >> 1, size)
    if (size <= 8) for (let i = 0; i < size; i++) yield part(layer, i, i + 1)
  }
  if (layer.shape.length !== 1 && size > 0) yield { ...layer, shape: [size] }
  yield* valuesOf(layer, (x) => (x === 0 ? 0 : 1))
  for (const [step, gradient] of layer.gradients.entries()) {
    if (gradient?.some((x) => x !== 0)) {
      yield { ...layer, gradients: layer.gradients.with(step, new Float32Array(gradient.length)) }
    }
  }
  yield* valuesOf(layer, () => 0)
  yield* valuesOf(layer, shorter)
}

/** Some of a layer's elements, as one row. */
function part(layer: CaseLayer, from: number, to: number): CaseLayer {
  return { ...mapValues(layer, (values) => values.slice(from, to)), shape: [to - from] }
}

/** All weights at once, then all gradients; where there are few, one by one. */
function* valuesOf(layer: CaseLayer, to: (x: number) => number): Generator<CaseLayer> {
  const changed = (values: Float32Array): boolean => values.some((x) => !Object.is(Math.fround(to(x)), x))
  const { weight, gradients } = layer
  if (changed(weight)) yield { ...layer, weight: weight.map(to) }
  if (gradients.some((g) => g && changed(g))) yield { ...mapValues(layer, (values) => values.map(to)), weight }
}

/** The same number to two digits, where it is one. */
function shorter<T extends number | boolean>(x: T): T {
  return (typeof x === 'number' && Number.isFinite(x) ? Number(x.toPrecision(2)) : x) as T
}

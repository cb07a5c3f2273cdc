/** Optimizer state as the named tensors that tfjs saves, and back. */
import * as tf from '@tensorflow/tfjs-core'
import { show as showValue } from './errors.js'
import type { NamedTensor } from './gradients.js'
import {
  bitsOf,
  fromBits,
  type LayerState,
  type Layout,
  type ModelValues,
  nothingShown,
  type Shown,
  show,
  slotShape,
  type TensorSlot
} from './state.js'

/** The state of a layer that no variable has claimed yet. */
export interface SavedLayer extends LayerState {
  readonly name: string
  readonly index: number
}

export interface Checkpoint {
  readonly iterations: number
  readonly layers: readonly SavedLayer[]
  readonly model: ModelValues | null
}

/** Numbers of the host that are saved together: the age, where it matters, before the slots. */
export interface Keys {
  readonly tensors: readonly TensorSlot[]
  readonly cells: string
  readonly host: string
  readonly modelCells: string
  readonly modelHost: string
}

/** The last part of each entry's name. Values that live in one tensor are one entry. '' where there are none. */
export function keysOf(layout: Layout, readsAge: boolean): Keys {
  return {
    tensors: layout.tensors,
    cells: layout.layerCells.join('+'),
    host: [...(readsAge ? ['age'] : []), ...layout.layerHost].join('+'),
    modelCells: layout.modelCells.join('+'),
    modelHost: layout.modelHost.join('+')
  }
}

const MODEL = 'model'

/** The optimizer's own tensors: `iter`, then slot by slot, each in the order of `layers`. */
export function writeWeights(
  keys: Keys,
  iterations: number,
  iter: Shown,
  layers: readonly (LayerState & { readonly name: string })[],
  model: ModelValues | null
): NamedTensor[] {
  const weights = [{ name: 'iter', tensor: showIterations(iter, iterations) }]
  keys.tensors.forEach((key, i) => {
    for (const { name, slots } of layers) weights.push({ name: `${name}/${key.name}`, tensor: slots[i]! })
  })
  for (const { name, cells } of layers) if (cells) weights.push({ name: `${name}/${keys.cells}`, tensor: cells })
  if (keys.host)
    for (const layer of layers) weights.push({ name: `${layer.name}/${keys.host}`, tensor: showHost(keys, layer) })
  if (model?.cells) weights.push({ name: `${MODEL}/${keys.modelCells}`, tensor: model.cells })
  if (model && keys.modelHost) weights.push({ name: `${MODEL}/${keys.modelHost}`, tensor: showModelHost(model) })
  return weights
}

export function showIterations(iter: Shown, iterations: number): tf.Tensor {
  return show(iter, Int32Array.of(iterations), [])
}

export function showHost(keys: Keys, { age, host, shown }: LayerState): tf.Tensor {
  const values = startsWithAge(keys) ? [age, ...host] : [...host]
  return show(shown, bitsOf(values), [values.length, 2])
}

export function showModelHost({ host, shown }: ModelValues): tf.Tensor {
  return show(shown, bitsOf([...host]), [host.length, 2])
}

/** No slot can be called `age`: it is a fact of the language. */
function startsWithAge(keys: Keys): boolean {
  return keys.host.split('+')[0] === 'age'
}

/** Reads and copies everything, or throws and leaves nothing behind. */
export async function readWeights(keys: Keys, weights: unknown): Promise<Checkpoint> {
  const entries = checkEntries(weights)
  const [first, ...rest] = entries
  if (first?.name.split('/').at(-1) !== 'iter' || first.tensor.size !== 1) {
    throw new Error(
      'setWeights takes what getWeights gave: its first entry must be the step count, "iter", one number.'
    )
  }
  checkNames(keys, rest)
  const [count, ...data] = await Promise.all(entries.map(({ tensor }) => tensor.data()))
  const iterations = count![0]!
  if (!Number.isInteger(iterations) || iterations < 0) {
    throw new Error(`the saved step count must be a whole number, 0 or more; got ${showValue(iterations)}.`)
  }
  // The values of the caller's tensors may be live arrays: what is kept is a copy.
  const values = new Map(rest.map(({ name }, i) => [name, data[i]!.slice() as Float32Array | Int32Array]))
  const shapes = new Map(rest.map(({ name, tensor }) => [name, tensor.shape]))
  const tensor = (name: string) => tf.keep(tf.tensor(values.get(name)!, shapes.get(name)!, 'float32'))
  const host = (name: string) => fromBits(values.get(name) as Int32Array)

  const layers = layerNames(keys, rest).map((name, index) => {
    const numbers = keys.host ? host(`${name}/${keys.host}`) : new Float64Array(0)
    const layer: SavedLayer = {
      name,
      index,
      age: startsWithAge(keys) ? numbers[0]! : 0,
      slots: keys.tensors.map((key) => tensor(`${name}/${key.name}`)),
      cells: keys.cells ? tensor(`${name}/${keys.cells}`) : null,
      host: startsWithAge(keys) ? numbers.slice(1) : numbers,
      shown: nothingShown()
    }
    if (keys.host) showHost(keys, layer)
    return layer
  })
  const model = modelNames(keys).some((name) => values.has(name))
    ? {
        cells: keys.modelCells ? tensor(`${MODEL}/${keys.modelCells}`) : null,
        host: keys.modelHost ? host(`${MODEL}/${keys.modelHost}`) : new Float64Array(0),
        shown: nothingShown()
      }
    : null
  if (model && keys.modelHost) showModelHost(model)
  return { iterations, layers, model }
}

function checkEntries(weights: unknown): NamedTensor[] {
  if (!Array.isArray(weights))
    throw new Error(`setWeights takes what getWeights gave, an array; got ${showValue(weights)}.`)
  weights.forEach((entry: Partial<NamedTensor> | null, i) => {
    if (typeof entry?.name !== 'string' || !(entry.tensor instanceof tf.Tensor)) {
      throw new Error(`setWeights takes an array of { name, tensor }; entry ${i} is something else.`)
    }
    if (entry.tensor.isDisposed) throw new Error(`the saved tensor "${entry.name}" was disposed.`)
  })
  return weights
}

/** Each layer must have all its entries, each once, and nothing else may be there. */
function checkNames(keys: Keys, entries: readonly NamedTensor[]): void {
  const layers = layerNames(keys, entries)
  const models = modelNames(keys)
  const expected = new Map<string, (t: tf.Tensor) => string | null>()
  for (const name of layers) {
    // What has one value a row or a column does not tell the layer's shape: it is checked when the layer appears.
    const shapeOf = (key: string): number[] | undefined =>
      entries.find((entry) => entry.name === `${name}/${key}`)?.tensor.shape
    const whole = keys.tensors.find((key) => key.over === 'element')
    const shape = whole && (shapeOf(whole.name) ?? [])
    for (const { name: key, over } of keys.tensors) {
      const own = shape ? slotShape(shape, over) : [shapeOf(key)?.[0] ?? 0]
      expected.set(`${name}/${key}`, isTensor('float32', own))
    }
    if (keys.cells) expected.set(`${name}/${keys.cells}`, isTensor('float32', [keys.cells.split('+').length]))
    if (keys.host) expected.set(`${name}/${keys.host}`, isTensor('int32', [keys.host.split('+').length, 2]))
  }
  if (entries.some((entry) => models.includes(entry.name))) {
    if (keys.modelCells)
      expected.set(`${MODEL}/${keys.modelCells}`, isTensor('float32', [keys.modelCells.split('+').length]))
    if (keys.modelHost)
      expected.set(`${MODEL}/${keys.modelHost}`, isTensor('int32', [keys.modelHost.split('+').length, 2]))
  }
  const seen = new Set<string>()
  for (const { name, tensor } of entries) {
    const check = expected.get(name)
    if (!check) {
      const own = [...layerKeys(keys).map((key) => `<layer>/${key}`), ...models]
      throw new Error(`the saved entry "${name}" is not of this optimizer, which saves ${['iter', ...own].join(', ')}.`)
    }
    if (seen.has(name)) throw new Error(`the saved entry "${name}" is there twice.`)
    seen.add(name)
    const wrong = check(tensor)
    if (wrong) throw new Error(`the saved entry "${name}" must be ${wrong}; it is ${tensor.dtype} [${tensor.shape}].`)
  }
  for (const name of expected.keys()) if (!seen.has(name)) throw new Error(`the saved entry "${name}" is missing.`)
}

function isTensor(dtype: tf.DataType, shape: readonly number[]): (t: tf.Tensor) => string | null {
  return (t) => (t.dtype === dtype && tf.util.arraysEqual(t.shape, [...shape]) ? null : `${dtype} [${shape}]`)
}

function layerKeys(keys: Keys): string[] {
  return [...keys.tensors.map((key) => key.name), keys.cells, keys.host].filter((key) => key !== '')
}

function modelNames(keys: Keys): string[] {
  return [keys.modelCells, keys.modelHost].filter((key) => key !== '').map((key) => `${MODEL}/${key}`)
}

/** In the order in which they stand. No key holds a `/`, and no key of a layer is one of the model's. */
function layerNames(keys: Keys, entries: readonly NamedTensor[]): string[] {
  const own = new Set(layerKeys(keys))
  const names = entries.map(
    ({ name }) => [name.slice(0, name.lastIndexOf('/')), name.slice(name.lastIndexOf('/') + 1)] as const
  )
  return [...new Set(names.filter(([, key]) => own.has(key)).map(([name]) => name))]
}

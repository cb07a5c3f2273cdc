/** Runs a compiled optimizer on a case, and shows everything that it holds before and after each step. */
import * as tf from '@tensorflow/tfjs-core'
import { ascii } from '../compiler/emit/names.js'
import type { Reference } from '../reference/index.js'
import { bitsOf, fromBits } from '../runtime/state.js'
import { type Case, hypersAt } from './case.js'

/** What has to be known of a reference to show what an optimizer holds. */
export type Slots = Pick<Reference, 'slots'>

/** What the tests use of a compiled class. */
export interface Compiled extends tf.Optimizer {
  readonly kernel: string | null
  observations(): Promise<Record<string, Record<string, number>>>
}
export type CompiledClass = new (options: Record<string, unknown>) => Compiled

export interface Snapshot {
  /** By layer, in the case's order. Slots are null before the layer's first step. */
  readonly layers: readonly {
    readonly weight: Float32Array
    readonly slots: Readonly<Record<string, ArrayLike<number>>> | null
  }[]
  readonly modelState: Readonly<Record<string, number>> | null
}

export interface StepRecord {
  readonly before: Snapshot
  readonly after: Snapshot
  readonly observations: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly kernel: string
}

export interface Ran {
  /** One a step. */
  readonly records: readonly StepRecord[]
  /** Tensors that the optimizer left behind. */
  readonly leaked: number
}

/**
 * Frees all that it made. `meanwhile` says what the optimizer and its variables shall hold before a step, instead of what the
 * step before has left; null for just that.
 */
export async function runCase(
  Optimizer: CompiledClass,
  reference: Slots,
  given: Case,
  meanwhile: (step: number) => Snapshot | null = () => null
): Promise<Ran> {
  const { layers, hypers, falling, masks, inPlace, seed, steps, reload } = given
  const before = tf.memory().numTensors
  const groups = layers.flatMap(({ name, group }) =>
    Object.keys(group).length > 0 ? [{ match: [name], ...group }] : []
  )
  const functions = falling.map((name) => [name, (t: number) => hypersAt(given, t)[name]] as const)
  const options = {
    ...hypers,
    ...Object.fromEntries(functions),
    ...masks,
    groups,
    inPlace,
    ...(seed !== undefined && { seed })
  }
  let optimizer = new Optimizer(options)
  const variables = layers.map(({ name, shape, weight }) =>
    tf.tidy(() => tf.variable(tf.tensor(weight.slice(), [...shape], 'float32'), true, name))
  )
  const records: StepRecord[] = []
  try {
    let state = await snapshot(optimizer, reference, variables)
    for (let step = 0; step < steps; step++) {
      if (reload === step + 1) {
        const saved = optimizer
        optimizer = new Optimizer(options)
        await optimizer.setWeights(await saved.getWeights())
        saved.dispose()
      }
      const other = meanwhile(step)
      if (other) await restore(optimizer, reference, variables, other)
      state = other ?? state
      const gradients = layers.map(({ name, shape, gradients }) => {
        const values = gradients[step]
        return { name, tensor: (values ? tf.tensor(values.slice(), [...shape], 'float32') : null) as tf.Tensor }
      })
      optimizer.applyGradients(gradients)
      for (const { tensor } of gradients) tensor?.dispose()
      const after = await snapshot(optimizer, reference, variables)
      const observations = await optimizer.observations()
      records.push({ before: state, after, observations, kernel: optimizer.kernel ?? 'none' })
      state = after
    }
  } finally {
    // Names of variables are taken until they are disposed, so that one failure would look like many.
    tf.dispose(variables)
    optimizer.dispose()
  }
  return { records, leaked: tf.memory().numTensors - before }
}

/** What the optimizer and its variables hold. */
export async function snapshot(
  optimizer: tf.Optimizer,
  { slots }: Slots,
  variables: readonly tf.Variable[]
): Promise<Snapshot> {
  // All are asked for at once: a GPU takes long to answer, but to many as long as to one.
  const saved = await optimizer.getWeights()
  const [weights, values] = await Promise.all([
    Promise.all(variables.map(numbersOf)),
    Promise.all(saved.map(({ tensor }) => numbersOf(tensor)))
  ])
  const held = new Map<string, ArrayLike<number>>()
  for (const [i, { name }] of saved.entries()) {
    const { paths, isTensor } = entryOf(name, slots)
    const numbers = asNumbers(name, values[i]!)
    for (const [k, path] of paths.entries()) held.set(path, isTensor ? numbers : [numbers[k]!])
  }
  const ofLayer = slots.filter((s) => s.over !== 'model')
  const ofModel = slots.filter((s) => s.over === 'model')
  const layers = variables.map((variable, i) => {
    const own = ofLayer.map((s) => [s.name, held.get(`${variable.name}/${ascii(s.name)}`)] as const)
    const started = own.every(([, values]) => values !== undefined)
    const weight = weights[i] as Float32Array
    return { weight, slots: started ? (Object.fromEntries(own) as Record<string, ArrayLike<number>>) : null }
  })
  const model = ofModel.map((s) => [s.name, held.get(`model/${ascii(s.name)}`)?.[0]] as const)
  const modelStarted = model.every(([, value]) => value !== undefined)
  return { layers, modelState: modelStarted ? (Object.fromEntries(model) as Record<string, number>) : null }
}

/** The inverse of `snapshot`: what has state already gets another. */
async function restore(
  optimizer: tf.Optimizer,
  { slots }: Slots,
  variables: readonly tf.Variable[],
  { layers, modelState }: Snapshot
): Promise<void> {
  const wanted = new Map<string, ArrayLike<number>>()
  for (const [i, { name }] of variables.entries()) {
    for (const [slot, values] of Object.entries(layers[i]!.slots ?? {})) wanted.set(`${name}/${ascii(slot)}`, values)
  }
  for (const [slot, value] of Object.entries(modelState ?? {})) wanted.set(`model/${ascii(slot)}`, [value])
  const made: tf.Tensor[] = []
  const saved = await Promise.all(
    (await optimizer.getWeights()).map(async ({ name, tensor }) => {
      const { paths, isTensor } = entryOf(name, slots)
      if (!paths.some((path) => wanted.has(path))) return { name, tensor }
      const before = asNumbers(name, await numbersOf(tensor))
      // What else shares the entry, as a layer's age, stays.
      const numbers = isTensor ? wanted.get(paths[0]!)! : paths.map((path, k) => wanted.get(path)?.[0] ?? before[k]!)
      const values = tensor.dtype === 'int32' ? bitsOf(Array.from(numbers)) : Float32Array.from(numbers)
      const other = tf.tensor(values, tensor.shape, tensor.dtype)
      made.push(other)
      return { name, tensor: other }
    })
  )
  await optimizer.setWeights(saved)
  for (const [i, variable] of variables.entries()) {
    const weight = tf.tensor(layers[i]!.weight.slice(), variable.shape, 'float32')
    variable.assign(weight)
    made.push(weight)
  }
  tf.dispose(made)
}

const numbersOf = async (tensor: tf.Tensor): Promise<Float32Array | Int32Array> =>
  (await tensor.data()).slice() as Float32Array | Int32Array

/** Slots that share a tensor share an entry, named after all of them. */
function entryOf(
  name: string,
  slots: Slots['slots']
): { readonly paths: readonly string[]; readonly isTensor: boolean } {
  const owner = name.slice(0, name.lastIndexOf('/'))
  const keys = name.slice(name.lastIndexOf('/') + 1).split('+')
  const isTensor = slots.some((s) => s.over !== 'layer' && s.over !== 'model' && ascii(s.name) === keys[0])
  return { paths: keys.map((key) => `${owner}/${key}`), isTensor }
}

/** Numbers of the host are saved bit by bit. */
const asNumbers = (name: string, values: Float32Array | Int32Array): ArrayLike<number> =>
  values instanceof Int32Array && name !== 'iter' ? fromBits(values) : values

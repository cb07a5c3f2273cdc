/** Runs a compiled optimizer on a case, and shows everything that it holds before and after each step. */
import * as tf from '@tensorflow/tfjs-core'
import { ascii } from '../compiler/emit/names.js'
import type { Reference } from '../reference/index.js'
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

/** Frees all that it made. */
export async function runCase(Optimizer: CompiledClass, reference: Slots, given: Case): Promise<Ran> {
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
  const numbersOf = async (tensor: tf.Tensor): Promise<Float32Array | Int32Array> =>
    (await tensor.data()).slice() as Float32Array | Int32Array
  const saved = await optimizer.getWeights()
  const [weights, values] = await Promise.all([
    Promise.all(variables.map(numbersOf)),
    Promise.all(saved.map(({ tensor }) => numbersOf(tensor)))
  ])
  const entries = new Map(saved.map(({ name }, i) => [name, values[i]!]))
  // Slots that share a tensor share an entry, named after all of them; numbers of the host are saved bit by bit.
  const held = new Map<string, ArrayLike<number>>()
  for (const [path, values] of entries) {
    const owner = path.slice(0, path.lastIndexOf('/'))
    const keys = path.slice(path.lastIndexOf('/') + 1).split('+')
    const numbers = values instanceof Int32Array && path !== 'iter' ? new Float64Array(values.slice().buffer) : values
    const isTensor = slots.some((s) => s.over !== 'layer' && s.over !== 'model' && ascii(s.name) === keys[0])
    for (const [i, key] of keys.entries()) held.set(`${owner}/${key}`, isTensor ? numbers : [numbers[i]!])
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

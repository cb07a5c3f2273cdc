/** A model of two layers, as a user trains it. */
import * as tf from '@tensorflow/tfjs'
import type { Compiled } from '../../src/testing/session.js'
import { bitsOf, type Held, must, type Place, stateOf, wave } from './line.js'

export function makeModel(optimizer: Compiled): tf.LayersModel {
  const init = (seed: number) => tf.initializers.glorotUniform({ seed })
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, inputShape: [3], activation: 'tanh', kernelInitializer: init(1), name: 'first' }),
      tf.layers.dense({ units: 2, kernelInitializer: init(2), name: 'second' })
    ]
  })
  model.compile({ optimizer, loss: 'meanSquaredError' })
  return model
}

export const inputs = (): tf.Tensor => tf.tensor(wave(24, 1), [8, 3])
export const targets = (): tf.Tensor => tf.tensor(wave(16, 2), [8, 2])

/** Epochs of two batches each; the losses. */
export async function fitFor(model: tf.LayersModel, epochs: number): Promise<number[]> {
  const [x, y] = [inputs(), targets()]
  try {
    const { history } = await model.fit(x, y, { epochs, batchSize: 4, shuffle: false, verbose: 0 })
    return history['loss'] as number[]
  } finally {
    tf.dispose([x, y])
  }
}

/** Weights, and what the optimizer keeps. */
export async function trained(model: tf.LayersModel): Promise<Held> {
  const weights = model.layers.flatMap(({ name, weights }) =>
    weights.map((weight, i) => [`weight ${name}/${i}`, weight.read()] as const)
  )
  const state = Object.entries(await stateOf(model.optimizer as Compiled)).map(
    ([name, bits]) => [`state ${name}`, bits] as const
  )
  return { ...(await bitsOf(Object.fromEntries(weights))), ...Object.fromEntries(state) }
}

/** What is trained after some work on a model, which leaves nothing behind. */
export async function outcomeOfModel(
  { Optimizer, kernel }: Place,
  work: (model: tf.LayersModel) => Promise<tf.LayersModel | undefined>
): Promise<Held> {
  const optimizer = new Optimizer({ learningRate: 0.05 })
  const model = makeModel(optimizer)
  try {
    const last = (await work(model)) ?? model
    try {
      must((last.optimizer as Compiled).kernel === kernel, `it ran as ${(last.optimizer as Compiled).kernel}`)
      return await trained(last)
    } finally {
      if (last !== model) dispose(last)
    }
  } finally {
    dispose(model)
  }
}

export function dispose(model: tf.LayersModel): void {
  const { optimizer } = model
  model.dispose()
  // A loaded model's optimizer is not disposed with it.
  optimizer.dispose()
}

export function load({ Optimizer }: Place, saved: tf.io.ModelArtifacts): Promise<tf.LayersModel> {
  tf.serialization.registerClass(Optimizer as unknown as tf.serialization.SerializableConstructor<tf.Optimizer>)
  return tf.loadLayersModel(tf.io.fromMemory(saved))
}

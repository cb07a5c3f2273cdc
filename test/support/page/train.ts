/** A page as a user's: it imports compiled optimizers, and trains. Each step that the optimizer takes is captured. */
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
// Compiled by the test before it bundles this page.
import { Adam } from '../../../node_modules/.cache/optc/page/adam.js'
import { LAMB } from '../../../node_modules/.cache/optc/page/lamb.js'
import type { Compiled } from '../../../src/testing/session.js'

export interface CapturedStep {
  readonly layers: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly weight: Float32Array
    readonly gradient: Float32Array
    readonly slots: Readonly<Record<string, Float32Array>> | null
  }[]
}

export interface Trained {
  readonly kernel: string | null
  readonly backend: string
  readonly losses: readonly number[]
  /** Before each step, and (without gradients) after the last. */
  readonly steps: readonly CapturedStep[]
  /** Tensors held from the second step on: more or fewer would be a leak. */
  readonly tensors: readonly number[]
  readonly left: number
}

const OPTIMIZERS = { Adam, LAMB } as unknown as Record<string, new (options: object) => Compiled>

function modelOf(kind: 'conv' | 'dense'): tf.LayersModel {
  const init = (seed: number) => tf.initializers.glorotUniform({ seed })
  if (kind === 'dense') {
    return tf.sequential({
      layers: [
        tf.layers.dense({ units: 9, inputShape: [49], activation: 'tanh', kernelInitializer: init(1) }),
        tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: init(2) })
      ]
    })
  }
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        filters: 5,
        kernelSize: 3,
        inputShape: [7, 7, 1],
        activation: 'relu',
        kernelInitializer: init(1)
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 4, kernelSize: 1, activation: 'tanh', kernelInitializer: init(3) }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: init(2) })
    ]
  })
}

async function train(backend: string, kind: 'conv' | 'dense', name: string, options: object): Promise<Trained> {
  await tf.setBackend(backend)
  await tf.ready()
  const before = tf.memory().numTensors
  const model = modelOf(kind)
  const optimizer = new OPTIMIZERS[name]!(options)
  const variables = model.trainableWeights.map((w) => (w as unknown as { val: tf.Variable }).val)
  // Numbers of ours, so that every backend trains on the same.
  const noise = (n: number, seed: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(seed + i * i * 0.7))
  const x = tf.tensor(noise(24 * 49, 1), kind === 'conv' ? [24, 7, 7, 1] : [24, 49])
  const kinds = noise(24, 5).map((v) => Math.floor((v + 1) * 1.49))
  const y = tf.tidy(() => tf.oneHot(tf.tensor1d(kinds, 'int32'), 3))
  const steps: CapturedStep[] = []
  const losses: number[] = []
  const tensors: number[] = []

  const capture = async (grads: tf.NamedTensorMap | null): Promise<void> => {
    const held = new Map<string, Float32Array>()
    for (const { name, tensor } of await optimizer.getWeights())
      held.set(name, (await tensor.data()).slice() as Float32Array)
    const layers = []
    for (const variable of variables) {
      const slots = [...held].filter(([path]) => path.startsWith(`${variable.name}/`))
      layers.push({
        name: variable.name,
        shape: variable.shape,
        weight: (await variable.data()).slice() as Float32Array,
        gradient: grads ? ((await grads[variable.name]!.data()).slice() as Float32Array) : new Float32Array(),
        slots:
          slots.length > 0
            ? Object.fromEntries(slots.map(([path, values]) => [path.slice(variable.name.length + 1), values]))
            : null
      })
    }
    steps.push({ layers })
  }

  for (let step = 0; step < 6; step++) {
    const { value, grads } = tf.variableGrads(
      () => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor) as tf.Scalar,
      variables
    )
    await capture(grads)
    optimizer.applyGradients(grads)
    losses.push((await value.data())[0]!)
    tf.dispose([value, grads])
    tensors.push(tf.memory().numTensors)
  }
  await capture(null)
  const { kernel } = optimizer
  optimizer.dispose()
  model.dispose()
  tf.dispose([x, y])
  return { kernel, backend: tf.getBackend(), losses, steps, tensors, left: tf.memory().numTensors - before }
}

const training = { train, wasm: (path: string): void => setWasmPaths(path) }
export type Training = typeof training

Object.assign(globalThis, { training })

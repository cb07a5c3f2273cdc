// Trains a network with a compiled LAMB on a GPU in Node: npm's `webgpu` as `navigator.gpu`, tfjs's webgpu backend on it, and
// the optimizer's kernels on that. On a machine without a GPU, name a software driver in VK_ICD_FILENAMES.
import * as tf from '@tensorflow/tfjs'
import { LAMB } from 'optc-lang/optimizers/lamb'
import { create, globals } from 'webgpu'

Object.assign(globalThis, globals)
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true })
await import('@tensorflow/tfjs-backend-webgpu')
if (!(await navigator.gpu.requestAdapter()) || !(await tf.setBackend('webgpu'))) {
  console.error('There is no WebGPU adapter here.')
  process.exit(1)
}

const dense = (units, seed, extra = {}) =>
  tf.layers.dense({ units, kernelInitializer: tf.initializers.glorotUniform({ seed }), ...extra })
const model = tf.sequential({ layers: [dense(32, 1, { inputShape: [8], activation: 'tanh' }), dense(1, 2)] })
const x = tf.randomNormal([256, 8], 0, 1, 'float32', 3)
const y = tf.tidy(() => tf.sin(tf.sum(x, 1, true)))

const optimizer = new LAMB({ learningRate: 0.05 })
model.compile({ optimizer, loss: 'meanSquaredError' })
const { history } = await model.fit(x, y, { epochs: 10, batchSize: 64, shuffle: false, verbose: 0 })

console.log(`loss ${history.loss[0].toFixed(4)} → ${history.loss.at(-1).toFixed(4)}`)
console.log(`kernel ${optimizer.kernel}, ${optimizer.plan.bytesPerWeight} bytes a weight`)
console.log('trust ratio of the first kernel', Object.values(await optimizer.observations())[0].trustRatio.toFixed(3))

// The process runs on while it stands. Dawn must go last, so nothing is disposed of here.
delete globalThis.navigator.gpu

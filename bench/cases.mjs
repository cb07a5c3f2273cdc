// What every backend's bench steps: models, by the shapes of their weights, and optimizers, each beside what TensorFlow.js
// has for it: its own, or the formula in plain operations.
import { lambInOperations } from './lamb-in-operations.mjs'
import { shapes as resnet50 } from './resnet50.mjs'

export const OPTIMIZERS = {
  Adam: { file: 'adam', beside: 'tf.train.adam', stock: (tf) => tf.train.adam(0.001, 0.9, 0.999, 1e-7) },
  Momentum: { file: 'momentum', beside: 'tf.train.momentum', stock: (tf) => tf.train.momentum(0.01, 0.9) },
  LAMB: { file: 'lamb', beside: 'tf ops', stock: lambInOperations }
}

const ALL = Object.keys(OPTIMIZERS)
const tiny = (count) => Array.from({ length: count }, () => [256])

/** `rounds`: fewer where a step takes many seconds. */
export const MODELS = [
  { model: '1 tensor of 4M', shapes: [[2000, 2000]], optimizers: ALL },
  { model: "ResNet-50's 161 tensors, 25.6M", shapes: resnet50, optimizers: ALL },
  { model: '40 tensors of 256', shapes: tiny(40), optimizers: ALL },
  { model: '200 tensors of 256', shapes: tiny(200), optimizers: ALL },
  {
    model: 'half in 1 tensor, half in 4000 of 256, 2M',
    shapes: [[1000, 1024], ...tiny(4000)],
    optimizers: ['Adam'],
    rounds: 3
  },
  // The largest that a texture of WebGL holds on many devices, of 8192 by 8192 texels.
  { model: '1 tensor of 67M', shapes: [[8192, 8192]], optimizers: ['Adam'], rounds: 1 },
  { model: '1 tensor of 100M', shapes: [[100_000, 1000]], optimizers: ['Adam'], rounds: 1 }
]

export const sizeOf = (shapes) => shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)

// The cpu backend: compiled optimizers, in WebAssembly and in JavaScript, beside TensorFlow.js's own and plain operations.
import * as tf from '@tensorflow/tfjs'
import { copiesOfArrays, sideBySide } from './side-by-side.mjs'

export async function bench() {
  await tf.setBackend('cpu')
  await sideBySide({
    target: 'cpu',
    title: 'cpu backend',
    huge: 100,
    ways: { WASM: { kernel: 'cpu' }, JavaScript: { kernel: 'cpu-js', first: withoutWebAssembly } },
    copiesOf: copiesOfArrays
  })
}

/** As a page whose policy forbids it: the driver is chosen at the first step. */
function withoutWebAssembly(firstStep) {
  const { WebAssembly } = globalThis
  globalThis.WebAssembly = undefined
  try {
    firstStep()
  } finally {
    globalThis.WebAssembly = WebAssembly
  }
}

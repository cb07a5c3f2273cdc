// The cpu backend: compiled optimizers, in WebAssembly and in JavaScript.
import * as tf from '@tensorflow/tfjs'
import { compiled } from './compiled.mjs'
import { modelsOf, report } from './report.mjs'
import { copiesOfArrays, sideBySide } from './side-by-side.mjs'

export async function bench(options) {
  await tf.setBackend('cpu')
  const classes = await compiled('cpu')
  const setup = {
    ways: {
      WASM: { classes, kernel: 'cpu' },
      JavaScript: { classes, kernel: 'cpu-js', first: withoutWebAssembly }
    },
    copiesOf: copiesOfArrays
  }
  await report({ backend: 'cpu' }, options, (tell) => sideBySide(setup, modelsOf(options), tell))
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

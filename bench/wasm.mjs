// The wasm backend: compiled optimizers inside its heap.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { compiled } from './compiled.mjs'
import { modelsOf, report } from './report.mjs'
import { copiesOfArrays, sideBySide } from './side-by-side.mjs'

export async function bench(options) {
  const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(file)}/`)
  await tf.setBackend('wasm')
  const setup = {
    ways: { WASM: { classes: await compiled('wasm'), kernel: 'wasm' } },
    copiesOf: copiesOfArrays,
    // Weights, gradients and two moments of each are 7 of 400 MB; tf.train.adam's own tensors on the way are more.
    refuse: (weights) =>
      weights > 50e6 ? { theirs: "its heap ends at 4 GiB, and tf.train.adam's tensors are more" } : {}
  }
  await report({ backend: 'wasm' }, options, (tell) => sideBySide(setup, modelsOf(options), tell))
}

// The wasm backend: compiled optimizers inside its heap, beside TensorFlow.js's own and plain operations there.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { copiesOfArrays, sideBySide } from './side-by-side.mjs'

export async function bench() {
  const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(file)}/`)
  await tf.setBackend('wasm')
  await sideBySide({
    target: 'wasm',
    title: 'wasm backend',
    // The heap ends at 4 GiB.
    huge: 50,
    ways: { WASM: { kernel: 'wasm' } },
    copiesOf: copiesOfArrays
  })
}

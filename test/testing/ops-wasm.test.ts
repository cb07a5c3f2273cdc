import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe } from 'vitest'
import { heldToReference } from './held.js'

beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(wasm)}/`)
  await tf.setBackend('wasm')
})

// Another implementation of every operation than the cpu backend's.
describe('ops, on the wasm backend', () => {
  heldToReference('ops', { targets: ['ops'] })
})

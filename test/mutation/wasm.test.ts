import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe } from 'vitest'
import { openWasm } from '../support/wasm.js'
import { everyMistakeIsTold } from './told.js'

beforeAll(openWasm)

describe('every mistake is told: wasm', () => everyMistakeIsTold('wasm', { reopen }))

/** A new heap: a kernel that writes where it must not has spoilt the old one. */
async function reopen(): Promise<void> {
  const factory = tf.findBackendFactory('wasm')
  tf.removeBackend('wasm')
  tf.registerBackend('wasm', factory)
  await tf.setBackend('wasm')
}

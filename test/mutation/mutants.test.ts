import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { everyMistakeIsTold } from './told.js'

beforeAll(() => tf.setBackend('cpu'))

describe('every mistake is told: cpu', () => everyMistakeIsTold('cpu'))

describe('every mistake is told: cpu-js', () => {
  beforeAll(() => void vi.stubGlobal('WebAssembly', undefined))
  afterAll(() => vi.unstubAllGlobals())
  everyMistakeIsTold('cpu-js')
})

describe('every mistake is told: ops', () => everyMistakeIsTold('ops'))

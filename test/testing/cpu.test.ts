import '@tensorflow/tfjs-backend-cpu'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { heldToReference } from './held.js'

describe('cpu, in WebAssembly', () => {
  heldToReference('cpu', { targets: ['cpu'] })
})

describe('cpu, in JavaScript', () => {
  beforeAll(() => void vi.stubGlobal('WebAssembly', undefined))
  afterAll(() => vi.unstubAllGlobals())
  heldToReference('cpu-js', { targets: ['cpu'] })
})

import '@tensorflow/tfjs-backend-cpu'
import { describe } from 'vitest'
import { heldToReference } from './held.js'

describe('ops, on the cpu backend', () => {
  heldToReference('ops', { targets: ['ops'] })
})

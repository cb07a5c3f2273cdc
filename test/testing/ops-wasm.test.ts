import { beforeAll, describe } from 'vitest'
import { openWasm } from '../support/wasm.js'
import { heldToReference } from './held.js'

beforeAll(openWasm)

// Another implementation of every operation than the cpu backend's.
describe('ops, on the wasm backend', () => {
  heldToReference('ops', { targets: ['ops'] })
})

import { beforeAll, describe } from 'vitest'
import { openWasm } from '../support/wasm.js'
import { heldToReference } from './held.js'

beforeAll(openWasm)

describe('wasm', () => {
  heldToReference('wasm', { targets: ['wasm'] })
})

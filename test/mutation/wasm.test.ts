import { beforeAll, describe } from 'vitest'
import { openWasm } from '../support/wasm.js'
import { everyMistakeIsTold } from './told.js'

beforeAll(openWasm)

describe('every mistake is told: wasm', () => everyMistakeIsTold('wasm'))

/** The contract where TensorFlow.js runs in Node. */
import '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import type { KernelName } from '../../src/runtime/program.js'
import { importPrinted } from '../../src/testing/compiled.js'
import type { CompiledClass } from '../../src/testing/session.js'
import { watchDevice } from '../runtime/support/webgpu.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { openWasm } from '../support/wasm.js'
import { describeWebGpu } from '../support/webgpu.js'
import { holdsContract } from './column.js'
import { hold, type Line } from './line.js'
import { LINES } from './lines.js'
import { printed } from './optimizers.js'

beforeAll(openWasm)

interface Where {
  readonly backend: string
  readonly other: string
  readonly takes?: (line: Line) => boolean
}

function column(kernel: KernelName, { backend, other, ...rest }: Where): void {
  holdsContract({
    name: kernel,
    kernel,
    ...rest,
    async hold(line, name) {
      const { [name]: Optimizer } = await importPrinted(printed(name, kernel))
      await hold(LINES[line]!, { kernel, backend, other, Optimizer: Optimizer as CompiledClass })
    }
  })
}

describe('cpu', () => column('cpu', { backend: 'cpu', other: 'wasm' }))

describe('cpu-js', () => {
  const { Memory, Instance } = WebAssembly
  class Refused {
    constructor() {
      throw new Error('it is forbidden')
    }
  }
  beforeAll(() => void vi.stubGlobal('WebAssembly', { Memory, Instance, Module: Refused }))
  afterAll(() => void vi.unstubAllGlobals())
  column('cpu-js', { backend: 'cpu', other: 'wasm' })
})

describe('ops', () => column('ops', { backend: 'cpu', other: 'wasm' }))
describe('wasm', () => column('wasm', { backend: 'wasm', other: 'cpu' }))
describeWebGpu('webgpu', () => {
  watchDevice()
  column('webgpu', { backend: 'webgpu', other: 'cpu', takes: (line) => !line.inBrowser })
})
describeTensorFlow('tensorflow', () => column('tensorflow', { backend: 'tensorflow', other: 'cpu' }))

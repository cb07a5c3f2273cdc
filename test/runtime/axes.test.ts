/** State over rows, columns and channels: what it is held as, saved as, and refused as; and what kernels make of it. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { compile as assemble } from 'watr'
import { compile } from '../../src/compiler/compile.js'
import { print } from '../../src/compiler/emit/classes.js'
import { subjectOf } from '../../src/testing/subject.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { openWasm } from '../support/wasm.js'
import { describeWebGpu } from '../support/webgpu.js'
import { EVERY_AXIS, knowsAxes } from './support/axes.js'
import { watchDevice } from './support/webgpu.js'

const SHAPES: readonly (readonly [string, number[], number, number, number])[] = [
  ['scalar', [], 1, 1, 1],
  ['bias', [5], 5, 1, 1],
  ['kernel', [3, 4], 3, 4, 4],
  ['conv', [2, 3, 4, 5], 24, 30, 5]
]

beforeAll(() => tf.setBackend('cpu'))
afterEach(() => tf.disposeVariables())

test('one value a row, a column and a channel, by name; a save that does not fit is refused', async () => {
  const { Optimizer } = await subjectOf(EVERY_AXIS, { targets: ['cpu'] })
  const optimizer = new Optimizer({})
  const gradients = SHAPES.map(([name, shape]) => {
    tf.variable(tf.ones(shape), true, name)
    return { name, tensor: tf.ones(shape) }
  })
  optimizer.applyGradients(gradients)
  const weights = await optimizer.getWeights()
  const shapes = Object.fromEntries(weights.map(({ name, tensor }) => [name, tensor.shape]))
  for (const [name, , rows, cols, channels] of SHAPES) {
    expect(shapes[`${name}/r`]).toEqual([rows])
    expect(shapes[`${name}/c`]).toEqual([cols])
    expect(shapes[`${name}/k`]).toEqual([channels])
  }
  const wrong = weights.map((w) => (w.name === 'kernel/r' ? { ...w, tensor: tf.ones([4]) } : w))
  await expect(optimizer.setWeights(wrong)).rejects.toThrow(/does not fit/)
  await optimizer.setWeights(weights)
  optimizer.applyGradients(gradients)
  optimizer.dispose()
})

test('a target that can not load all that a pass needs is left out, and says so', () => {
  const slots = Array.from({ length: 14 }, (_, i) => `r${i}`)
  const { code, plans } = compile(
    `optimizer Wide { ${slots.map((r) => `state ${r} over rows = 0`).join('\n')}
      step(w, g) { ${slots.map((r) => `${r} := ${r} + max(g over rows)`).join('\n')}
        w := w - g * (${slots.join(' + ')}) } }`,
    { print, assemble }
  )
  expect(code).toContain(
    `open: () => 'The target "webgl" has no pass that loads as many tensors as this program needs.'`
  )
  expect(code).not.toContain('runtime/webgl')
  expect(plans[0]!.targets.map((t) => t.abilities.target)).not.toContain('webgl')
})

describe('cpu', () => knowsAxes('cpu', { targets: ['cpu'] }))

describe('cpu-js', () => {
  beforeAll(() => void vi.stubGlobal('WebAssembly', undefined))
  afterAll(() => vi.unstubAllGlobals())
  knowsAxes('cpu-js', { targets: ['cpu'] })
})

describe('ops', () => knowsAxes('ops', { targets: ['ops'] }))

describe('wasm', () => {
  beforeAll(openWasm)
  afterAll(() => tf.setBackend('cpu'))
  knowsAxes('wasm', { targets: ['wasm'] })
})

describeTensorFlow('tensorflow', () => {
  beforeAll(() => tf.setBackend('tensorflow'))
  afterAll(() => tf.setBackend('cpu'))
  knowsAxes('tensorflow', { targets: ['tensorflow'] })
})

describeWebGpu('webgpu', () => {
  beforeAll(() => tf.setBackend('webgpu'))
  watchDevice()
  afterAll(() => tf.setBackend('cpu'))
  knowsAxes('webgpu', { targets: ['webgpu'] })

  test('a layer of more tiles than a dispatch has room for', async () => {
    const { device } = tf.backend() as unknown as { device: GPUDevice }
    const { limits } = device
    const { Optimizer } = await subjectOf(EVERY_AXIS, { targets: ['webgpu'] })
    const dispatched = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups')
    const run = async (most: number): Promise<number[]> => {
      const optimizer = new Optimizer({})
      const w = tf.variable(tf.zeros([7, 40, 70]), true, 'tiled')
      const values = Array.from({ length: w.size }, (_, i) => ((7 * i) % 5) - 2)
      const gradients = [{ name: 'tiled', tensor: tf.tensor(values, w.shape) }]
      // The first step makes the state, with kernels of TensorFlow.js.
      optimizer.applyGradients(gradients)
      dispatched.mockClear()
      const value = { maxComputeWorkgroupsPerDimension: most }
      Object.defineProperty(device, 'limits', { value, configurable: true })
      optimizer.applyGradients(gradients)
      Object.defineProperty(device, 'limits', { value: limits, configurable: true })
      const sizes = dispatched.mock.calls.map(([groups]) => groups)
      expect(Math.max(...sizes)).toBe(Math.min(most, 42))
      const found = Array.from(await w.data())
      optimizer.dispose()
      tf.dispose([w, ...gradients.map((g) => g.tensor)])
      return found
    }
    try {
      expect(await run(3)).toEqual(await run(65535))
    } finally {
      dispatched.mockRestore()
    }
  })

  test('more sums of rows in one pass than a workgroup has memory for whole blocks of', async () => {
    const { Optimizer } = await subjectOf(
      `optimizer Sums { step(w, g) { w := w + ${Array.from({ length: 20 }, (_, k) => `sum(max(g, ${k}) over rows)`).join(' + ')} } }`,
      { targets: ['webgpu'] }
    )
    const optimizer = new Optimizer({})
    const w = tf.variable(tf.zeros([9, 70]), true, 'sums')
    const values = Array.from({ length: 630 }, (_, i) => (i * 7) % 31)
    const gradients = [{ name: 'sums', tensor: tf.tensor(values, [9, 70]) }]
    optimizer.applyGradients(gradients)
    expect(optimizer.kernel).toBe('webgpu')
    const ofRow = (row: number): number => {
      const own = values.slice(70 * row, 70 * row + 70)
      return own.reduce(
        (all, x) => all + Array.from({ length: 20 }, (_, k) => Math.max(x, k)).reduce((a, b) => a + b),
        0
      )
    }
    expect(Array.from(await w.data())).toEqual(values.map((_, i) => ofRow(Math.floor(i / 70))))
    optimizer.dispose()
    tf.dispose([w, ...gradients.map((g) => g.tensor)])
  })
})

test('the backend may change between steps: state goes along', async () => {
  await openWasm()
  await tf.setBackend('cpu')
  const { Optimizer } = await subjectOf(EVERY_AXIS, { targets: ['cpu', 'wasm', 'ops'] })
  const run = async (backends: readonly string[]): Promise<number[]> => {
    const optimizer = new Optimizer({})
    const w = tf.variable(tf.zeros([2, 3, 5]), true, 'moved')
    for (const [t, backend] of backends.entries()) {
      await tf.setBackend(backend)
      const tensor = tf.tensor(
        Array.from({ length: 30 }, (_, i) => ((3 * i + t) % 5) - 2),
        [2, 3, 5]
      )
      optimizer.applyGradients([{ name: 'moved', tensor }])
      expect(optimizer.kernel).toBe(backend)
      tensor.dispose()
    }
    const values = Array.from(await w.data())
    optimizer.dispose()
    w.dispose()
    return values
  }
  expect(await run(['cpu', 'wasm', 'wasm', 'cpu'])).toEqual(await run(['cpu', 'cpu', 'cpu', 'cpu']))
})

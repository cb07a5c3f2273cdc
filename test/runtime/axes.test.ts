/** State over rows, columns and channels: what it is held as, saved as, and refused as; and what kernels make of it. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { compile as assemble } from 'watr'
import { compile } from '../../src/compiler/compile.js'
import { print } from '../../src/compiler/emit/classes.js'
import { subjectOf } from '../../src/testing/subject.js'
import { shipped } from '../support/library.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { openWasm } from '../support/wasm.js'
import { EVERY_AXIS, knowsAxes } from './support/axes.js'

const { source } = shipped.get('Adafactor')!
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

test('a target without rows and columns is left out, and says so', () => {
  const { code } = compile(source, { print, assemble })
  expect(code).toContain(`open: () => 'The target "webgpu" has no rows and columns yet.'`)
  expect(code).not.toContain('runtime/webgpu')
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

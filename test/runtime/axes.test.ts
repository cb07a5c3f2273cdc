/** State over rows and columns: what it is held as, saved as, and refused as. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, expect, test } from 'vitest'
import { compile as assemble } from 'watr'
import { compile } from '../../src/compiler/compile.js'
import { print } from '../../src/compiler/emit/classes.js'
import { subjectOf } from '../../src/testing/subject.js'
import { shipped } from '../support/library.js'

const { source } = shipped.get('Adafactor')!
const SHAPES: readonly (readonly [string, number[], number, number])[] = [
  ['scalar', [], 1, 1],
  ['bias', [5], 5, 1],
  ['kernel', [3, 4], 3, 4],
  ['conv', [2, 3, 4, 5], 24, 30]
]

afterEach(() => tf.disposeVariables())

test('one value a row and one a column, by name; a save that does not fit is refused', async () => {
  const { Optimizer } = await subjectOf(source, { targets: ['cpu'] })
  const optimizer = new Optimizer({})
  const gradients = SHAPES.map(([name, shape]) => {
    tf.variable(tf.ones(shape), true, name)
    return { name, tensor: tf.ones(shape) }
  })
  optimizer.applyGradients(gradients)
  const weights = await optimizer.getWeights()
  const shapes = Object.fromEntries(weights.map(({ name, tensor }) => [name, tensor.shape]))
  for (const [name, , rows, cols] of SHAPES) {
    expect(shapes[`${name}/r`]).toEqual([rows])
    expect(shapes[`${name}/c`]).toEqual([cols])
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

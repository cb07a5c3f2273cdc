/** Host scalars: many layers share them, and none is given another's. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { subjectOf } from '../../src/testing/subject.js'

beforeAll(() => tf.setBackend('cpu'))
afterEach(() => tf.disposeVariables())

const WEIGHTS: readonly (readonly [string, number[]])[] = [
  ['a', [2]],
  ['b', [3]],
  ['c', [1, 3]]
]

/** What a second step adds to the weights, in which c takes part for the first time. */
async function added(term: string, state = '', options: object = {}): Promise<number[]> {
  const advance = state.startsWith('state') ? 'n := n + 1' : ''
  const { Optimizer } = await subjectOf(
    `optimizer P { hyper one = 1 ${state} step(w, g, t) { w := w + ${term} * one^t * g\n${advance} } }`,
    { targets: ['cpu'] }
  )
  const weights = WEIGHTS.map(([name, shape]) => tf.variable(tf.zeros(shape), true, name))
  const optimizer = new Optimizer(options)
  const step = (some: tf.Variable[]) =>
    optimizer.applyGradients(some.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) })))
  step(weights.slice(0, 2))
  const before = weights.map((w) => w.dataSync()[0]!)
  step(weights)
  return weights.map((w, i) => w.dataSync()[0]! - before[i]!)
}

const MASK = 'hyper k = 1 mask some = rank > 1'

it.each<[string, string, object, number[]]>([
  ['size', '', {}, [2, 3, 3]],
  ['rank', '', {}, [1, 1, 2]],
  ['(if size > 2 then 4 * g else g)', '', {}, [1, 4, 4]],
  ['age', '', {}, [2, 2, 1]],
  ['t', '', {}, [2, 2, 2]],
  ['count(w over model)', '', {}, [8, 8, 8]],
  ['count(w over rows)', '', {}, [1, 1, 3]],
  ['n', 'state n over layer = size', {}, [3, 4, 3]],
  ['n', 'state n over model = 5', {}, [6, 6, 6]],
  ['k', 'hyper k = 1', { groups: [{ match: ['b'], k: 7 }] }, [1, 7, 1]],
  ['(if some then 4 else k)', MASK, {}, [1, 1, 4]],
  ['(if some then 4 else k)', MASK, { groups: [{ match: ['a'], some: true, k: 2 }] }, [4, 1, 4]],
  ['(if some then 4 else k)', MASK, { groups: [{ match: ['a'], some: false, k: 2 }] }, [2, 1, 4]]
])('%s is each layer’s own (%s, %j)', async (term, state, options, expected) => {
  expect(await added(term, state, options)).toEqual(expected)
})

it('noise is each layer’s own', async () => {
  expect(new Set(await added('noise()')).size).toBe(3)
})

it('a hyperparameter set between steps is seen by all', async () => {
  const { Optimizer } = await subjectOf('optimizer P { hyper k = 1 step(w, g) { w := w + k * g } }', {
    targets: ['cpu']
  })
  const weights = WEIGHTS.map(([name, shape]) => tf.variable(tf.zeros(shape), true, name))
  const optimizer = new Optimizer({}) as InstanceType<typeof Optimizer> & { k: number }
  const saved = await optimizer.getWeights()
  for (const k of [1, 10, 100]) {
    optimizer.k = k
    optimizer.applyGradients(weights.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) })))
    // The same step again, by its number.
    await optimizer.setWeights(saved)
  }
  expect(weights.map((w) => w.dataSync()[0])).toEqual([111, 111, 111])
})

it('observed ones are of the last step that went through', async () => {
  const { Optimizer } = await subjectOf(
    `optimizer P { hyper k = 2 mask some = rank > 1
      step(w, g, t) { w := w - (if some then 1 else k) * g
        observe k^t as rate } }`,
    { targets: ['cpu'] }
  )
  const gradients = Object.fromEntries(WEIGHTS.map(([name, shape]) => [name, tf.ones(shape)]))
  for (const [name, shape] of WEIGHTS) tf.variable(tf.zeros(shape), true, name)
  const optimizer = new Optimizer({}) as InstanceType<typeof Optimizer> & { some: unknown }
  const rates = { a: { rate: 2 }, b: { rate: 2 }, c: { rate: 2 } }
  optimizer.applyGradients(gradients)
  expect(await optimizer.observations()).toEqual(rates)
  optimizer.some = ({ name }: { name: string }) => {
    if (name === 'b') throw new Error('mine')
    return false
  }
  expect(() => optimizer.applyGradients(gradients)).toThrow('mine')
  expect(await optimizer.observations()).toEqual(rates)
})

/** The cpu driver: whose arrays it works on, when it copies, which kernels it takes, how exact its sums are. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CompiledClass } from '../../src/testing/session.js'
import { shipped } from '../support/shipped.js'
import { numbers, step, variable, worksInPlace } from './support/memory.js'

const OPTIONS = { targets: ['cpu', 'ops'] }

let LAMB: CompiledClass
beforeAll(async () => {
  await tf.setBackend('cpu')
  LAMB = (await shipped('lamb', OPTIONS)).Optimizer
})
afterEach(() => {
  tf.disposeVariables()
  vi.unstubAllGlobals()
})

const KERNELS = ['cpu', 'cpu-js'] as const
const liveArray = (t: tf.Tensor): unknown =>
  (tf.backend() as unknown as { data: { get(id: object): { values: unknown } } }).data.get(t.dataId).values
describe.each(KERNELS)('%s', (kernel) => {
  // A page may forbid WebAssembly; drivers are chosen at the first step.
  beforeEach(() => void (kernel === 'cpu-js' && vi.stubGlobal('WebAssembly', undefined)))

  worksInPlace(kernel, OPTIONS)

  it('adopts a weight once, then works on its array in place', () => {
    const users = numbers(10, 1)
    const given = users.slice()
    const w = variable(tf.tensor(users))
    const optimizer = new LAMB({})
    const g = tf.tensor(numbers(10, 2))
    step(optimizer, [w, g])
    expect(users).toEqual(given)
    expect(w.dataSync()).not.toEqual(given)
    const array = liveArray(w)
    step(optimizer, [w, g])
    expect(liveArray(w)).toBe(array)
    expect(optimizer.kernel).toBe(kernel)
    expect(g.dataSync()).toEqual(numbers(10, 2))
    optimizer.dispose()
  })

  it('leaves a tensor alone that was made of the live array, and a second variable of it has its own', () => {
    const one = variable(numbers(8, 1))
    const optimizer = new LAMB({})
    const g = tf.tensor(numbers(8, 2))
    step(optimizer, [one, g])
    // What `dataSync` gives is the live array. As a weight of its own it must go its own way.
    const two = tf.tidy(() => variable(tf.tensor(one.dataSync())))
    step(optimizer, [one, g], [two, tf.neg(g)])
    expect(liveArray(two)).not.toBe(liveArray(one))
    optimizer.dispose()
  })

  it('reads a gradient that was made of a live array, or of a part of one, as it was before the step', () => {
    const trained = (part: (live: Float32Array) => Float32Array): Float32Array[] => {
      const [one, two] = [variable(numbers(8, 1)), variable(numbers(4, 2))]
      const optimizer = new LAMB({ learningRate: 0.5 })
      const g = tf.tensor(numbers(8, 3))
      for (let i = 0; i < 3; i++) step(optimizer, [one, g], [two, tf.tensor(part(one.dataSync() as Float32Array))])
      optimizer.dispose()
      return [one, two].map((w) => w.dataSync().slice() as Float32Array)
    }
    expect(trained((live) => live.subarray(2, 6))).toEqual(trained((live) => live.slice(2, 6)))
  })

  it('with inPlace: false leaves even live arrays as they were, with the same result', async () => {
    const [a, b] = [variable(numbers(2000, 1)), variable(numbers(2000, 1))]
    const [inPlace, fresh] = [new LAMB({}), new LAMB({ inPlace: false })]
    for (let i = 0; i < 3; i++) {
      const g = tf.tensor(numbers(2000, i))
      step(inPlace, [a, g])
      const live = [b, ...(await fresh.getWeights()).map((w) => w.tensor)].map((t) => t.dataSync())
      const before = live.map((array) => array.slice())
      step(fresh, [b, g])
      expect(live).toEqual(before)
    }
    expect(b.dataSync()).toEqual(a.dataSync())
    inPlace.dispose()
    fresh.dispose()
  })
})

describe('the choice of kernels', () => {
  const kernelAfterStep = (before: () => void, after: () => void = () => {}): [string | null, string | null] => {
    before()
    const w = variable([1, 2, 3])
    const optimizer = new LAMB({}) as InstanceType<CompiledClass> & { plan: { reason: string | null } }
    step(optimizer, [w, tf.ones([3])])
    after()
    step(optimizer, [w, tf.ones([3])])
    const { kernel, plan } = optimizer
    optimizer.dispose()
    return [kernel, plan.reason]
  }
  const refuse = (part: 'Module' | 'Memory' | 'Instance'): void => {
    vi.stubGlobal('WebAssembly', {
      ...Object.fromEntries(['Module', 'Memory', 'Instance'].map((k) => [k, WebAssembly[k as 'Module']])),
      [part]: class {
        constructor() {
          throw new Error(`${part} is forbidden`)
        }
      }
    })
  }

  it('is WebAssembly where there is any', () => {
    expect(kernelAfterStep(() => {})).toEqual(['cpu', null])
  })

  it.each(['Module', 'Memory', 'Instance'] as const)('is JavaScript where %s is refused, and says so', (part) => {
    expect(kernelAfterStep(() => refuse(part))).toEqual([
      'cpu-js',
      `WebAssembly can't be used here (${part} is forbidden), so kernels run in JavaScript.`
    ])
  })

  it('is made once, before the first step', () => {
    const taken = kernelAfterStep(
      () => {},
      () => refuse('Module')
    )
    expect(taken).toEqual(['cpu', null])
    expect(
      kernelAfterStep(
        () => refuse('Module'),
        () => vi.unstubAllGlobals()
      )[0]
    ).toBe('cpu-js')
  })

  it('falls back to operations on a backend that keeps its values elsewhere', () => {
    const backend = tf.backend() as unknown as { data: unknown }
    const { data } = backend
    const w = variable([1, 2, 3])
    const g = tf.ones([3])
    const optimizer = new LAMB({}) as InstanceType<CompiledClass> & { plan: { reason: string | null } }
    const get = vi.spyOn(data as { get(id: object): object }, 'get')
    get.mockImplementation(function (this: unknown, id: object) {
      const record = (Object.getPrototypeOf(data) as { get(id: object): { values: ArrayLike<number> } }).get.call(
        data,
        id
      )
      return { ...record, values: Array.from(record.values) }
    })
    try {
      tf.tidy(() => step(optimizer, [w, g]))
      expect(optimizer.kernel).toBe('ops')
      expect(optimizer.plan.reason).toBe('This TensorFlow.js cpu backend keeps its values elsewhere.')
    } finally {
      get.mockRestore()
    }
  })
})

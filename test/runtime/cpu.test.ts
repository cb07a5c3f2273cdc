/** The cpu driver: whose arrays it works on, when it copies, which kernels it takes, how exact its sums are. */
import '@tensorflow/tfjs-backend-cpu'
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { tables } from '../../src/reference/index.js'
import { gamma } from '../../src/reference/number.js'
import type { Case } from '../../src/testing/case.js'
import { compareCase } from '../../src/testing/compare.js'
import type { Subject } from '../../src/testing/harness.js'
import { type CompiledClass, runCase } from '../../src/testing/session.js'
import { subjectOf } from '../../src/testing/subject.js'

const OPTIONS = { targets: ['cpu', 'ops'] }
const shipped = (name: string): Promise<Subject> =>
  subjectOf(readFileSync(`optimizers/${name}.opt`, 'utf8'), { ...OPTIONS, path: `${name}.opt` })

let LAMB: CompiledClass
let lamb: Subject
beforeAll(async () => {
  await tf.setBackend('cpu')
  lamb = await shipped('lamb')
  LAMB = lamb.Optimizer
})
afterEach(() => {
  tf.disposeVariables()
  vi.unstubAllGlobals()
})

const KERNELS = ['cpu', 'cpu-js'] as const
/** A page may forbid WebAssembly; drivers are chosen at the first step. */
function take(kernel: (typeof KERNELS)[number]): void {
  if (kernel === 'cpu-js') vi.stubGlobal('WebAssembly', undefined)
}

let names = 0
function variable(values: number[] | Float32Array | tf.Tensor, shape?: number[]): tf.Variable {
  const initial = values instanceof tf.Tensor ? values : tf.tensor(values, shape)
  return tf.tidy(() => tf.variable(initial, true, `v${names++}`))
}

const liveArray = (t: tf.Tensor): unknown =>
  (tf.backend() as unknown as { data: { get(id: object): { values: unknown } } }).data.get(t.dataId).values
const numbers = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(seed + i * 1.7) + 0.1)

function step(optimizer: tf.Optimizer, ...pairs: [tf.Variable, tf.Tensor][]): void {
  optimizer.applyGradients(pairs.map(([v, tensor]) => ({ name: v.name, tensor })))
}

describe.each(KERNELS)('%s', (kernel) => {
  it('adopts a weight once, then works on its array in place', () => {
    take(kernel)
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

  it('copies what anybody holds: clones, reshapes, and slots', async () => {
    take(kernel)
    const w = variable(numbers(12, 1), [3, 4])
    const optimizer = new LAMB({})
    const g = tf.tensor(numbers(12, 2), [3, 4])
    step(optimizer, [w, g])
    const slots = (await optimizer.getWeights()).slice(1).map(({ tensor }) => tf.clone(tensor))
    const held = [tf.clone(w), tf.reshape(w, [12]), tf.expandDims(w), tf.cast(w, 'float32'), ...slots]
    expect(slots.length).toBe(2)
    const before = held.map((t) => t.dataSync().slice())
    for (let i = 0; i < 3; i++) step(optimizer, [w, g])
    expect(held.map((t) => t.dataSync().slice())).toEqual(before)
    optimizer.dispose()
  })

  it('leaves a tensor alone that was made of the live array, and a second variable of it has its own', () => {
    take(kernel)
    const one = variable(numbers(8, 1))
    const optimizer = new LAMB({})
    const g = tf.tensor(numbers(8, 2))
    step(optimizer, [one, g])
    // What `dataSync` gives is the live array. As a weight of its own it must go its own way.
    const two = variable(tf.tensor(one.dataSync()))
    step(optimizer, [one, g], [two, tf.neg(g)])
    expect(liveArray(two)).not.toBe(liveArray(one))
    optimizer.dispose()
  })

  it('takes int32 arrays behind float32 tensors', () => {
    take(kernel)
    const values = [1, -2, 3, 4, 5]
    const results = [tf.cast(tf.tensor(values, [5], 'int32'), 'float32'), tf.tensor(values)].map((t) => {
      const w = variable(t)
      const optimizer = new LAMB({})
      const g = tf.cast(tf.tensor([3, 1, -4, 1, 5], [5], 'int32'), 'float32')
      step(optimizer, [w, g])
      step(optimizer, [w, g])
      optimizer.dispose()
      return w.dataSync().slice()
    })
    expect(results[0]).toEqual(results[1])
    expect(results[0]).toBeInstanceOf(Float32Array)
  })

  it('reads gradients as they were: shared by two weights, a weight itself, or its live array', () => {
    take(kernel)
    const run = (gradientsOf: (a: tf.Variable, b: tf.Variable) => [tf.Tensor, tf.Tensor]): Float32Array[] => {
      const [a, b] = [variable(numbers(9, 1), [3, 3]), variable(numbers(9, 2), [3, 3])]
      const optimizer = new LAMB({})
      // Adopt first, so that arrays are live.
      step(optimizer, [a, tf.ones([3, 3])], [b, tf.ones([3, 3])])
      const [ga, gb] = gradientsOf(a, b)
      step(optimizer, [a, ga], [b, gb])
      optimizer.dispose()
      return [a, b].map((v) => v.dataSync().slice() as Float32Array)
    }
    const copies = run((a, b) => [tf.mul(b, 1), tf.mul(a, 1)])
    expect(run((a, b) => [b, a])).toEqual(copies)
    expect(run((a, b) => [tf.tensor(b.dataSync(), [3, 3]), tf.tensor(a.dataSync(), [3, 3])])).toEqual(copies)
    const shared = run(() => [tf.tensor(numbers(9, 3), [3, 3]), tf.tensor(numbers(9, 3), [3, 3])])
    expect(
      run(() => {
        const one = tf.tensor(numbers(9, 3), [3, 3])
        return [one, tf.clone(one)]
      })
    ).toEqual(shared)
  })

  it('with inPlace: false leaves even live arrays as they were, with the same result', async () => {
    take(kernel)
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

  it('gives the same bits again', () => {
    take(kernel)
    const run = (): Float32Array[] => {
      const variables = [[20_000], [3, 5], [8192]].map((shape, i) =>
        variable(
          numbers(
            shape.reduce((x, y) => x * y),
            i
          ),
          shape
        )
      )
      const optimizer = new LAMB({ adapt: true })
      for (let i = 0; i < 3; i++) {
        step(
          optimizer,
          ...variables.map((v, k): [tf.Variable, tf.Tensor] => [v, tf.tensor(numbers(v.size, i + k), v.shape)])
        )
      }
      optimizer.dispose()
      return variables.map((v) => v.dataSync().slice() as Float32Array)
    }
    expect(run()).toEqual(run())
  })

  it('is right at every tail, and on either side of a block', async () => {
    take(kernel)
    const sizes = [1, 2, 3, 5, 17, 1023, 1025, 8191, 8192, 8193]
    const subjects = [lamb, await subjectOf(EXTREMES, OPTIONS), await subjectOf(STORED, OPTIONS)]
    for (const { reference, Optimizer } of subjects) {
      const drawn: Case = {
        layers: sizes.map((size) => ({
          name: `of${size}`,
          shape: [size, 1],
          weight: numbers(size, size),
          // The reference takes its time.
          gradients: [numbers(size, 1), size < 2000 ? numbers(size, 2) : null],
          group: {}
        })),
        hypers: {},
        falling: [],
        masks: {},
        inPlace: true,
        steps: 2,
        reload: 0
      }
      const { records, leaked } = await runCase(Optimizer, reference, drawn)
      expect(records[0]!.kernel).toBe(kernel)
      const { compared, undetermined, differences } = compareCase(reference, drawn, records, tables.wasm)
      expect([differences, leaked]).toEqual([[], 0])
      expect(undetermined).toBeLessThan(compared / 100)
    }
  })

  it.each([
    ['all equal', 10_000_000, 0.1, 0.1],
    ['all large', 1_000_000, 1e25, 1e25],
    ['all small', 1_000_000, 1e-25, 1e-25],
    ['one large', 10_000_000, 0.001, 1e6],
    ['one that drowns the rest', 10_000_000, 1e-7, 1e18]
  ])('keeps the norm of many weights, %s', { timeout: 60_000 }, async (_, size, most, one) => {
    take(kernel)
    const { Optimizer } = await subjectOf(NORMS, OPTIONS)
    const values = new Float32Array(size).fill(most)
    values[size - 2] = one
    const w = variable(values)
    const g = tf.zerosLike(w)
    const optimizer = new Optimizer({})
    step(optimizer, [w, g])
    const [x, y] = [Math.fround(most), Math.fround(one)]
    const exact = (size - 1) * x * x + y * y
    const { norm, total, largest } = (await optimizer.observations())[w.name] as Record<string, number>
    const loss = gamma(tables.wasm.device, tables.wasm.depth(size))
    // A root halves a relative error.
    expect(Math.abs(norm! - Math.sqrt(exact))).toBeLessThanOrEqual((loss / 2) * Math.sqrt(exact))
    expect(Math.abs(total! - ((size - 1) * x + y))).toBeLessThanOrEqual(loss * ((size - 1) * x + y))
    expect(largest).toBe(y)
    optimizer.dispose()
    tf.dispose([w, g])
  })
})

const NORMS = `optimizer Norms {
  hyper learningRate as lr = 1
  step(w, g) {
    observe ‖w‖ as norm
    observe sum(w) as total
    observe max(w) as largest
    w := w - lr * g
  }
}`

/** All kinds of reductions, state of every level, and a number of the model. */
const EXTREMES = `optimizer Extremes {
  hyper learningRate as lr = 0.01
  state m = w
  state top over layer = 0.5
  state all over model = 0.25
  step(w, g) {
    m := 0.5 * m + g
    spread = max(m) - min(g)
    total = ‖g over model‖
    all := 0.5 * all + total + max(w over model)
    top := max(top, spread) + 0.001 * total
    observe spread as spread
    observe all as everything
    w := w - lr * m / (1 + top) * (if spread > 0.5 and g > 0 then 1 else 0.5) / (1 + 0.01 * all)
  }
}`

/** So much to read for `u` that it is stored, within a segment and from one to the next. */
const STORED = `optimizer Stored {
  ${[...'abcd'].map((name, i) => `state ${name} = ${i + 1} * w + 0.5`).join('\n')}
  step(w, g) {
    u = a * b + c * d + g
    w := w - u / (1 + ‖u‖) - u / (1 + ‖u over model‖)
  }
}`

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

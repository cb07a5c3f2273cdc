/** What every driver is held to whose kernels work on memory of the host, in place: cpu (either way) and wasm. */
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, it } from 'vitest'
import { gridOf, tables } from '../../../src/reference/index.js'
import { gamma } from '../../../src/reference/number.js'
import type { Case } from '../../../src/testing/case.js'
import { compareCase } from '../../../src/testing/compare.js'
import type { Subject } from '../../../src/testing/harness.js'
import { runCase } from '../../../src/testing/session.js'
import { type SubjectOptions, subjectOf } from '../../../src/testing/subject.js'
import { shipped } from '../../support/shipped.js'

let names = 0
export function variable(values: number[] | Float32Array | tf.Tensor, shape?: number[]): tf.Variable {
  return tf.tidy(() =>
    tf.variable(values instanceof tf.Tensor ? values : tf.tensor(values, shape), true, `v${names++}`)
  )
}

export function numbers(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(seed + i * 1.7) + 0.1)
}

export function step(optimizer: tf.Optimizer, ...pairs: [tf.Variable, tf.Tensor][]): void {
  optimizer.applyGradients(pairs.map(([v, tensor]) => ({ name: v.name, tensor })))
}

/** Inside a `describe`; the backend is there when its tests run. */
export function worksInPlace(kernel: string, options: SubjectOptions): void {
  let lamb: Subject
  beforeAll(async () => {
    lamb = await shipped('lamb', options)
  })

  it('copies what anybody holds: clones, reshapes, and slots', async () => {
    const w = variable(numbers(12, 1), [3, 4])
    const optimizer = new lamb.Optimizer({})
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

  it('takes int32 arrays behind float32 tensors', () => {
    const values = [1, -2, 3, 4, 5]
    const results = [tf.cast(tf.tensor(values, [5], 'int32'), 'float32'), tf.tensor(values)].map((t) => {
      const w = variable(t)
      const optimizer = new lamb.Optimizer({})
      const g = tf.cast(tf.tensor([3, 1, -4, 1, 5], [5], 'int32'), 'float32')
      step(optimizer, [w, g])
      step(optimizer, [w, g])
      optimizer.dispose()
      return w.dataSync().slice()
    })
    expect(results[0]).toEqual(results[1])
    expect(results[0]).toBeInstanceOf(Float32Array)
  })

  it('reads gradients as they were: shared by two weights, a weight itself, or what a weight was read as', () => {
    const run = (gradientsOf: (a: tf.Variable, b: tf.Variable) => [tf.Tensor, tf.Tensor]): Float32Array[] => {
      const [a, b] = [variable(numbers(9, 1), [3, 3]), variable(numbers(9, 2), [3, 3])]
      const optimizer = new lamb.Optimizer({})
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

  it('gives the same bits again', () => {
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
      const optimizer = new lamb.Optimizer({ adapt: true })
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
    const sizes = [1, 2, 3, 4, 5, 17, 1023, 1025, 8191, 8192, 8193]
    const subjects = [lamb, await subjectOf(EXTREMES, options), await subjectOf(STORED, options)]
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
    const { Optimizer } = await subjectOf(NORMS, options)
    const values = new Float32Array(size).fill(most)
    values[size - 2] = one
    const w = variable(values)
    const g = tf.zerosLike(w)
    const optimizer = new Optimizer({})
    step(optimizer, [w, g])
    const [x, y] = [Math.fround(most), Math.fround(one)]
    const exact = (size - 1) * x * x + y * y
    const { norm, total, largest } = (await optimizer.observations())[w.name] as Record<string, number>
    const loss = gamma(tables.wasm.device, tables.wasm.depth.whole([gridOf([size])]))
    // A root halves a relative error.
    expect(Math.abs(norm! - Math.sqrt(exact))).toBeLessThanOrEqual((loss / 2) * Math.sqrt(exact))
    expect(Math.abs(total! - ((size - 1) * x + y))).toBeLessThanOrEqual(loss * ((size - 1) * x + y))
    expect(largest).toBe(y)
    optimizer.dispose()
    tf.dispose([w, g])
  })
}

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

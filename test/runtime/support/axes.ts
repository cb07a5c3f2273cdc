/** Rows, columns and channels on layers of all shapes, in numbers so small and whole that nothing is rounded. */
import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { type SubjectOptions, subjectOf } from '../../../src/testing/subject.js'

/** State of each kind, as the step finds it and as it leaves it, and sums of sums. */
export const EVERY_AXIS = `optimizer EveryAxis {
  state r over rows = 1
  state c over cols = 2
  state k over channels = 3
  step(w, g) {
    u = g + r + c - k
    r := max(u over rows)
    c := sum(u over cols)
    k := k + sum(g over channels)
    most = max(c over channels) + sum(r over channels)
    w := w + r - 2 * c + k + most + 4 * sum(max(g over cols) over rows) + count(g over channels) + min(u)
  }
}`

/** Some are larger than a block of memory, by rows, by columns and by matrices. */
const SHAPES = [[], [5], [9001], [3, 4], [3, 8300], [8300, 3], [2, 2, 3, 5], [2, 3, 70, 65], [3, 1, 1, 7], [5, 1, 3, 1]]

/** Here and there a peak, each of another height: no two rows, columns or matrices have the same. */
const smallNumber = (i: number, t: number): number =>
  (i + t) % 41 === 0 ? (i % 53) - 26 : ((7 * i + (i >> 4) + 3 * t) % 5) - 2

/** By the words of docs/language.md, with loops. */
function expected(shape: readonly number[], steps: number): { w: number[]; r: number[]; c: number[]; k: number[] } {
  const [rows, cols] = shape.length < 2 ? [shape[0] ?? 1, 1] : (shape.slice(-2) as [number, number])
  const size = shape.reduce((a, b) => a * b, 1)
  const batch = size / (rows * cols)
  const at = (i: number) => {
    const [matrix, row, col] = [Math.floor(i / (rows * cols)), Math.floor(i / cols), i % cols]
    return { row, col: matrix * cols + col, channel: col, matrix }
  }
  const places = Array.from({ length: size }, (_, i) => at(i))
  type By = keyof ReturnType<typeof at>
  const gather = (values: readonly number[], count: number, by: By, join: (a: number, b: number) => number) => {
    const all: number[] = Array(count)
    for (const [i, x] of values.entries()) {
      const place = places[i]![by]
      all[place] = all[place] === undefined ? x : join(all[place], x)
    }
    return all
  }
  const add = (a: number, b: number): number => a + b
  let w: number[] = Array(size).fill(0)
  let [r, c, k]: number[][] = [Array(batch * rows).fill(1), Array(batch * cols).fill(2), Array(cols).fill(3)]
  for (let t = 1; t <= steps; t++) {
    const g = w.map((_, i) => smallNumber(i, t))
    const u = g.map((x, i) => x + r![places[i]!.row]! + c![places[i]!.col]! - k![places[i]!.channel]!)
    const sums = gather(g, cols, 'channel', add)
    k = k!.map((x, i) => x + sums[i]!)
    r = gather(u, batch * rows, 'row', Math.max)
    c = gather(u, batch * cols, 'col', add)
    const ofRows = r.reduce(add)
    const most = k.map((_, i) => ofRows + Math.max(...Array.from({ length: batch }, (_, m) => c![m * cols + i]!)))
    const tops = gather(g, batch * cols, 'col', Math.max)
    const ofMatrix = (m: number): number => tops.slice(m * cols, (m + 1) * cols).reduce(add)
    const wide = Array.from({ length: batch }, (_, m) => ofMatrix(m))
    const least = u.reduce((a, b) => Math.min(a, b))
    w = w.map((x, i) => {
      const { row, col, channel, matrix } = places[i]!
      return x + r![row]! - 2 * c![col]! + k![channel]! + most[channel]! + 4 * wide[matrix]! + batch * rows + least
    })
  }
  return { w, r: r!, c: c!, k }
}

/** Inside a `describe`; the backend is there when its tests run. */
export function knowsAxes(kernel: string, options: SubjectOptions): void {
  it('rows, columns and channels of layers of all shapes, to the bit', async () => {
    const { Optimizer } = await subjectOf(EVERY_AXIS, options)
    const optimizer = new Optimizer({})
    const variables = SHAPES.map((shape, i) => tf.variable(tf.zeros(shape), true, `axes${i}`))
    for (let t = 1; t <= 2; t++) {
      const gradients = variables.map(({ name, shape, size }) => {
        const values = Float32Array.from({ length: size }, (_, i) => smallNumber(i, t))
        return { name, tensor: tf.tensor(values, shape) }
      })
      optimizer.applyGradients(gradients)
      tf.dispose(gradients.map((g) => g.tensor))
    }
    expect(optimizer.kernel).toBe(kernel)
    const saved = new Map((await optimizer.getWeights()).map(({ name, tensor }) => [name, tensor]))
    for (const [i, variable] of variables.entries()) {
      const wanted = expected(SHAPES[i]!, 2)
      expect(Array.from(await variable.data()), `w of [${SHAPES[i]}]`).toEqual(wanted.w)
      for (const slot of ['r', 'c', 'k'] as const) {
        const values = await saved.get(`axes${i}/${slot}`)!.data()
        expect(Array.from(values), `${slot} of [${SHAPES[i]}]`).toEqual(wanted[slot])
      }
    }
    optimizer.dispose()
    tf.dispose(variables)
  })

  it('nothing is left behind by steps, saves and dispose', async () => {
    const { Optimizer } = await subjectOf(EVERY_AXIS, options)
    const w = tf.variable(tf.zeros([2, 3, 4]), true, 'left')
    const gradients = [{ name: 'left', tensor: tf.ones([2, 3, 4]) }]
    const held = () => [tf.memory().numTensors, tf.memory().numBytes]
    const before = held()
    const optimizer = new Optimizer({})
    optimizer.applyGradients(gradients)
    const stepped = held()
    for (let i = 0; i < 20; i++) {
      optimizer.applyGradients(gradients)
      await optimizer.setWeights(await optimizer.getWeights())
    }
    optimizer.applyGradients(gradients)
    expect(held()).toEqual(stepped)
    optimizer.dispose()
    expect(held()).toEqual(before)
    tf.dispose([w, ...gradients.map((g) => g.tensor)])
  })
}

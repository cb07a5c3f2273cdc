/**
 * Values of layers on the tensorflow driver, one number a layer of a group: reductions over the elements of layers, and what
 * elements read of them; likewise of rows, columns and channels. And random numbers.
 */
import type { Vector } from './matrices.js'
import { type Key, noise } from './noise.js'
import type { Handle, Machine, TfValue } from './tensorflow-backend.js'
import type { Reduce, TfScope } from './tensorflow-program.js'
import { type Piece, shapeOf, type Unit } from './tensorflow-units.js'

export interface WorkingScope extends TfScope {
  readonly cells: TfValue[]
  readonly model: TfValue[]
}

export function scopeOf(m: Machine, h: Float64Array, cells: TfValue[], model: TfValue[]): WorkingScope {
  return {
    h,
    cells,
    model,
    op: (name, ...args) => m.op(name, ...args),
    once: (name, ...args) => m.once(name, ...args),
    cbrt: (x) => cbrt(m, x)
  }
}

/** By logarithms, then one step of Newton's method, which doubles the correct digits. 0 and ∞ stay as they are. */
function cbrt(m: Machine, given: TfValue): Handle {
  // Which, if it was to be read once, is not.
  const x = m.op('Identity', given)
  const third = m.once('RealDiv', m.once('Log', m.once('Abs', x)), 3)
  const guess = m.op('Mul', m.once('Sign', x), m.once('Exp', third))
  const rest = m.once('RealDiv', x, m.once('Square', guess))
  const better = m.once('RealDiv', m.once('AddV2', m.once('Mul', 2, guess), rest), 3)
  const stays = m.once('LogicalOr', m.once('Equal', x, 0), m.once('Equal', m.once('Abs', x), Infinity))
  return m.op('SelectV2', stays, x, better)
}

/** One value for each entry of a shape, also where an expression turned out to be the same for several. */
export function spread(m: Machine, x: TfValue, shape: readonly number[]): Handle {
  const value = typeof x === 'object' ? x : m.constant(x)
  return isShape(value, shape) ? value : m.op('BroadcastTo', value, m.ints(shape))
}

function isShape({ shape }: Handle, wanted: readonly number[]): boolean {
  return shape.length === wanted.length && shape.every((n, i) => n === wanted[i])
}

/** A value of each layer of the group, as elements of the unit read it. */
export function cellOf(m: Machine, { pieces, overs }: Unit, cell: TfValue): TfValue {
  if (typeof cell !== 'object' || cell.shape.length === 0 || cell.shape[0] === 1) return cell
  if (overs) {
    const [{ first, layers }] = pieces as [Piece]
    return m.reshape(m.once('Slice', cell, m.ints([first]), m.ints([layers.length])), [layers.length, 1, 1, 1])
  }
  const each = pieces.map(({ size, first, layers }) => {
    const mine = m.once('Slice', cell, m.ints([first]), m.ints([layers.length]))
    const column = m.once('Reshape', mine, m.ints([layers.length, 1]))
    const matrix = m.once('BroadcastTo', column, m.ints([layers.length, size]))
    return m.once('Reshape', matrix, m.ints([layers.length * size]))
  })
  return m.concat(each)
}

/** Values that are made when they are first read. */
export function lazily<T, U>(values: readonly T[], make: (value: T) => U): readonly U[] {
  const made: U[] = []
  return values.reduce<U[]>((array, value, i) => {
    return Object.defineProperty(array, i, { get: () => (made[i] ??= make(value)) })
  }, [])
}

/** The reduction of each of the unit's layers over entries of a block: a vector, in float64 if it is a sum. */
export function totals(m: Machine, reduce: Reduce, x: Handle, { pieces }: Unit): Handle {
  if (pieces.length === 1) return lineTotals(m, reduce, x, pieces[0]!.layers.length)
  const parts = m.split(
    x,
    pieces.map(({ layers, size }) => layers.length * size)
  )
  return m.concat(
    parts.map((part, i) => lineTotals(m, reduce, part, pieces[i]!.layers.length)),
    typeOf(reduce)
  )
}

/** The reduction to one value for each row, column or channel, along the axes that what is reduced has and these have not. */
export function gather(m: Machine, reduce: Reduce, x: Handle, unit: Unit, over: Vector): Handle {
  const wanted = shapeOf(unit, over)
  const [layers, batch, colSize, rowSize] = x.shape as [number, number, number, number]
  const outer = { row: layers * batch * colSize, col: layers * batch, channel: layers }[over]
  const lines = m.flag(lineTotals(m, reduce, x, outer, over === 'row' ? [] : [rowSize]))
  const own = x.shape.map((n, i) => Math.min(n, wanted[i]!))
  return spread(m, m.reshape(narrow(m, reduce, lines), own), wanted)
}

/** How many numbers are added in float32, in whatever order. */
const SHORT = 32

/**
 * The reduction of each line of what lies in memory as [outer, line, ...inner]. TensorFlow promises no order of addition, so
 * long sums are made in float64, which costs three times as much: of every few numbers, whose sum no order makes bad, it adds one.
 */
function lineTotals(m: Machine, reduce: Reduce, x: Handle, outer: number, inner: readonly number[] = []): Handle {
  const length = sizeOf(x.shape) / outer / sizeOf(inner)
  const cut = reduce === 'sum' ? largestDivisor(length) : 1
  const lines = m.flag(m.reshape(x, [outer, ...(cut > 1 ? [cut] : []), length / cut, ...inner]))
  const short = cut > 1 ? m.once('Sum', lines, m.ints([1])) : lines
  return m.op(REDUCTIONS[reduce], widen(m, reduce, short), m.ints([1]))
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}

function largestDivisor(length: number): number {
  let divisor = Math.min(SHORT, length)
  while (length % divisor > 0) divisor--
  return divisor
}

export function typeOf(reduce: Reduce): 'double' | 'float' {
  return reduce === 'sum' ? 'double' : 'float'
}

export function widen(m: Machine, reduce: Reduce, x: Handle): Handle {
  return reduce === 'sum' ? m.flag(m.run('Cast', [x], { DstT: 'double' })[0]!) : x
}

export function narrow(m: Machine, reduce: Reduce, x: Handle): Handle {
  return reduce === 'sum' ? m.run('Cast', [x], { DstT: 'float' })[0]! : x
}

/** For each entry from `first` on, of every layer by its own key. */
export function draw(
  m: Machine,
  { pieces }: Unit,
  keys: readonly number[],
  site: number,
  first: number,
  shape: readonly number[]
): Handle {
  const values = new Float32Array(sizeOf(shape))
  let at = 0
  for (const { layers, size } of pieces) {
    for (const { scalars } of layers) {
      const key = keys.map((i) => scalars[i]!) as unknown as Key
      const end = Math.min(size, first + values.length - at)
      for (let i = first; i < end; i++) values[at++] = noise(...key, i, site)
    }
  }
  return m.upload(values, shape)
}

const REDUCTIONS = { sum: 'Sum', max: 'Max', min: 'Min' }

/** A vector of one. */
export function total(m: Machine, reduce: Reduce, x: Handle): Handle {
  return m.run(REDUCTIONS[reduce], [x, m.ints([0])], { keep_dims: true })[0]!
}

/** The reduction of what groups came to. */
export function meet(m: Machine, reduce: Reduce, parts: readonly Handle[]): Handle {
  return narrow(m, reduce, total(m, reduce, m.concat(parts, typeOf(reduce))))
}

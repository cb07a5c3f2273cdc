/**
 * Values of layers on the tensorflow driver, one number a layer of a group: reductions over the elements of layers, and what
 * elements read of them.
 */
import type { Handle, Machine, TfValue } from './tensorflow-backend.js'
import type { Reduce, TfScope } from './tensorflow-program.js'
import type { Piece, Unit } from './tensorflow-units.js'

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

/** One value an element, also where an expression turned out to be the same for all. */
export function spread(m: Machine, x: TfValue, size: number): Handle {
  const value = typeof x === 'object' ? x : m.constant(x)
  return value.shape.length === 1 && value.shape[0] === size ? value : m.op('BroadcastTo', value, m.ints([size]))
}

/** A value of each layer of the group, as elements of the unit read it. */
export function cellOf(m: Machine, { pieces }: Unit, cell: TfValue): TfValue {
  if (typeof cell !== 'object' || cell.shape.length === 0 || cell.shape[0] === 1) return cell
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

/** The reduction of each of the unit's layers over elements of a block: a vector, in float64 if it is a sum. */
export function totals(m: Machine, reduce: Reduce, x: Handle, { pieces }: Unit): Handle {
  const [piece] = pieces as [Piece]
  if (pieces.length === 1) return rowTotals(m, reduce, x, piece.layers.length)
  const parts = m.split(
    x,
    pieces.map(({ layers, size }) => layers.length * size)
  )
  return m.concat(
    parts.map((part, i) => rowTotals(m, reduce, part, pieces[i]!.layers.length)),
    typeOf(reduce)
  )
}

/** How many numbers are added in float32, in whatever order. */
const SHORT = 32

/**
 * The reduction of each row of a matrix that lies in a vector. TensorFlow promises no order of addition, so long sums are made
 * in float64, which costs three times as much: of every 32 numbers, whose sum no order makes bad, it adds one.
 */
function rowTotals(m: Machine, reduce: Reduce, x: Handle, rows: number): Handle {
  const size = x.shape[0]! / rows
  const cut = reduce === 'sum' && size % SHORT === 0 ? SHORT : 1
  const shape = cut > 1 ? [rows, cut, size / cut] : [rows, size]
  const matrix = m.flag(m.reshape(x, shape))
  const short = cut > 1 ? m.once('Sum', matrix, m.ints([1])) : matrix
  return m.op(REDUCTIONS[reduce], widen(m, reduce, short), m.ints([1]))
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

const REDUCTIONS = { sum: 'Sum', max: 'Max', min: 'Min' }

/** A vector of one. */
export function total(m: Machine, reduce: Reduce, x: Handle): Handle {
  return m.run(REDUCTIONS[reduce], [x, m.ints([0])], { keep_dims: true })[0]!
}

/** The reduction of what groups came to. */
export function meet(m: Machine, reduce: Reduce, parts: readonly Handle[]): Handle {
  return narrow(m, reduce, total(m, reduce, m.concat(parts, typeOf(reduce))))
}

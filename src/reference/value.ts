/**
 * Values of a step: what an expression is in every layer at once. The level says what it varies with, the place which
 * machine holds it; both follow from its operands, as in docs/language.md.
 */
import type { Arithmetic, Table } from './arithmetic.js'
import { type Num, toDevice } from './number.js'
import type { Truth } from './truth.js'

export type Level = 'const' | 'config' | 'step' | 'model' | 'layer' | 'row' | 'channel' | 'col' | 'element'
export type Place = 'host' | 'device'
const LEVELS: readonly Level[] = ['const', 'config', 'step', 'model', 'layer']

/** `of[i]` belongs to layer i: one entry an element at level `element`, one a row at `row`, one a column at `col`, one a channel at `channel`, else one. */
export interface Of<T> {
  readonly level: Level
  readonly place: Place
  readonly of: readonly (readonly T[])[]
}
export type NumberValue = Of<Num> & { readonly kind: 'number' }
export type BoolValue = Of<Truth> & { readonly kind: 'bool' }
export type Value = NumberValue | BoolValue

export function join(levels: readonly Level[]): Level {
  const has = (level: Level): boolean => levels.includes(level)
  if (has('element') || (has('row') && (has('col') || has('channel')))) return 'element'
  if (has('row')) return 'row'
  if (has('col')) return 'col'
  if (has('channel')) return 'channel'
  return LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))]!
}

/**
 * A layer as a batch of matrices over its last two axes; a vector is one column, a scalar one row. A channel is the same
 * column of all matrices.
 */
export interface Grid {
  readonly matrices: number
  readonly rows: number
  readonly cols: number
}

export function gridOf(shape: readonly number[]): Grid {
  if (shape.length < 2) return { matrices: 1, rows: shape[0] ?? 1, cols: 1 }
  let matrices = 1
  for (let axis = 0; axis < shape.length - 2; axis++) matrices *= shape[axis]!
  return { matrices, rows: shape[shape.length - 2]!, cols: shape[shape.length - 1]! }
}

/** How many values of a level a layer has. */
export function count({ matrices, rows, cols }: Grid, level: Level): number {
  if (level === 'element') return matrices * rows * cols
  if (level === 'row') return matrices * rows
  if (level === 'col') return matrices * cols
  return level === 'channel' ? cols : 1
}

/** What a layer has of a level, as matrices of its own. */
export function viewOf({ matrices, rows, cols }: Grid, level: Level): Grid {
  const has = (...levels: readonly Level[]): boolean => level === 'element' || levels.includes(level)
  return {
    matrices: has('row', 'col') ? matrices : 1,
    rows: has('row') ? rows : 1,
    cols: has('col', 'channel') ? cols : 1
  }
}

/** Which value of level `of` belongs to the j-th of level `to`, which tells at least as much apart. */
export function placeOf({ rows, cols }: Grid, of: Level, to: Level, j: number): number {
  if (of === to) return j
  if (of === 'channel') return j % cols
  if (of !== 'row' && of !== 'col') return 0
  // Only elements are more than rows or columns.
  const matrix = Math.floor(j / (rows * cols))
  return of === 'row' ? Math.floor(j / cols) : matrix * cols + (j % cols)
}

/** The first element that reads the j-th value of a level: `placeOf` finds the way back. */
export function elementOf({ rows, cols }: Grid, of: Level, j: number): number {
  if (of === 'row') return j * cols
  if (of === 'col') return Math.floor(j / cols) * rows * cols + (j % cols)
  return of === 'element' || of === 'channel' ? j : 0
}

/** What an operation needs to know of the step it stands in. */
export interface Extent {
  readonly table: Table
  /** Of each layer. The last is the model itself, a layer of no elements. */
  readonly grids: readonly Grid[]
}

export const uniform = (extent: Extent, level: Level, n: Num): NumberValue => ({
  kind: 'number',
  level,
  place: 'host',
  of: extent.grids.map(() => [n])
})

/** The same value where the device can read it. */
export function onDevice<V extends Value>(extent: Extent, v: V): V {
  if (v.place === 'device') return v
  if (v.kind === 'bool') return { ...v, place: 'device' }
  return { ...v, place: 'device', of: v.of.map((entries) => entries.map((n) => toDevice(extent.table.device, n))) }
}

/** A value of a low level where one of a higher is wanted. */
export function spread(extent: Extent, v: NumberValue, level: Level): NumberValue {
  const to = join([v.level, level])
  if (to === v.level) return v
  const of = v.of.map((entries, i) => {
    const grid = extent.grids[i]!
    return Array.from({ length: count(grid, to) }, (_, j) => entries[placeOf(grid, v.level, to, j)]!)
  })
  return { ...v, level: to, of }
}

type EntryOf<V extends Value> = V['of'][number][number]

/** Does `f` entry by entry, at the operands' joint level and place. */
export function map<const V extends readonly Value[], T>(
  extent: Extent,
  operands: V,
  f: (a: Arithmetic, ...entries: { [K in keyof V]: EntryOf<V[K]> }) => T
): Of<T> {
  const level = join(operands.map((v) => v.level))
  const place = operands.some((v) => v.place === 'device') ? 'device' : 'host'
  const a = extent.table[place]
  const read = place === 'device' ? operands.map((v) => onDevice(extent, v)) : operands
  const of = extent.grids.map((grid, i) => {
    const results: T[] = []
    const all = count(grid, level)
    for (let j = 0; j < all; j++) {
      const entries = read.map((v) => v.of[i]![placeOf(grid, v.level, level, j)])
      results.push(f(a, ...(entries as { [K in keyof V]: EntryOf<V[K]> })))
    }
    return results
  })
  return { level, place, of }
}

export const number = (of: Of<Num>): NumberValue => ({ kind: 'number', ...of })
export const bool = (of: Of<Truth>): BoolValue => ({ kind: 'bool', ...of })

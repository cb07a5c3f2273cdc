/**
 * Values of a step: what an expression is in every layer at once. The level says what it varies with, the place which
 * machine holds it; both follow from its operands, as in docs/language.md.
 */
import type { Arithmetic, Table } from './arithmetic.js'
import { type Num, toDevice } from './number.js'
import type { Truth } from './truth.js'

export type Level = 'const' | 'config' | 'step' | 'model' | 'layer' | 'element'
export type Place = 'host' | 'device'
const LEVELS: readonly Level[] = ['const', 'config', 'step', 'model', 'layer', 'element']

/** `of[i]` belongs to layer i: one entry an element at level `element`, else one entry. */
export interface Of<T> {
  readonly level: Level
  readonly place: Place
  readonly of: readonly (readonly T[])[]
}
export type NumberValue = Of<Num> & { readonly kind: 'number' }
export type BoolValue = Of<Truth> & { readonly kind: 'bool' }
export type Value = NumberValue | BoolValue

export const join = (levels: readonly Level[]): Level =>
  LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))]!

/** What an operation needs to know of the step it stands in. */
export interface Extent {
  readonly table: Table
  /** Elements of each layer. The last entry is the model itself, a layer of none. */
  readonly sizes: readonly number[]
}

export const uniform = (extent: Extent, level: Level, n: Num): NumberValue => ({
  kind: 'number',
  level,
  place: 'host',
  of: extent.sizes.map(() => [n])
})

/** The same value where the device can read it. */
export function onDevice<V extends Value>(extent: Extent, v: V): V {
  if (v.place === 'device') return v
  if (v.kind === 'bool') return { ...v, place: 'device' }
  return { ...v, place: 'device', of: v.of.map((entries) => entries.map((n) => toDevice(extent.table.device, n))) }
}

/** A value of a low level where one a element is wanted. */
export function spread(extent: Extent, v: NumberValue, level: Level): NumberValue {
  const to = join([v.level, level])
  if (to !== 'element' || v.level === 'element') return { ...v, level: to }
  return { ...v, level: to, of: v.of.map((entries, i) => new Array<Num>(extent.sizes[i]!).fill(entries[0]!)) }
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
  const of = extent.sizes.map((size, i) => {
    const results: T[] = []
    const count = level === 'element' ? size : 1
    for (let j = 0; j < count; j++) {
      const entries = read.map((v) => v.of[i]![v.level === 'element' ? j : 0])
      results.push(f(a, ...(entries as { [K in keyof V]: EntryOf<V[K]> })))
    }
    return results
  })
  return { level, place, of }
}

export const number = (of: Of<Num>): NumberValue => ({ kind: 'number', ...of })
export const bool = (of: Of<Truth>): BoolValue => ({ kind: 'bool', ...of })

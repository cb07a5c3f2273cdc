/** Reductions: over each layer, its rows, columns or channels, or over the whole model. */
import type { Over } from '../compiler/syntax/ast.js'
import type { Arithmetic } from './arithmetic.js'
import { larger, smaller, sqrt, sumOf } from './functions.js'
import { divide, exactly, multiply, type Num, toDevice, unbounded } from './number.js'
import {
  count,
  type Extent,
  type Grid,
  join,
  type Level,
  map,
  type NumberValue,
  number,
  onDevice,
  placeOf,
  viewOf
} from './value.js'

/** norm, mean, rms and dot are written with sum, as the language defines them. */
export function reduce(name: string, operands: readonly NumberValue[], over: Over | null, extent: Extent): NumberValue {
  const a = extent.table.device
  const read = operands.map((v) => onDevice(extent, v))
  const x = read[0]!
  const y = name === 'dot' ? read[1]! : x
  const operand = ['norm', 'rms', 'dot'].includes(name) ? number(map(extent, [x, y], multiply)) : x
  const gathered = gather(operand, over ?? 'layer', extent)
  if (name === 'count') {
    // Along an axis all are of one length.
    const of = gathered.map((groups) => [exactly(groups[0]?.length ?? 0)])
    return { kind: 'number', level: over === 'model' ? 'model' : 'layer', place: 'host', of }
  }
  const { depth } = extent.table
  const views = extent.grids.map((grid) => viewOf(grid, operand.level))
  const depthOf = (view: Grid): number => {
    if (over === 'model') return depth.whole(views.slice(0, -1))
    return over === null || over === 'layer' ? depth.whole([view]) : depth.line(view, over)
  }
  const of = gathered.map((groups, i) => groups.map((values) => finish(name, values, a, depthOf(views[i]!))))
  return { kind: 'number', level: LEVEL[over ?? 'layer'], place: 'device', of }
}

const LEVEL: Readonly<Record<Over, Level>> = {
  layer: 'layer',
  model: 'model',
  rows: 'row',
  cols: 'col',
  channels: 'channel'
}

/**
 * The values that each result of each layer is made from. The last layer is the model, which has no elements of its own.
 * A value that is the same along a row or a column is counted once for what is made of it.
 */
function gather(v: NumberValue, over: Over, extent: Extent): readonly (readonly (readonly Num[])[])[] {
  if (over === 'layer') return v.of.map((values) => [values])
  if (over === 'model') {
    const everything = v.of.slice(0, -1).flat()
    return extent.grids.map(() => [everything])
  }
  const level = LEVEL[over]
  const each = join([v.level, level])
  return extent.grids.map((grid, i) => {
    const groups = Array.from({ length: count(grid, level) }, (): Num[] => [])
    for (let j = 0; j < count(grid, each); j++) {
      groups[placeOf(grid, level, each, j)]!.push(v.of[i]![placeOf(grid, v.level, each, j)]!)
    }
    return groups
  })
}

function finish(name: string, values: readonly Num[], a: Arithmetic, depth: number): Num {
  if (name === 'max' || name === 'min') {
    const pick = name === 'max' ? larger : smaller
    return values.length === 0 ? unbounded(name === 'max' ? -Infinity : Infinity) : values.reduce(pick)
  }
  const sum = sumOf(a, values, depth)
  if (values.length === 0 || name === 'sum' || name === 'dot') return sum
  if (name === 'norm') return sqrt(a, sum)
  const mean = divide(a, sum, toDevice(a, exactly(values.length)), true)
  return name === 'rms' ? sqrt(a, mean) : mean
}

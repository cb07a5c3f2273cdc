/** Reductions: over the elements of each layer, or over the whole model. */
import type { Over } from '../compiler/syntax/ast.js'
import type { Arithmetic } from './arithmetic.js'
import { larger, smaller, sqrt, sumOf } from './functions.js'
import { divide, exactly, multiply, type Num, toDevice, unbounded } from './number.js'
import { type Extent, map, type NumberValue, number, onDevice } from './value.js'

/** norm, mean, rms and dot are written with sum, as the language defines them. */
export function reduce(name: string, operands: readonly NumberValue[], over: Over | null, extent: Extent): NumberValue {
  const a = extent.table.device
  const read = operands.map((v) => onDevice(extent, v))
  const x = read[0]!
  const y = name === 'dot' ? read[1]! : x
  const operand = ['norm', 'rms', 'dot'].includes(name) ? number(map(extent, [x, y], multiply)) : x
  const of = gather(operand, over ?? 'layer', extent).map((values) => [finish(name, values, a, extent)])
  return { kind: 'number', level: over === 'model' ? 'model' : 'layer', place: 'device', of }
}

/** The values that each layer's result is made from. The last layer is the model, which has no elements of its own. */
function gather(v: NumberValue, over: Over, extent: Extent): readonly (readonly Num[])[] {
  if (over === 'layer') return v.of
  if (over !== 'model') throw new Error(`reductions over ${over} are not part of the language yet`)
  const everything = v.of.slice(0, -1).flat()
  return extent.sizes.map(() => everything)
}

function finish(name: string, values: readonly Num[], a: Arithmetic, extent: Extent): Num {
  if (name === 'max' || name === 'min') {
    const pick = name === 'max' ? larger : smaller
    return values.length === 0 ? unbounded(name === 'max' ? -Infinity : Infinity) : values.reduce(pick)
  }
  const sum = sumOf(a, values, extent.table.depth(values.length))
  if (values.length === 0 || name === 'sum' || name === 'dot') return sum
  if (name === 'norm') return sqrt(a, sum)
  const mean = divide(a, sum, toDevice(a, exactly(values.length)), true)
  return name === 'rms' ? sqrt(a, mean) : mean
}

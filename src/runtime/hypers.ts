/** Hyperparameters: what is allowed, and their values at a step. */
import { show } from './errors.js'
import type { HyperSpec, Range } from './program.js'
import type { Schedule } from './schedules.js'

/** As it was set: a value, or a function of the step. */
export type Hyper = number | boolean | Schedule | Schedule<boolean>

export function checkHyper(option: string, spec: HyperSpec, value: unknown): Hyper {
  if (typeof value === 'function' || allowed(spec, value)) return value as Hyper
  const type = typeof spec.init
  throw new Error(`${option} must be ${wanted(spec)}, or a function (t, base: ${type}) => ${type}; got ${show(value)}.`)
}

/** Its value at step `t`. */
export function hyperAt(
  option: string,
  spec: HyperSpec,
  hyper: Hyper,
  t: number,
  base: number | boolean
): number | boolean {
  if (typeof hyper !== 'function') return hyper
  const value: unknown = hyper(t, base as never)
  if (allowed(spec, value)) return value
  throw new Error(`${option} must be ${wanted(spec)}; at step ${t} its function gave ${show(value)}.`)
}

function allowed({ init, range }: HyperSpec, value: unknown): value is number | boolean {
  if (typeof value !== typeof init) return false
  if (typeof value !== 'number') return true
  if (range === null) return Number.isFinite(value)
  if ('values' in range) return range.values.includes(value)
  return (
    (range.lowOpen ? value > range.low : value >= range.low) &&
    (range.highOpen ? value < range.high : value <= range.high)
  )
}

function wanted({ init, range }: HyperSpec): string {
  if (typeof init === 'boolean') return 'true or false'
  if (range === null) return 'a finite number'
  return 'values' in range ? `one of ${range.values.join(', ')}` : `a number in ${interval(range)}`
}

function interval({ low, lowOpen, high, highOpen }: Extract<Range, { low: number }>): string {
  const end = (x: number) => String(x).replace('Infinity', 'inf')
  return `${lowOpen ? '(' : '['}${end(low)}, ${end(high)}${highOpen ? ')' : ']'}`
}

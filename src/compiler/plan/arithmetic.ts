/** Operations in float64: what folding, the host and `evaluate.ts` compute. */
import type { Binary, Reduce, Unary } from '../check/program.js'

export type Value = number | boolean

type Numeric = (...args: number[]) => Value
const logic = (f: (...args: boolean[]) => boolean): Numeric => f as unknown as Numeric

const OPERATIONS: Readonly<Record<Unary | Binary, Numeric>> = {
  neg: (x) => -x!,
  abs: Math.abs,
  sign: Math.sign,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x!),
  cbrt: Math.cbrt,
  exp: Math.exp,
  log: Math.log,
  floor: Math.floor,
  tanh: Math.tanh,
  add: (x, y) => x! + y!,
  sub: (x, y) => x! - y!,
  mul: (x, y) => x! * y!,
  div: (x, y) => x! / y!,
  pow: (x, y) => x! ** y!,
  max: Math.max,
  min: Math.min,
  lt: (x, y) => x! < y!,
  le: (x, y) => x! <= y!,
  gt: (x, y) => x! > y!,
  ge: (x, y) => x! >= y!,
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  not: logic((p) => !p),
  and: logic((p, q) => p! && q!),
  or: logic((p, q) => p! || q!)
}

/** What an operation (no leaf, no reduction) makes of its operands. */
export function operate(op: Unary | Binary | 'select', args: readonly Value[]): Value {
  if (op === 'select') return args[0] ? args[1]! : args[2]!
  return OPERATIONS[op](...(args as number[]))
}

/** How a reduction begins, and how it goes on. */
export const REDUCTIONS: Readonly<Record<Reduce, { readonly start: number; join(a: number, b: number): number }>> = {
  sum: { start: 0, join: (a, b) => a + b },
  max: { start: -Infinity, join: Math.max },
  min: { start: Infinity, join: Math.min }
}

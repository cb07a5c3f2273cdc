/**
 * Numbers that know how far off a kernel may be: the exact arithmetic's value x, and a range that holds the result of
 * every execution which the kernel is allowed. All rules are those of docs/numerics.md, evaluated outward.
 */
import type { Arithmetic } from './arithmetic.js'

export interface Num {
  readonly x: number
  readonly low: number
  readonly high: number
  /** What the value was made of, if it is a chain of `+ -` or of `* /` that a larger chain may absorb. */
  readonly chain: Chain | null
  /** A select or a rounding to integers could not be decided on the way here. */
  readonly undecided: boolean
}

/**
 * A chain may be evaluated in any grouping, so its error is that of one n-ary operation: what its operands bring, and
 * one rounding for each operation. `Sum.size` is Σ(|xᵢ| + eᵢ) and `sign` that of all its terms (0: mixed);
 * `Product.grow` is ∏ max(1, |xᵢ|), the most that a regrouping can magnify an underflow, and `shrink` the same for 1/xᵢ.
 */
export type Chain = Sum | Product
interface Sum {
  readonly kind: 'sum'
  readonly roundings: number
  readonly error: number
  readonly size: number
  readonly sign: -1 | 0 | 1
}
interface Product {
  readonly kind: 'product'
  readonly roundings: number
  readonly error: number
  readonly grow: number
  readonly shrink: number
}

/** Room for float64's own rounding in what is computed here, far below any device's. */
export const SLACK = 1 + 2 ** -20

export const exactly = (x: number): Num => ({ x, low: x, high: x, chain: null, undecided: false })

/** The largest distance from x in the range: the bound e. */
export const errorOf = (n: Num): number => {
  const e = Math.max(n.x - n.low, n.high - n.x)
  return n.low === n.high && n.low === n.x ? 0 : Number.isNaN(e) ? Infinity : e
}

export const isZero = (n: Num): boolean => n.low === 0 && n.high === 0

/** x with a range, or with none where x is no number or the range leaves what the machine can hold. */
export function within(
  a: Arithmetic,
  x: number,
  low: number,
  high: number,
  undecided: boolean,
  chain: Chain | null = null
): Num {
  const fits = Number.isFinite(x) && low >= -a.largest && high <= a.largest
  return fits ? { x, low, high, chain, undecided } : { x, low: -Infinity, high: Infinity, chain: null, undecided }
}

export const unbounded = (x: number, undecided = false): Num => ({
  x,
  low: -Infinity,
  high: Infinity,
  chain: null,
  undecided
})

/** Anything at all, NaN too; what is made of it by a bounded function (`tanh`, `clamp`) is not bounded by that. */
export const isUnbounded = (n: Num): boolean => n.low === -Infinity && n.high === Infinity

/** The value that a device sees of one that is in memory. */
export function load(a: Arithmetic, x: number): Num {
  if (!Number.isFinite(x) && a.loose) return unbounded(x)
  const flushed = a.loose && x !== 0 && Math.abs(x) < a.tiny
  return flushed ? { ...exactly(x), low: Math.min(x, 0), high: Math.max(x, 0) } : exactly(x)
}

/** The value that a device sees of one from the host: rounded once. A leaf: what it was made of stays on the host. */
export function toDevice(a: Arithmetic, n: Num): Num {
  if (n.low === n.high && n.x === n.low && (Math.fround(n.x) === n.x || a.read.unit === 0)) return load(a, n.x)
  const off = (v: number): number => (a.read.unit * Math.abs(v) + a.read.tiny) * SLACK
  const low = n.low - off(n.low)
  const high = n.high + off(n.high)
  const flushed = a.loose && low < a.tiny && high > -a.tiny
  return within(a, n.x, flushed ? Math.min(low, 0) : low, flushed ? Math.max(high, 0) : high, n.undecided)
}

export function negate(n: Num): Num {
  const chain = n.chain?.kind === 'sum' ? { ...n.chain, sign: -n.chain.sign as -1 | 0 | 1 } : n.chain
  return { x: -n.x, low: -n.high, high: -n.low, chain, undecided: n.undecided }
}

/** γₖ = ku / (1 − ku): the relative error of k roundings. */
export const gamma = (a: Arithmetic, k: number): number => (k * a.unit < 1 ? (k * a.unit) / (1 - k * a.unit) : Infinity)

/** Whole numbers that the machine holds, in every grouping: nothing is lost. */
const areWhole = (a: Arithmetic, p: Num, q: Num, largest: number): boolean =>
  isWhole(p) && isWhole(q) && largest * a.unit <= 1

const isWhole = (n: Num): boolean => n.low === n.high && Number.isInteger(n.x)

function terms(n: Num): Sum {
  if (n.chain?.kind === 'sum') return n.chain
  const error = errorOf(n)
  const sign = n.low >= 0 ? 1 : n.high <= 0 ? -1 : 0
  return { kind: 'sum', roundings: 0, error, size: Math.abs(n.x) + error, sign }
}

/** A 0 that is no sum: the terms of one, like 3 − 3, may be added to something else first. */
const addsNothing = (n: Num): boolean => isZero(n) && n.chain?.kind !== 'sum'

export function add(a: Arithmetic, p: Num, q: Num): Num {
  const undecided = p.undecided || q.undecided
  if (addsNothing(p)) return { ...q, undecided }
  if (addsNothing(q)) return { ...p, undecided }
  const s = terms(p)
  const t = terms(q)
  const chain: Sum = {
    kind: 'sum',
    roundings: s.roundings + t.roundings + 1,
    error: s.error + t.error,
    size: s.size + t.size,
    sign: s.sign === t.sign ? s.sign : 0
  }
  const whole = areWhole(a, p, q, chain.size)
  const e = whole ? 0 : (chain.error + gamma(a, chain.roundings) * chain.size + chain.roundings * a.tiny) * SLACK
  const x = p.x + q.x
  if (chain.size > a.largest) return unbounded(x, undecided)
  // Terms of one sign keep it however they are grouped.
  const low = chain.sign === 1 ? Math.max(0, x - e) : x - e
  const high = chain.sign === -1 ? Math.min(0, x + e) : x + e
  return within(a, x, low, high, undecided, chain)
}

export const subtract = (a: Arithmetic, p: Num, q: Num): Num => add(a, p, negate(q))

const largestOf = (n: Num): number => Math.max(Math.abs(n.low), Math.abs(n.high))
const smallestOf = (n: Num): number => (n.low > 0 ? n.low : n.high < 0 ? -n.high : 0)

function factors(n: Num): Product {
  if (n.chain?.kind === 'product') return n.chain
  const grow = Math.max(1, largestOf(n))
  return { kind: 'product', roundings: 0, error: errorOf(n), grow, shrink: Math.max(1, 1 / smallestOf(n)) }
}

function productOf(a: Arithmetic, x: number, p: Num, q: Num, s: Product, t: Product, roundings: number): Num {
  const undecided = p.undecided || q.undecided
  // A factor that is exactly 0 keeps the product at 0, however it is grouped.
  const zero = isZero(p) || isZero(q)
  const chain: Product = {
    kind: 'product',
    roundings: s.roundings + t.roundings + roundings,
    error: zero ? 0 : (Math.abs(p.x) * t.error + Math.abs(q.x) * s.error + s.error * t.error) * SLACK,
    grow: s.grow * t.grow,
    shrink: s.shrink * t.shrink
  }
  const size = Math.abs(x) + chain.error
  const lost = a.tiny * chain.grow
  if (lost > 0.5 || chain.grow > a.largest) return unbounded(x, undecided)
  const underflow = 2 * chain.roundings * lost * (1 + size)
  const exact = zero || (roundings === 1 && areWhole(a, p, q, chain.grow))
  const e = exact ? 0 : (chain.error + gamma(a, chain.roundings) * size + underflow) * SLACK
  // Rounding never changes a sign.
  const sign = signOf(p) * signOf(q)
  const low = sign > 0 || p === q ? Math.max(0, x - e) : x - e
  const high = sign < 0 ? Math.min(0, x + e) : x + e
  return within(a, x, low, high, undecided, chain)
}

const signOf = (n: Num): number => (n.low >= 0 ? 1 : n.high <= 0 ? -1 : 0)

/**
 * A factor of 1 or −1, by which nothing is lost. Where division is inexact a product with one may not be left out of its
 * chain: x / (y · 1) may be evaluated as (x / y) / 1.
 */
const isUnit = (a: Arithmetic, n: Num): boolean => a.division === 1 && n.low === n.high && Math.abs(n.x) === 1

const scale = (n: Num, sign: number, undecided: boolean): Num => ({ ...(sign < 0 ? negate(n) : n), undecided })

export function multiply(a: Arithmetic, p: Num, q: Num): Num {
  const undecided = p.undecided || q.undecided
  if (isUnit(a, p)) return scale(q, p.x, undecided)
  if (isUnit(a, q)) return scale(p, q.x, undecided)
  return productOf(a, p.x * q.x, p, q, factors(p), factors(q), 1)
}

/** p / q. A divisor from the host may be read as its reciprocal, rounded once. */
export function divide(a: Arithmetic, p: Num, q: Num, fromHost: boolean): Num {
  const undecided = p.undecided || q.undecided
  if (isUnit(a, q)) return scale(p, q.x, undecided)
  const x = p.x / q.x
  const t = factors(q)
  const size = Math.abs(q.x)
  const smallest = smallestOf(q)
  const safe = smallest > 0 && smallest >= a.divisor.low && largestOf(q) <= a.divisor.high
  if (!safe || !Number.isFinite(largestOf(p))) return unbounded(x, undecided)
  const reread = fromHost && Math.fround(1 / q.x) !== 1 / q.x ? a.read.unit / size + a.read.tiny : 0
  const inverse: Product = {
    kind: 'product',
    roundings: t.roundings * a.division,
    // (Of size and its error the difference may be lost to rounding here.)
    error: t.error / (size * smallest) + reread,
    grow: t.shrink,
    shrink: t.grow
  }
  const reciprocal: Num = {
    ...q,
    x: 1 / q.x,
    low: Math.min(1 / q.low, 1 / q.high),
    high: Math.max(1 / q.low, 1 / q.high)
  }
  return productOf(a, x, p, reciprocal, factors(p), inverse, a.division)
}

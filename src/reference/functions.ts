/** The functions of the language on numbers with a range: each is the image of the range, and what the machine loses. */
import type { Arithmetic, InexactFunction } from './arithmetic.js'
import {
  divide,
  errorOf,
  exactly,
  gamma,
  isUnbounded,
  isZero,
  multiply,
  type Num,
  negate,
  SLACK,
  unbounded,
  within
} from './number.js'

const EXACT: Readonly<Record<InexactFunction, (x: number) => number>> = {
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  cbrt: Math.cbrt,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh
}

/** Below this (or at it, where `open`) the function is not defined, and a kernel may make NaN of it. */
const DOMAIN: Readonly<Partial<Record<InexactFunction, { low: number; open: boolean }>>> = {
  sqrt: { low: 0, open: false },
  rsqrt: { low: 0, open: true },
  log: { low: 0, open: true }
}

function apply(name: InexactFunction): (a: Arithmetic, n: Num) => Num {
  const f = EXACT[name]
  const domain = DOMAIN[name]
  return (a, n) => {
    const x = f(n.x)
    if (isUnbounded(n)) return unbounded(x, n.undecided)
    if (domain && (domain.open ? n.low <= domain.low : n.low < domain.low)) return unbounded(x, n.undecided)
    const ends = [n.low, n.high].map((v) => ({ y: f(v), loss: a.functions[name](v, f(v)) }))
    const lost = (y: number, loss: number): number => (y === 0 && loss === 0 ? 0 : (loss + a.tiny) * SLACK)
    const low = Math.min(...ends.map(({ y, loss }) => y - lost(y, loss)))
    const high = Math.max(...ends.map(({ y, loss }) => y + lost(y, loss)))
    const mayBeNegative = name === 'log' || ((name === 'cbrt' || name === 'tanh') && n.low < 0)
    return within(a, x, mayBeNegative ? low : keepSign(x, low), high, n.undecided)
  }
}

/** A root or a power of what is not negative is not either, however it is rounded. */
const keepSign = (x: number, low: number): number => (x >= 0 ? Math.max(0, low) : low)

export const sqrt = apply('sqrt')
export const rsqrt = apply('rsqrt')
export const cbrt = apply('cbrt')
export const exp = apply('exp')
export const log = apply('log')
export const tanh = apply('tanh')

export function abs(n: Num): Num {
  if (isUnbounded(n)) return unbounded(Math.abs(n.x), n.undecided)
  const holdsZero = n.low <= 0 && n.high >= 0
  const ends = [Math.abs(n.low), Math.abs(n.high)]
  return { ...n, x: Math.abs(n.x), low: holdsZero ? 0 : Math.min(...ends), high: Math.max(...ends), chain: null }
}

/** A function that jumps: where the range holds a jump, which side a kernel is on is undecided. */
function steps(f: (x: number) => number): (n: Num) => Num {
  return (n) => {
    if (isUnbounded(n)) return unbounded(f(n.x), n.undecided)
    const [low, high] = [f(n.low), f(n.high)]
    return { x: f(n.x), low, high, chain: null, undecided: n.undecided || low !== high }
  }
}
export const floor = steps(Math.floor)
export const sign = steps(Math.sign)

export function larger(p: Num, q: Num): Num {
  const x = Math.max(p.x, q.x)
  const undecided = p.undecided || q.undecided
  if (isUnbounded(p) || isUnbounded(q)) return unbounded(x, undecided)
  return { x, low: Math.max(p.low, q.low), high: Math.max(p.high, q.high), chain: null, undecided }
}

export const smaller = (p: Num, q: Num): Num => negate(larger(negate(p), negate(q)))

export const clamp = (n: Num, low: Num, high: Num): Num => smaller(larger(n, low), high)

/**
 * base ^ exponent. A constant exponent that is an integer or ±½ is expanded, elsewhere it is exp(exponent · log(base)),
 * defined for base ≥ 0. On the host it is float64's own `pow`.
 */
export function power(a: Arithmetic, base: Num, exponent: Num, constant: boolean, onHost: boolean): Num {
  const y = exponent.x
  const undecided = base.undecided || exponent.undecided
  if (constant && Number.isInteger(y) && Math.abs(y) <= 1024) return integerPower(a, base, y)
  if (constant && y === 0.5) return sqrt(a, base)
  if (constant && y === -0.5) return rsqrt(a, base)
  const x = base.x ** y
  if (onHost) return hostPower(a, base, exponent, x)
  if (isZero(base) && exponent.low > 0 && !a.loose) return { ...exactly(0), undecided }
  const small = base.low <= 0 && base.high > 0 && exponent.low > 0 && !a.loose && base.low === 0
  if (small) {
    // exp(y · log(x)) falls to 0 with x.
    const top = Math.max(base.high ** exponent.low, base.high ** exponent.high)
    const largest = power(a, exactly(base.high), exponent, false, false)
    return within(a, x, 0, Math.max(top, largest.high), undecided)
  }
  const through = exp(a, multiply(a, exponent, log(a, base)))
  return within(a, x, Math.min(x, through.low), Math.max(x, through.high), undecided)
}

function integerPower(a: Arithmetic, base: Num, n: number): Num {
  if (n === 0) return exactly(1)
  if (n < 0) return divide(a, exactly(1), integerPower(a, base, -n), false)
  let product = base
  for (let i = 1; i < n; i++) product = multiply(a, product, base)
  const x = base.x ** n
  const low = n % 2 === 0 ? Math.max(0, product.low) : product.low
  return product.low === -Infinity ? unbounded(x, product.undecided) : { ...product, x, low }
}

function hostPower(a: Arithmetic, base: Num, exponent: Num, x: number): Num {
  const undecided = base.undecided || exponent.undecided
  if (errorOf(base) === 0 && errorOf(exponent) === 0) return spread(a, x, [x], undecided)
  if (base.low <= 0) return unbounded(x, undecided)
  const corners = [base.low, base.high].flatMap((b) => [b ** exponent.low, b ** exponent.high])
  return spread(a, x, corners, undecided)
}

/** The hull of the corners, each as inexact as a function's result; integers that float64 holds are exact. */
function spread(a: Arithmetic, x: number, corners: readonly number[], undecided: boolean): Num {
  if (corners.length === 1 && Number.isSafeInteger(x)) return { ...exactly(x), undecided }
  const off = (y: number): number => a.functions.exp(0, y) + (a.unit === 0 ? 0 : a.tiny)
  const low = Math.min(...corners.map((y) => y - off(y)))
  return within(a, x, keepSign(x, low), Math.max(...corners.map((y) => y + off(y))), undecided)
}

/** The sum of many, as deep as the target's promise allows; of none, 0. */
export function sumOf(a: Arithmetic, values: readonly Num[], depth: number): Num {
  let x = 0
  let compensation = 0
  let error = 0
  let size = 0
  let undecided = false
  for (const n of values) {
    const next = x + n.x
    compensation += Math.abs(x) >= Math.abs(n.x) ? x - next + n.x : n.x - next + x
    x = next
    error += errorOf(n)
    size += Math.abs(n.x) + errorOf(n)
    undecided ||= n.undecided
  }
  if (Number.isFinite(compensation)) x += compensation
  if (size === 0) return { ...exactly(0), undecided }
  const e = (error + gamma(a, depth) * size + values.length * a.tiny) * SLACK
  const low = values.every((n) => n.low >= 0) ? Math.max(0, x - e) : x - e
  const high = values.every((n) => n.high <= 0) ? Math.min(0, x + e) : x + e
  return within(a, x, low, high, undecided)
}

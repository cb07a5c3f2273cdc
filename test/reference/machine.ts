/**
 * A machine that does what numerics.md allows a kernel to do, at random: rounds to nearest or either way, keeps float64 in
 * between, regroups chains, fuses multiply and add, collects host factors, flushes subnormals, sums in any tree. Written
 * apart from the reference, so that it can show a bound to be wrong.
 */
import type { Expr } from '../../src/compiler/syntax/ast.js'

export type Random = () => number

export interface Machine {
  /** The rounding of a result that float64 holds (all but) exactly. */
  readonly round: (x: number) => number
  readonly divide: (x: number, y: number) => number
  readonly root: (x: number) => number
  readonly apply: (name: 'rsqrt' | 'cbrt' | 'exp' | 'log' | 'tanh', x: number) => number
  /** x ≥ 0 to a power that is no constant. */
  readonly power: (x: number, y: number) => number
  /** What is seen of a number in memory. */
  readonly load: (x: number) => number
  /** Sums are made in float64 and rounded once; else in a tree. */
  readonly float64Sums: boolean
}

const next = (x: number, up: boolean): number => {
  const bits = new Int32Array(new Float32Array([x]).buffer)
  if (x === 0) return up ? 2 ** -149 : -(2 ** -149)
  bits[0]! += up === x > 0 ? 1 : -1
  return new Float32Array(bits.buffer)[0]!
}

const same = (x: number): number => x
const FUNCTIONS = {
  rsqrt: (x: number): number => 1 / Math.sqrt(x),
  cbrt: Math.cbrt,
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh
}

/** Off by up to `error`, at its ends as often as between them; the float32 nearest to that must still be within. */
function off(y: number, error: number, random: Random): number {
  const r = random()
  const by = r < 0.25 ? -1 : r < 0.5 ? 1 : 4 * r - 3
  const room = error - Math.abs(Math.fround(y) - y)
  const x = Math.fround(y + by * error)
  return Math.abs(x - y) <= error || !(room > 0) ? x : Math.fround(y)
}

/** Float32 after every operation, to nearest; functions to one unit in the last place. */
export function nearest(random: Random): Machine {
  const apply: Machine['apply'] = (name, x) => {
    if (name === 'rsqrt' && random() < 0.5) return Math.fround(1 / Math.fround(Math.sqrt(x)))
    const y = FUNCTIONS[name](x)
    return Number.isFinite(y) ? off(y, 2 ** -23 * Math.abs(y), random) : y
  }
  return {
    round: Math.fround,
    divide: (x, y) => Math.fround(x / y),
    root: (x) => Math.fround(Math.sqrt(x)),
    apply,
    power: (x, y) => (x === 0 ? (y > 0 ? 0 : y === 0 ? 1 : Infinity) : apply('exp', Math.fround(y * apply('log', x)))),
    load: same,
    float64Sums: false
  }
}

/** Float64 as often as float32: values that are stored, or that pass through WebAssembly, and those that are not. */
export function wide(random: Random): Machine {
  const round = (x: number): number => (random() < 0.5 ? x : Math.fround(x))
  return {
    round,
    divide: (x, y) => round(x / y),
    root: (x) => round(Math.sqrt(x)),
    apply: (name, x) => round(FUNCTIONS[name](x)),
    power: (x, y) => round(x ** y),
    load: same,
    float64Sums: true
  }
}

const ULP = 2 ** -23

/** A shader by the letter of WGSL 15.7.4 and GLSL ES 3.20 4.7.1: either neighbour, division to 2.5 ULP, square roots to 4.5, flushing. */
export function shader(random: Random): Machine {
  const flush = (x: number): number => (Math.abs(x) < 2 ** -126 && random() < 0.5 ? 0 : x)
  const round = (x: number): number => {
    const near = Math.fround(x)
    const other = near === x ? near : next(near, near < x)
    return flush(random() < 0.5 ? near : other)
  }
  const ulps = (y: number, n: number): number => (Number.isFinite(y) ? flush(off(y, n * ULP * Math.abs(y), random)) : y)
  const exp = (x: number): number => ulps(Math.exp(x), 3 + 2 * Math.abs(x))
  const log = (x: number): number => {
    const y = Math.log(x)
    return x >= 0.5 && x <= 2 ? flush(off(y, 2 ** -21, random)) : ulps(y, 3)
  }
  const divide = (x: number, y: number): number => ulps(x / y, 2.5)
  const apply: Machine['apply'] = (name, x) => {
    if (name === 'rsqrt') return ulps(1 / Math.sqrt(x), 2)
    if (name === 'exp') return exp(x)
    if (name === 'log') return log(x)
    // Functions that the compiler prints.
    if (name === 'tanh') return ulps(Math.tanh(x), Math.abs(x) < 0.25 ? 1.5 : 22)
    return ulps(Math.cbrt(x), 2.5)
  }
  return {
    round,
    divide,
    root: (x) => ulps(Math.sqrt(x), 4.5),
    apply,
    power: (x, y) => (x === 0 ? (y > 0 ? 0 : y === 0 ? 1 : Infinity) : exp(round(y * log(x)))),
    load: flush,
    float64Sums: false
  }
}

export interface Names {
  /** Float32 values that the device holds. */
  readonly device: Readonly<Record<string, number>>
  /** Float64 values of the host. */
  readonly host: Readonly<Record<string, number>>
}

const onHost = (e: Expr, names: Names): boolean => {
  switch (e.kind) {
    case 'number':
      return true
    case 'name':
      return e.text in names.host
    case 'unary':
      return onHost(e.arg, names)
    case 'binary':
      return onHost(e.left, names) && onHost(e.right, names)
    case 'if':
      return onHost(e.condition, names) && onHost(e.then, names) && onHost(e.otherwise, names)
    default:
      return false
  }
}

/** One allowed execution. */
export function execute(e: Expr, names: Names, machine: Machine, random: Random): number {
  const pick = (n: number): number => Math.floor(random() * n)
  const take = <T>(list: T[]): T => list.splice(pick(list.length), 1)[0]!

  function run(e: Expr): number {
    if (onHost(e, names)) return exact(e)
    switch (e.kind) {
      case 'name':
        return names.device[e.text]!
      case 'unary':
        return e.op === '√' ? machine.root(read(e.arg)) : sum(e)
      case 'binary':
        if (e.op === '+' || e.op === '-') return sum(e)
        if (e.op === '*' || e.op === '/') return product(e)
        throw new Error(e.op)
      case 'if': {
        const { condition } = e
        return holds(condition, onHost(condition, names) ? exact : read) ? read(e.then) : read(e.otherwise)
      }
      default:
        throw new Error(e.kind)
    }
  }

  function holds(condition: Expr, see: (e: Expr) => number): boolean {
    if (condition.kind !== 'binary') throw new Error(condition.kind)
    const [left, right] = [see(condition.left), see(condition.right)]
    return condition.op === '<' ? left < right : left >= right
  }

  /** A host value is rounded where the device reads it. */
  function read(e: Expr): number {
    return onHost(e, names) ? Math.fround(exact(e)) : run(e)
  }

  function exact(e: Expr): number {
    if (e.kind === 'number') return e.value
    if (e.kind === 'name') return names.host[e.text]!
    if (e.kind === 'unary') return e.op === '√' ? Math.sqrt(exact(e.arg)) : -exact(e.arg)
    if (e.kind === 'if') return exact(holds(e.condition, exact) ? e.then : e.otherwise)
    if (e.kind !== 'binary') throw new Error(e.kind)
    const [l, r] = [exact(e.left), exact(e.right)]
    return e.op === '+' ? l + r : e.op === '-' ? l - r : e.op === '*' ? l * r : l / r
  }

  function sum(e: Expr): number {
    const terms: { e: Expr; sign: number }[] = []
    const flatten = (e: Expr, sign: number): void => {
      if (onHost(e, names)) terms.push({ e, sign })
      else if (e.kind === 'binary' && (e.op === '+' || e.op === '-')) {
        flatten(e.left, sign)
        flatten(e.right, e.op === '+' ? sign : -sign)
      } else if (e.kind === 'unary' && e.op === '-') flatten(e.arg, -sign)
      else terms.push({ e, sign })
    }
    flatten(e, 1)
    // A product of two may be fused: added without a rounding of its own.
    const values = terms.map(({ e, sign }) => {
      const fused = e.kind === 'binary' && e.op === '*' && !onHost(e, names) && random() < 0.5
      return { x: sign * (fused ? read(e.left) * read(e.right) : read(e)), fused }
    })
    const alone = values.length === 1
    while (values.length > 1) {
      const [p, q] = [take(values), take(values)]
      const left = q.fused && p.fused ? machine.round(p.x) : p.x
      values.push({ x: machine.round(left + q.x), fused: false })
    }
    return alone && values[0]!.fused ? machine.round(values[0]!.x) : values[0]!.x
  }

  function product(e: Expr): number {
    const factors: { e: Expr; up: boolean }[] = []
    const flatten = (e: Expr, up: boolean): void => {
      if (!onHost(e, names) && e.kind === 'binary' && (e.op === '*' || e.op === '/')) {
        flatten(e.left, up)
        flatten(e.right, e.op === '*' ? up : !up)
      } else factors.push({ e, up })
    }
    flatten(e, true)
    const host = factors.filter((f) => onHost(f.e, names))
    const values = factors.filter((f) => !host.includes(f)).map(({ e, up }) => ({ x: read(e), up }))
    if (random() < 0.5 && host.length > 0) {
      const collected = host.reduce((x, f) => (f.up ? x * exact(f.e) : x / exact(f.e)), 1)
      values.push({ x: Math.fround(collected), up: true })
    } else {
      for (const { e, up } of host) {
        const inverted = !up && random() < 0.5
        values.push(inverted ? { x: Math.fround(1 / exact(e)), up: true } : { x: read(e), up })
      }
    }
    while (values.length > 1) {
      const [p, q] = [take(values), take(values)]
      if (p.up === q.up) values.push({ x: machine.round(p.x * q.x), up: p.up })
      else values.push({ x: p.up ? machine.divide(p.x, q.x) : machine.divide(q.x, p.x), up: true })
    }
    return values[0]!.up ? values[0]!.x : machine.divide(1, values[0]!.x)
  }

  return Math.fround(read(e))
}

/** Σ in a random tree of so many roundings on any path at most: as often a chain as the depth allows. */
export function sumInTree(values: readonly number[], depth: number, machine: Machine, random: Random): number {
  if (values.length === 0) return 0
  if (values.length === 1) return values[0]!
  const most = Math.min(values.length - 1, 2 ** (Math.floor(depth) - 1))
  const least = values.length - most
  if (least > most) throw new Error(`${values.length} values in a tree of depth ${depth}`)
  const r = random()
  const part = r < 0.3 ? least : r < 0.6 ? most : least + Math.floor(random() * (most - least + 1))
  const left = sumInTree(values.slice(0, part), depth - 1, machine, random)
  return machine.round(left + sumInTree(values.slice(part), depth - 1, machine, random))
}

/** The expression as a person writes it. */
export function show(e: Expr): string {
  switch (e.kind) {
    case 'number':
      return String(e.value)
    case 'name':
      return e.text
    case 'unary':
      return `${e.op}(${show(e.arg)})`
    case 'binary':
      return `(${show(e.left)} ${e.op} ${show(e.right)})`
    case 'if':
      return `(if ${show(e.condition)} then ${show(e.then)} else ${show(e.otherwise)})`
    default:
      return e.kind
  }
}

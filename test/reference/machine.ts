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
}

const next = (x: number, up: boolean): number => {
  const bits = new Int32Array(new Float32Array([x]).buffer)
  if (x === 0) return up ? 2 ** -149 : -(2 ** -149)
  bits[0]! += up === x > 0 ? 1 : -1
  return new Float32Array(bits.buffer)[0]!
}

/** Float32 after every operation, to nearest. */
export const nearest: Machine = {
  round: Math.fround,
  divide: (x, y) => Math.fround(x / y),
  root: (x) => Math.fround(Math.sqrt(x))
}

/** Float64 throughout; the caller rounds at the end. */
export const wide: Machine = { round: (x) => x, divide: (x, y) => x / y, root: Math.sqrt }

/** A shader: either neighbour, division to 2.5 ULP, square roots to 4.5 (and a bit less, not to argue over an ULP), flushing. */
export function shader(random: Random): Machine {
  const flush = (x: number): number => (Math.abs(x) < 2 ** -126 && random() < 0.5 ? 0 : x)
  const round = (x: number): number => {
    const near = Math.fround(x)
    const other = near === x ? near : next(near, near < x)
    return flush(random() < 0.5 ? near : other)
  }
  const off = (x: number, ulps: number): number => {
    let y = Math.fround(x)
    const steps = Math.floor(random() * (ulps + 1))
    const up = random() < 0.5
    for (let i = 0; i < steps && y !== 0; i++) y = next(y, up)
    return flush(y)
  }
  return { round, divide: (x, y) => off(x / y, 2), root: (x) => off(Math.sqrt(x), 3) }
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

const HOST: Machine = wide

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
    return HOST.round(e.op === '+' ? l + r : e.op === '-' ? l - r : e.op === '*' ? l * r : l / r)
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

/** Σ in a random tree: split anywhere near the middle, round at each node. */
export function sumInTree(values: readonly number[], machine: Machine, random: Random): number {
  if (values.length === 0) return 0
  if (values.length === 1) return values[0]!
  const half = Math.max(1, Math.min(values.length - 1, Math.round(values.length * (0.4 + 0.2 * random()))))
  const left = sumInTree(values.slice(0, half), machine, random)
  return machine.round(left + sumInTree(values.slice(half), machine, random))
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

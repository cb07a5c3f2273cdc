/**
 * Rewrite rules, as data. Each keeps a value what docs/numerics.md says it means: an operation that IEEE arithmetic does
 * exactly is dropped (the sign of a zero is no part of a program's meaning); host factors of a chain of `*` and `/` are
 * collected; nothing is distributed, and nothing that a NaN or an infinity would tell apart is touched (x − x, 0 · x).
 */
import type { Binary, Node, Unary } from '../check/program.js'
import { operate, type Value } from './arithmetic.js'

/** Makes nodes that the rules have already been applied to. */
export interface Build {
  const(value: Value): Node
  unary(op: Unary, x: Node): Node
  binary(op: Binary, x: Node, y: Node): Node
  select(condition: Node, then: Node, otherwise: Node): Node
  /** The end of a chain of factors: a value that is stored, so that passes after it may read it. */
  isKept(node: Node): boolean
}

export interface Rule {
  readonly name: string
  /** What to write instead, or null. */
  readonly apply: (node: Node, build: Build) => Node | null
}

const isConst = (node: Node, value?: Value): boolean =>
  node.op === 'const' && (value === undefined || node.value === value)

/** A rule for the operations given, in terms of the operands. */
const on = (name: string, ops: string, apply: (args: Operands, build: Build, node: Node) => Node | null): Rule => {
  const wanted = new Set(ops.split(' '))
  return { name, apply: (node, build) => (wanted.has(node.op) ? apply(node.args as Operands, build, node) : null) }
}
type Operands = readonly [Node, Node, Node]

/** The same with the operands of a commutative operation in either order. */
const either = (name: string, ops: string, apply: (x: Node, y: Node, build: Build) => Node | null): Rule =>
  on(name, ops, ([x, y], build) => apply(x, y, build) ?? apply(y, x, build))

export const RULES: readonly Rule[] = [
  {
    name: 'fold constants',
    apply: (node, build) => {
      if (node.args.length === 0 || 'over' in node || !node.args.every((arg) => isConst(arg))) return null
      const values = node.args.map((arg) => (arg as Node & { value: Value }).value)
      return build.const(operate(node.op as Unary, values))
    }
  },
  either('x + 0 = x', 'add', (x, y) => (isConst(y, 0) ? x : null)),
  on('x − 0 = x', 'sub', ([x, y]) => (isConst(y, 0) ? x : null)),
  on('0 − x = −x', 'sub', ([x, y], build) => (isConst(x, 0) ? build.unary('neg', y) : null)),
  either('1 · x = x', 'mul', (x, y) => (isConst(y, 1) ? x : null)),
  either('−1 · x = −x', 'mul', (x, y, build) => (isConst(y, -1) ? build.unary('neg', x) : null)),
  on('x / 1 = x', 'div', ([x, y]) => (isConst(y, 1) ? x : null)),
  on('x / −1 = −x', 'div', ([x, y], build) => (isConst(y, -1) ? build.unary('neg', x) : null)),
  on('−(−x) = x', 'neg not', ([x], _, node) => (x.op === node.op ? x.args[0]! : null)),
  on('x − (−y) = x + y', 'sub', ([x, y], build) => (y.op === 'neg' ? build.binary('add', x, y.args[0]!) : null)),
  either('x + (−y) = x − y', 'add', (x, y, build) => (y.op === 'neg' ? build.binary('sub', x, y.args[0]!) : null)),
  on('abs of abs, abs of −x', 'abs', ([x], build) =>
    x.op === 'abs' ? x : x.op === 'neg' ? build.unary('abs', x.args[0]!) : null
  ),
  on('x op x = x', 'max min and or', ([x, y]) => (x === y ? x : null)),
  either('x and true = x', 'and', (x, y) => (isConst(y, true) ? x : null)),
  either('x and false = false', 'and', (_, y) => (isConst(y, false) ? y : null)),
  either('x or false = x', 'or', (x, y) => (isConst(y, false) ? x : null)),
  either('x or true = true', 'or', (_, y) => (isConst(y, true) ? y : null)),
  on('not (x = y)', 'not', ([x], build) => {
    const opposite = x.op === 'eq' ? 'ne' : x.op === 'ne' ? 'eq' : null
    return opposite && build.binary(opposite, x.args[0]!, x.args[1]!)
  }),
  on('select by a constant', 'select', ([c, x, y]) => (c.op === 'const' ? (c.value ? x : y) : null)),
  on('select of the same', 'select', ([, x, y]) => (x === y ? x : null)),
  on('select by not', 'select', ([c, x, y], build) => (c.op === 'not' ? build.select(c.args[0]!, y, x) : null)),
  on('powers', 'pow', ([x, y], build) =>
    x.place === 'device' && y.op === 'const' ? power(x, y.value as number, build) : null
  ),
  on('x / host = x · (1 / host)', 'div', ([x, y], build) =>
    x.place === 'device' && y.place === 'host' ? build.binary('mul', build.binary('div', build.const(1), y), x) : null
  ),
  either('host · (1 / x) = host / x', 'mul', (x, y, build) =>
    x.place === 'host' && y.place === 'device' && isInverse(y) && !build.isKept(y)
      ? build.binary('div', x, y.args[1]!)
      : null
  ),
  either('x · (1 / y) = x / y on the host', 'mul', (x, y, build) =>
    x.place === 'host' && y.place === 'host' && y.op === 'div' && isConst(y.args[0]!, 1)
      ? build.binary('div', x, y.args[1]!)
      : null
  ),
  on('collect host factors', 'mul div', (_, build, node) => {
    if (node.place === 'host' || countHost(node, build) < 2) return null
    const { host, rest } = factors(node, build)
    return build.binary('mul', host!, rest!)
  })
]

/** The largest integer power that is expanded, as the reference has it. */
const LARGEST_POWER = 1024

/** By squaring; x⁻ⁿ is 1 / xⁿ. Null for an exponent that is neither an integer nor ±½. */
function power(x: Node, n: number, build: Build): Node | null {
  if (n === 0.5) return build.unary('sqrt', x)
  if (n === -0.5) return build.unary('rsqrt', x)
  if (!Number.isInteger(n) || Math.abs(n) > LARGEST_POWER) return null
  if (n < 0) return build.binary('div', build.const(1), power(x, -n, build)!)
  if (n === 0) return build.const(1)
  if (n === 1) return x
  const half = power(x, Math.floor(n / 2), build)!
  const square = build.binary('mul', half, half)
  return n % 2 === 0 ? square : build.binary('mul', square, x)
}

const isChain = (node: Node, build: Build): boolean =>
  node.place === 'device' && (node.op === 'mul' || node.op === 'div') && !build.isKept(node)

const isInverse = (node: Node): boolean => node.op === 'div' && isConst(node.args[0]!, 1)

/** How many host factors a chain of `*` and `/` has. The 1 of an inverse is none. */
function countHost(node: Node, build: Build): number {
  if (node.place === 'host') return isConst(node, 1) ? 0 : 1
  return isChain(node, build) ? node.args.reduce((sum, arg) => sum + countHost(arg, build), 0) : 0
}

/** A chain as the product of its host factors, and what is left of it. */
function factors(node: Node, build: Build): { readonly host: Node | null; readonly rest: Node | null } {
  if (node.place === 'host') return { host: isConst(node, 1) ? null : node, rest: null }
  if (countHost(node, build) === 0) return { host: null, rest: node }
  const [x, y] = node.args.map((arg) => factors(arg, build))
  const op = node.op as 'mul' | 'div'
  return { host: join(op, x!.host, y!.host, build), rest: join(op, x!.rest, y!.rest, build) }
}

function join(op: 'mul' | 'div', x: Node | null, y: Node | null, build: Build): Node | null {
  if (!y) return x
  if (op === 'mul') return x ? build.binary('mul', x, y) : y
  return build.binary('div', x ?? build.const(1), y)
}

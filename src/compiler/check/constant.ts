/** Evaluates nodes of constants: defaults and the bounds of ranges. */
import type { Binary, Node, Unary } from './program.js'

const UNARY: Readonly<Record<Exclude<Unary, 'not'>, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  cbrt: Math.cbrt,
  exp: Math.exp,
  log: Math.log,
  floor: Math.floor,
  tanh: Math.tanh
}

const BINARY: Readonly<Record<Exclude<Binary, 'and' | 'or'>, (x: number, y: number) => number | boolean>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  pow: (x, y) => x ** y,
  max: Math.max,
  min: Math.min,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y
}

/** The value of a node of level `const`. */
export function constantOf(root: Node): number | boolean {
  const known = new Map<Node, number | boolean>()
  const visit = (node: Node): number | boolean => {
    const before = known.get(node)
    if (before !== undefined) return before
    const value = compute(node, node.args.map(visit))
    known.set(node, value)
    return value
  }
  return visit(root)
}

function compute(node: Node, args: readonly (number | boolean)[]): number | boolean {
  const [x, y, z] = args
  switch (node.op) {
    case 'const':
      return node.value
    case 'not':
      return !x
    case 'and':
      return Boolean(x) && Boolean(y)
    case 'or':
      return Boolean(x) || Boolean(y)
    case 'select':
      return x ? y! : z!
  }
  if (node.op in UNARY) return UNARY[node.op as keyof typeof UNARY](Number(x))
  if (node.op in BINARY) return BINARY[node.op as keyof typeof BINARY](Number(x), Number(y))
  throw new Error(`${node.op} is no operation on constants`)
}

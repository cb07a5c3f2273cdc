import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { Graph } from '../../../src/compiler/check/graph.js'
import type { Binary, Node, Unary } from '../../../src/compiler/check/program.js'
import { layOut } from '../../../src/compiler/emit/body.js'
import { apply } from '../../../src/compiler/emit/float64.js'
import { literal } from '../../../src/compiler/emit/text.js'

const NUMBERS: Readonly<Record<string, (...x: number[]) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  cbrt: Math.cbrt,
  exp: Math.exp,
  log: Math.log,
  floor: Math.floor,
  tanh: Math.tanh,
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  pow: (x, y) => x ** y,
  max: Math.max,
  min: Math.min
}
const COMPARISONS: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y
}

function evaluate(node: Node, t: number): number | boolean {
  const args = node.args.map((arg) => evaluate(arg, t))
  if (node.op === 'const') return node.value
  if (node.op === 'step') return t
  if (node.op === 'select') return args[0] ? args[1]! : args[2]!
  if (node.op === 'not') return !args[0]
  if (node.op === 'and') return args[0]! && args[1]!
  if (node.op === 'or') return args[0]! || args[1]!
  const compare = COMPARISONS[node.op]
  if (compare) return compare(args[0] as number, args[1] as number)
  return NUMBERS[node.op]!(...(args as number[]))
}

type Build = (g: Graph) => Node
const { number, bool } = fc.letrec<{ number: Build; bool: Build }>((tie) => ({
  number: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(
      fc.constant((g: Graph) => g.step()),
      fc.double().map((x) => (g: Graph) => g.const(x)),
      fc.integer({ min: -3, max: 3 }).map((x) => (g: Graph) => g.const(x))
    ),
    fc.tuple(fc.constantFrom(...Object.keys(NUMBERS)), tie('number'), tie('number')).map(
      ([op, x, y]) =>
        (g: Graph) =>
          NUMBERS[op]!.length === 1 && !['max', 'min'].includes(op)
            ? g.unary(op as Unary, x(g))
            : g.binary(op as Binary, x(g), y(g))
    ),
    fc.tuple(tie('bool'), tie('number'), tie('number')).map(
      ([c, x, y]) =>
        (g: Graph) =>
          g.select(c(g), x(g), y(g))
    )
  ),
  bool: fc.oneof(
    { maxDepth: 5 },
    fc.boolean().map((x) => (g: Graph) => g.const(x)),
    fc.tuple(fc.constantFrom(...Object.keys(COMPARISONS)), tie('number'), tie('number')).map(
      ([op, x, y]) =>
        (g: Graph) =>
          g.binary(op as Binary, x(g), y(g))
    ),
    fc.tuple(fc.constantFrom('and', 'or'), tie('bool'), tie('bool')).map(
      ([op, x, y]) =>
        (g: Graph) =>
          g.binary(op as Binary, x(g), y(g))
    ),
    tie('bool').map((x) => (g: Graph) => g.unary('not', x(g))),
    fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(
      ([c, x, y]) =>
        (g: Graph) =>
          g.select(c(g), x(g), y(g))
    )
  )
}))

test.prop([fc.oneof(number, bool), fc.integer({ min: 1, max: 9 })], { numRuns: 1000 })(
  'printed expressions mean what their nodes mean',
  (build, t) => {
    const node = build(new Graph())
    let next = 0
    const { lines, results } = layOut([node], {
      read: (n) => (n.op === 'const' ? literal(n.value) : n.op === 'step' ? 't' : null),
      apply,
      fresh: () => `x${next++}`
    })
    const value = new Function('t', [...lines, `return ${results[0]}`].join('\n'))(t)
    expect(value).toBe(evaluate(node, t))
  }
)

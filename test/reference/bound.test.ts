/** The bound is sound: no execution that numerics.md allows leaves it. And it is worth something: most stay near it. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { Expr } from '../../src/compiler/syntax/ast.js'
import { type Table, tables } from '../../src/reference/arithmetic.js'
import { evaluate, numbers, type Scope } from '../../src/reference/expression.js'
import { cbrt, sumOf } from '../../src/reference/functions.js'
import { add, divide, errorOf, exactly, load, multiply, subtract } from '../../src/reference/number.js'
import { gridOf } from '../../src/reference/value.js'
import { execute, type Machine, type Names, nearest, type Random, shader, show, sumInTree, wide } from './machine.js'

/** Expressions a machine; `npm run soundness` tries more. Each is executed a few times. */
const EXPRESSIONS = Number(process.env.OPTC_EXPRESSIONS ?? 4000)
const EXECUTIONS = 8

const span = { start: 0, end: 0 }
const binary = (op: '+' | '-' | '*' | '/' | '<' | '>=', left: Expr, right: Expr): Expr => ({
  kind: 'binary',
  op,
  left,
  right,
  ...span
})
const name = (text: string): Expr => ({ kind: 'name', text, ...span })
const root = (arg: Expr): Expr => ({ kind: 'unary', op: '√', arg, ...span })

const expression: fc.Arbitrary<Expr> = fc.letrec<{ e: Expr }>((tie) => ({
  e: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'p').map(name) },
    { weight: 2, arbitrary: fc.constantFrom('h', 'k').map(name) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(0.1, 1, 2, 3, 1e-7).map((value): Expr => ({ kind: 'number', value, ...span }))
    },
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.constantFrom('+', '-', '*', '/', '*', '+'), tie('e'), tie('e'))
        .map(([op, l, r]) => binary(op as '+', l, r))
    },
    { weight: 1, arbitrary: tie('e').map((arg): Expr => ({ kind: 'unary', op: '-', arg, ...span })) },
    { weight: 1, arbitrary: tie('e').map((e) => root(binary('*', e, e))) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('<', '>='), tie('e'), tie('e'), tie('e'), tie('e'))
        .map(([op, l, r, then, otherwise]): Expr => {
          return { kind: 'if', condition: binary(op as '<', l, r), then, otherwise, ...span }
        })
    }
  )
})).e

const float = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -4, max: 4, noNaN: true }).map(Math.fround) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, -1, 1e-20, 1e-38, 1e-41, -1e30).map(Math.fround) }
)
const positive = fc.double({ min: 2 ** -10, max: 8, noNaN: true })

const names: fc.Arbitrary<Names> = fc.record({
  device: fc.record({ a: float, b: float, c: float, p: positive.map(Math.fround) }),
  host: fc.record({ h: positive, k: fc.double({ min: -2, max: 2, noNaN: true }) })
})

function bounded(e: Expr, { device, host }: Names, table: Table): { x: number; bound: number } {
  const cell = (place: 'host' | 'device', x: number): [{ value: ReturnType<typeof evaluate> }] => [
    { value: { kind: 'number', level: place === 'host' ? 'config' : 'element', place, of: [[exactly(x)]] } }
  ]
  const entries = [
    ...Object.entries(host).map(([text, x]) => [text, ...cell('host', x)] as const),
    ...Object.entries(device).map(
      ([text, x]) =>
        [text, { value: { kind: 'number', level: 'element', place: 'device', of: [[load(table.device, x)]] } }] as const
    )
  ]
  const scope: Scope = {
    extent: { table, grids: [{ matrices: 1, rows: 1, cols: 1 }] },
    module: { file: { path: '', source: '', imports: [], declarations: [] }, imports: new Map() },
    facts: new Map(),
    names: new Map(entries as [string, { value: ReturnType<typeof evaluate> }][]),
    layers: [{ name: '', masks: {} }]
  }
  const v = numbers(evaluate(binary('+', e, binary('-', name('a'), name('a'))), scope)).of[0]![0]!
  return { x: v.x, bound: errorOf(v) }
}

/** fast-check gives the seed, so that a failure replays. */
function randomOf(seed: number): Random {
  let s = seed | 1
  return () => {
    s = (Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    return ((s ^ (s >>> 13)) >>> 0) / 2 ** 32
  }
}

const machines: readonly [string, Table, (random: Random) => Machine][] = [
  ['float32, to nearest', tables.ops, nearest],
  ['float64, rounded when stored', tables.javascript, wide],
  ['a shader', tables.wgsl, shader]
]

describe.each(machines)('%s', (_, table, machineOf) => {
  test.prop([expression, names, fc.integer()], { numRuns: EXPRESSIONS })(
    'no allowed execution of an expression leaves the bound',
    (e, env, seed) => {
      const whole = binary('+', e, binary('-', name('a'), name('a')))
      const { x, bound } = bounded(e, env, table)
      fc.pre(Number.isFinite(bound))
      const random = randomOf(seed)
      for (let i = 0; i < EXECUTIONS; i++) {
        const actual = execute(whole, env, machineOf(random), random)
        expect(Math.abs(actual - x), `${show(e)} with ${JSON.stringify(env)}`).toBeLessThanOrEqual(bound)
      }
    },
    60_000 + 20 * EXPRESSIONS
  )

  const layers = fc.array(fc.array(float, { maxLength: 100 }), { minLength: 1, maxLength: 4 })
  test.prop([layers, fc.boolean(), fc.integer()])('sums in any tree that is promised keep it', (owned, along, seed) => {
    const values = owned.flat()
    fc.pre(values.every((x) => Math.abs(x) < 1e9))
    const depth = along
      ? table.depth.line(gridOf([1, values.length]), 'rows')
      : table.depth.whole(owned.map((own) => gridOf([own.length])))
    const sum = sumOf(
      table.device,
      values.map((x) => load(table.device, x)),
      depth
    )
    const random = randomOf(seed)
    const machine = machineOf(random)
    const actual = machine.float64Sums ? values.reduce((a, b) => a + b, 0) : sumInTree(values, depth, machine, random)
    expect(Math.abs(Math.fround(actual) - sum.x)).toBeLessThanOrEqual(errorOf(sum))
  })
})

test('a shader may divide by a factor of 1 apart, and is not exact then', () => {
  const { device } = tables.wgsl
  const [x, one] = [load(device, 3), load(device, 1)]
  const alone = divide(device, x, x, false)
  const within = divide(device, x, multiply(device, x, one), false)
  expect(errorOf(within)).toBeGreaterThan(1.5 * errorOf(alone))
  expect(errorOf(multiply(tables.ops.device, x, one))).toBe(0)
})

test('a divisor that may be all but 0 beside what it should be makes a quotient as large', () => {
  const { device } = tables.wgsl
  const [x, small] = [1e-7, 1.1 * 2 ** -77]
  const divisor = { ...exactly(x), low: small }
  const quotient = divide(device, load(device, 1), divisor, false)
  expect(quotient.x + errorOf(quotient)).toBeGreaterThanOrEqual(1 / small)
})

test('what is added to 0 is exact, but not to a difference that is 0', () => {
  const { device } = tables.ops
  const [three, tenth] = [load(device, 3), load(device, Math.fround(0.1))]
  expect(errorOf(add(device, load(device, 0), tenth))).toBe(0)
  // It may be added to one of the terms first.
  expect(errorOf(add(device, subtract(device, three, three), tenth))).toBeGreaterThan(2 ** -24)
})

test('a cube root is negative where its operand may be', () => {
  const { device } = tables.ops
  const root = cbrt(device, { ...exactly(2 ** -9), low: -(2 ** -6) })
  expect(root.x - errorOf(root)).toBeLessThanOrEqual(-(2 ** -2))
})

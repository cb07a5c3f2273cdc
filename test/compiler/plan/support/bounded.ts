/**
 * What a program may give in float64: each value with the range of all executions that docs/numerics.md allows, by the
 * reference's arithmetic on the graph's nodes.
 */
import type { Node, Program } from '../../../../src/compiler/check/program.js'
import type { LayerInput, StepInput } from '../../../../src/compiler/plan/evaluate.js'
import { type Arithmetic, tables } from '../../../../src/reference/arithmetic.js'
import * as f from '../../../../src/reference/functions.js'
import * as n from '../../../../src/reference/number.js'
import * as t from '../../../../src/reference/truth.js'

type Num = n.Num
type Item = Num | t.Truth
type Column = readonly Item[]

const FLOAT64: Arithmetic = tables.javascript.host

export interface BoundedStep {
  readonly layers: readonly {
    readonly weight: readonly Num[]
    readonly slots: Readonly<Record<string, readonly Num[]>>
    readonly numbers: Readonly<Record<string, Num>>
    readonly observations: Readonly<Record<string, Num>>
  }[]
  readonly numbers: Readonly<Record<string, Num>>
}

export function boundProgram(program: Program, input: StepInput): BoundedStep {
  const over = new Map(program.slots.map((s) => [s.name, s.over]))
  const sizes = input.layers.map((l) => l.weight.length)
  const number = (x: number): Column => [n.exactly(x)]
  const given = (x: number | boolean): Column => (typeof x === 'number' ? number(x) : [t.truth(x)])

  const ofLayer = input.layers.map((layer) => evaluator(layer))
  const ofModel = evaluator(null)

  function evaluator(layer: LayerInput | null): (node: Node) => Column {
    const done = new Map<Node, Column>()
    const of = (node: Node): Column => {
      const known = done.get(node)
      if (known) return known
      const result = 'over' in node ? reduced(node) : node.args.length === 0 ? leaf(node) : operation(node)
      done.set(node, result)
      return result
    }
    const reduced = (node: Node & { readonly over: string }): Column => {
      const x = node.args[0]!
      const columns = node.over === 'layer' ? [of(x)] : ofLayer.map((other) => other(x))
      const items = columns.flat() as Num[]
      if (node.op === 'sum') return [f.sumOf(FLOAT64, items, items.length)]
      return [items.reduce(node.op === 'max' ? f.larger : f.smaller)]
    }
    const leaf = (node: Node): Column => {
      switch (node.op) {
        case 'const':
          return given(node.value)
        case 'hyper':
          return given(input.hypers[node.name]!)
        case 'step':
          return number(input.step)
        case 'mask':
          return given(layer!.masks[node.name]!)
        case 'weight':
        case 'gradient':
          return layer![node.op].map(n.exactly)
        case 'fact':
          if (node.name === 'modelSize') return number(sizes.reduce((a, b) => a + b))
          if (node.name === 'modelLayers') return number(sizes.length)
          return number(node.name === 'size' ? layer!.weight.length : layer![node.name])
        case 'slot':
          if (over.get(node.name) === 'model') return number(input.numbers[node.name]!)
          if (over.get(node.name) === 'layer') return number(layer!.numbers[node.name]!)
          return layer!.slots[node.name]!.map(n.exactly)
        default:
          throw new Error(node.op)
      }
    }
    const operation = (node: Node): Column => {
      const args = node.args.map(of)
      const length = node.level === 'element' ? layer!.weight.length : 1
      return Array.from({ length }, (_, i) =>
        apply(
          node,
          args.map((a) => a[a.length === 1 ? 0 : i]!)
        )
      )
    }
    return of
  }

  const wide = (column: Column, size: number): Num[] =>
    Array.from({ length: size }, (_, i) => column[column.length === 1 ? 0 : i] as Num)
  return {
    layers: ofLayer.map((of, i) => {
      const next = (o: string) => program.slots.filter((s) => s.over === o).map((s) => [s.name, of(s.next)] as const)
      return {
        weight: wide(of(program.weight), sizes[i]!),
        slots: Object.fromEntries(next('element').map(([name, column]) => [name, wide(column, sizes[i]!)])),
        numbers: Object.fromEntries(next('layer').map(([name, column]) => [name, column[0] as Num])),
        observations: Object.fromEntries(program.observations.map((o) => [o.name, of(o.value)[0] as Num]))
      }
    }),
    numbers: Object.fromEntries(
      program.slots.filter((s) => s.over === 'model').map((s) => [s.name, ofModel(s.next)[0] as Num])
    )
  }
}

function apply(node: Node, args: readonly Item[]): Item {
  const a = FLOAT64
  const [x, y] = args as [Num, Num]
  const [p, q] = args as [t.Truth, t.Truth]
  switch (node.op) {
    case 'add':
      return n.add(a, x, y)
    case 'sub':
      return n.subtract(a, x, y)
    case 'mul':
      return n.multiply(a, x, y)
    case 'div':
      return n.divide(a, x, y, node.args[1]!.place === 'host')
    case 'neg':
      return n.negate(x)
    case 'pow':
      return f.power(a, x, y, node.args[1]!.op === 'const', node.place === 'host')
    case 'sqrt':
      return f.sqrt(a, x)
    case 'rsqrt':
      return f.rsqrt(a, x)
    case 'cbrt':
      return f.cbrt(a, x)
    case 'exp':
      return f.exp(a, x)
    case 'log':
      return f.log(a, x)
    case 'tanh':
      return f.tanh(a, x)
    case 'abs':
      return f.abs(x)
    case 'sign':
      return f.sign(x)
    case 'floor':
      return f.floor(x)
    case 'max':
      return f.larger(x, y)
    case 'min':
      return f.smaller(x, y)
    case 'lt':
      return t.compare('<', x, y)
    case 'le':
      return t.compare('<=', x, y)
    case 'gt':
      return t.compare('>', x, y)
    case 'ge':
      return t.compare('>=', x, y)
    case 'eq':
      return t.compare('==', x, y)
    case 'ne':
      return t.compare('!=', x, y)
    case 'not':
      return t.not(p)
    case 'and':
      return t.and(p, q)
    case 'or':
      return t.or(p, q)
    case 'select':
      return node.kind === 'bool'
        ? t.chooseTruth(p, args[1] as t.Truth, args[2] as t.Truth)
        : t.choose(p, args[1] as Num, args[2] as Num)
    default:
      throw new Error(node.op)
  }
}

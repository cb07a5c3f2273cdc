/**
 * What a program may give in float64: each value with the range of all executions that docs/numerics.md allows, by the
 * reference's arithmetic on the graph's nodes.
 */
import type { Fact, Level, Node, Program } from '../../../../src/compiler/check/program.js'
import type { LayerInput, StepInput } from '../../../../src/compiler/plan/evaluate.js'
import { type Arithmetic, tables } from '../../../../src/reference/arithmetic.js'
import * as f from '../../../../src/reference/functions.js'
import * as n from '../../../../src/reference/number.js'
import * as t from '../../../../src/reference/truth.js'
import { count, type Grid, gridOf, join, placeOf } from '../../../../src/reference/value.js'

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
  const grids = input.layers.map(({ shape }) => gridOf(shape))
  const total = (level: Level): number => grids.reduce((sum, grid) => sum + count(grid, level), 0)
  const number = (x: number): Column => [n.exactly(x)]
  const given = (x: number | boolean): Column => (typeof x === 'number' ? number(x) : [t.truth(x)])

  const ofLayer = input.layers.map((layer, i) => evaluator(layer, grids[i]!))
  const ofModel = evaluator(null, gridOf([]))

  function evaluator(layer: LayerInput | null, grid: Grid): (node: Node) => Column {
    const done = new Map<Node, Column>()
    const of = (node: Node): Column => {
      const known = done.get(node)
      if (known) return known
      const result =
        'over' in node
          ? reduced(node)
          : node.op === 'noise'
            ? noise(node.site)
            : node.args.length === 0
              ? leaf(node)
              : operation(node)
      done.set(node, result)
      return result
    }
    const reduced = (node: Node & { readonly over: string }): Column => {
      const x = node.args[0]!
      const one = (items: readonly Num[]): Num =>
        node.op === 'sum'
          ? f.sumOf(FLOAT64, items, items.length)
          : items.reduce(node.op === 'max' ? f.larger : f.smaller)
      if (node.over === 'model') return [one(ofLayer.flatMap((other) => other(x)) as Num[])]
      const column = of(x) as Num[]
      if (node.over === 'layer') return [one(column)]
      // What crosses a row or a column is met once by each.
      const met = join([x.level, node.level])
      const groups = Array.from({ length: count(grid, node.level) }, (): Num[] => [])
      for (let j = 0; j < count(grid, met); j++) {
        groups[placeOf(grid, node.level, met, j)]!.push(column[placeOf(grid, x.level, met, j)]!)
      }
      return groups.map(one)
    }
    /** As `evaluate.ts` has it: numbers that stand for the random ones. */
    const noise = (site: number): Column => layer!.weight.map((_, j) => n.exactly((0.618 * (j + 1) + 0.414 * site) % 1))
    const leaf = (node: Node): Column => {
      switch (node.op) {
        case 'const':
          return given(node.value)
        case 'hyper':
          return given(input.hypers[node.name]!)
        case 'step':
          return number(input.step)
        case 'key':
          return number(node.word)
        case 'mask':
          return given(layer!.masks[node.name]!)
        case 'weight':
        case 'gradient':
          return layer![node.op].map(n.exactly)
        case 'fact':
          return number(facts[node.name]())
        case 'slot':
          if (over.get(node.name) === 'model') return number(input.numbers[node.name]!)
          if (over.get(node.name) === 'layer') return number(layer!.numbers[node.name]!)
          return layer!.slots[node.name]!.map(n.exactly)
        default:
          throw new Error(node.op)
      }
    }
    const facts: Readonly<Record<Fact, () => number>> = {
      rank: () => layer!.shape.length,
      age: () => layer!.age,
      size: () => count(grid, 'element'),
      rows: () => count(grid, 'row'),
      cols: () => count(grid, 'col'),
      rowSize: () => grid.cols,
      colSize: () => grid.rows,
      matrices: () => grid.matrices,
      modelSize: () => total('element'),
      modelRows: () => total('row'),
      modelCols: () => total('col'),
      modelChannels: () => total('channel'),
      modelLayers: () => grids.length
    }
    const operation = (node: Node): Column => {
      const args = node.args.map(of)
      return Array.from({ length: count(grid, node.level) }, (_, j) =>
        apply(
          node,
          args.map((a, i) => a[placeOf(grid, node.args[i]!.level, node.level, j)]!)
        )
      )
    }
    return of
  }

  const wide = (of: (node: Node) => Column, node: Node, level: Level, grid: Grid): Num[] =>
    Array.from({ length: count(grid, level) }, (_, j) => of(node)[placeOf(grid, node.level, level, j)] as Num)
  return {
    layers: ofLayer.map((of, i) => {
      const grid = grids[i]!
      const next = (o: string) => program.slots.filter((s) => s.over === o).map((s) => [s.name, of(s.next)] as const)
      const inLayer = program.slots.filter(({ over }) => over !== 'layer' && over !== 'model')
      return {
        weight: wide(of, program.weight, 'element', grid),
        slots: Object.fromEntries(inLayer.map((s) => [s.name, wide(of, s.next, s.over, grid)])),
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

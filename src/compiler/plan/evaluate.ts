/**
 * What a step means, in float64: of a program, value by value; of a Plan, pass by pass, with nothing at hand but what the
 * Plan says is there. That both give the same is how rewriting and planning are tested.
 */
import { axesOf, joinAxes } from '../check/axes.js'
import type { Level, Node, Program } from '../check/program.js'
import { operate, REDUCTIONS, type Value } from './arithmetic.js'
import { isOfModel, isReduction, isVarying, levelOfBuffer, reach } from './order.js'
import type { Buffer, Pass, Plan, ReduceNode, Variant } from './plan.js'

/** A layer that takes part in a step. `numbers` is state over the layer, on the host or the device. */
export interface LayerInput {
  readonly shape: readonly number[]
  /** Steps it has taken part in, with this one. */
  readonly age: number
  readonly masks: Readonly<Record<string, boolean>>
  /** What a group sets. */
  readonly hypers?: Readonly<Record<string, Value>>
  readonly weight: readonly number[]
  readonly gradient: readonly number[]
  readonly slots: Readonly<Record<string, readonly number[]>>
  readonly numbers: Readonly<Record<string, number>>
}

export interface StepInput {
  readonly step: number
  readonly hypers: Readonly<Record<string, Value>>
  readonly layers: readonly LayerInput[]
  /** State over the model. */
  readonly numbers: Readonly<Record<string, number>>
}

export interface LayerResult {
  readonly weight: readonly number[]
  readonly slots: Readonly<Record<string, readonly number[]>>
  readonly numbers: Readonly<Record<string, number>>
  readonly observations: Readonly<Record<string, number>>
}

export interface StepResult {
  readonly layers: readonly LayerResult[]
  readonly numbers: Readonly<Record<string, number>>
}

/** One entry for each value that the level has in a layer. */
type Column = readonly Value[]

/** The matrices that a layer is seen as. */
interface Matrices {
  readonly batch: number
  readonly rowCount: number
  readonly colCount: number
}

function matricesOf(shape: readonly number[]): Matrices {
  const [colCount, rowCount, ...rest] = shape.length === 1 ? [1, shape[0]!] : [...shape].reverse()
  return { batch: rest.reduce((a, b) => a * b, 1), rowCount: rowCount ?? 1, colCount: colCount ?? 1 }
}

/** Numbers of a layer as facts call them. */
function factsOf(shape: readonly number[]): Readonly<Record<string, number>> {
  const { batch, rowCount, colCount } = matricesOf(shape)
  return {
    rank: shape.length,
    size: batch * rowCount * colCount,
    matrices: batch,
    rows: batch * rowCount,
    cols: batch * colCount,
    rowSize: colCount,
    colSize: rowCount
  }
}

/** Where a value of a level stands, for each entry of another: that of the layer where it has but one. */
function placesIn(shape: readonly number[], level: Level, each: Level): readonly number[] {
  const { batch, rowCount, colCount } = matricesOf(shape)
  const range = (n: number, is: boolean): number[] => (is ? [...Array(n).keys()] : [0])
  const varies = (l: Level, axis: 'batch' | 'row' | 'col'): boolean => axesOf(l).includes(axis)
  /** Along the axes that the level has, the last one running fastest. */
  const place = (m: number, r: number, c: number): number => {
    const row =
      (varies(level, 'batch') ? m : 0) * (varies(level, 'row') ? rowCount : 1) + (varies(level, 'row') ? r : 0)
    return row * (varies(level, 'col') ? colCount : 1) + (varies(level, 'col') ? c : 0)
  }
  return range(batch, varies(each, 'batch')).flatMap((m) =>
    range(rowCount, varies(each, 'row')).flatMap((r) => range(colCount, varies(each, 'col')).map((c) => place(m, r, c)))
  )
}

/** Evaluates nodes once each; `known` gives what is at hand, and null for what is to be computed from its operands. */
function evaluator(known: (node: Node) => Column | null, shape: readonly number[] = []): (node: Node) => Column {
  const done = new Map<Node, Column>()
  return (root) => {
    for (const node of reach([root], (n) => !done.has(n) && known(n) === null)) {
      if (done.has(node)) continue
      const args = node.args.map((arg) => ({ level: arg.level, column: done.get(arg)! }))
      done.set(node, known(node) ?? map(node, args, shape))
    }
    return done.get(root)!
  }
}

/** Values, and what they vary with. */
interface Spread {
  readonly level: Level
  readonly column: Column
}

function map(node: Node, args: readonly Spread[], shape: readonly number[]): Column {
  if (args.length === 0 || isReduction(node)) throw new Error(`${node.op} (node ${node.id}) is not at hand`)
  const op = node.op as Parameters<typeof operate>[0]
  const columns = args.map((arg) => spreadTo(arg, node.level, shape))
  return columns[0]!.map((_, i) =>
    operate(
      op,
      columns.map((column) => column[i]!)
    )
  )
}

/** Numbers that stand for the random ones: others for each element and site, and the same in each run. */
function noiseOf(node: Node, { weight }: LayerInput): Column | null {
  return node.op === 'noise' ? weight.map((_, i) => (0.618 * (i + 1) + 0.414 * node.site) % 1) : null
}

/** One entry for each of `level`. */
function spreadTo({ level: own, column }: Spread, level: Level, shape: readonly number[]): Column {
  return own === level ? column : placesIn(shape, own, level).map((place) => column[place]!)
}

/** Over a layer, or its rows, columns or channels. */
function reduceIn(node: ReduceNode, column: Column, level: Level, shape: readonly number[]): Column {
  const { start, join } = REDUCTIONS[node.op]
  const least = joinAxes(level, node.over)
  const values = spreadTo({ level, column }, least, shape)
  const result: number[] = placesIn(shape, node.level, node.level).map(() => start)
  for (const [i, place] of placesIn(shape, node.level, least).entries())
    result[place] = join(result[place]!, Number(values[i]))
  return result
}

function reduceAll(node: ReduceNode, columns: readonly Column[]): Column {
  const { start, join } = REDUCTIONS[node.op]
  return [columns.flat().reduce((a: number, b) => join(a, b as number), start)]
}

/** Leaves that the host knows. */
function hostLeaf(program: Program, input: StepInput, layer: LayerInput | null, node: Node): Column | null {
  const ofModel = (fact: string): number => input.layers.reduce((sum, l) => sum + factsOf(l.shape)[fact]!, 0)
  switch (node.op) {
    case 'const':
      return [node.value]
    case 'hyper':
      return [layer?.hypers?.[node.name] ?? input.hypers[node.name]!]
    case 'step':
      return [input.step]
    case 'key':
      return [node.word]
    case 'mask':
      return [layer!.masks[node.name]!]
    case 'fact':
      switch (node.name) {
        case 'modelSize':
          return [ofModel('size')]
        case 'modelRows':
          return [ofModel('rows')]
        case 'modelCols':
          return [ofModel('cols')]
        case 'modelChannels':
          return [ofModel('rowSize')]
        case 'modelLayers':
          return [input.layers.length]
        case 'age':
          return [layer!.age]
        default:
          return [factsOf(layer!.shape)[node.name]!]
      }
    case 'slot': {
      const { over } = program.slots.find((s) => s.name === node.name)!
      if (over === 'model') return [input.numbers[node.name]!]
      return over === 'layer' ? [layer!.numbers[node.name]!] : null
    }
    default:
      return null
  }
}

/** Numbers, one for each of `level`, also where an expression is the same for several. */
function spread(node: Node, column: Column, level: Level, shape: readonly number[]): number[] {
  return spreadTo({ level: node.level, column }, level, shape).map(Number)
}

/** The program's own meaning. */
export function evaluateProgram(program: Program, input: StepInput): StepResult {
  const ofModel = evaluator((node) => {
    if (isReduction(node))
      return reduceAll(
        node,
        layers.map((of) => of(node.args[0]!))
      )
    return hostLeaf(program, input, null, node)
  })
  const layers = input.layers.map((layer) => {
    const of: (node: Node) => Column = evaluator((node) => {
      if (isOfModel(node)) return ofModel(node)
      if (isReduction(node)) return reduceIn(node, of(node.args[0]!), node.args[0]!.level, layer.shape)
      if (node.op === 'weight' || node.op === 'gradient') return layer[node.op]
      return (
        noiseOf(node, layer) ??
        hostLeaf(program, input, layer, node) ??
        (node.op === 'slot' ? layer.slots[node.name]! : null)
      )
    }, layer.shape)
    return of
  })
  return {
    layers: layers.map((of, i): LayerResult => {
      const { shape } = input.layers[i]!
      const next = (...over: readonly string[]) => program.slots.filter((s) => over.includes(s.over))
      return {
        weight: spread(program.weight, of(program.weight), 'element', shape),
        slots: Object.fromEntries(
          next('element', 'row', 'col', 'channel').map((s) => [s.name, spread(s.next, of(s.next), s.over, shape)])
        ),
        numbers: Object.fromEntries(next('layer').map((s) => [s.name, Number(of(s.next)[0])])),
        observations: Object.fromEntries(program.observations.map((o) => [o.name, Number(of(o.value)[0])]))
      }
    }),
    numbers: Object.fromEntries(
      program.slots.filter((s) => s.over === 'model').map((s) => [s.name, Number(ofModel(s.next)[0])])
    )
  }
}

/** A layer on its way through the passes of its variant. */
interface Run {
  readonly input: LayerInput
  readonly variant: Variant
  /** Host values of this layer. */
  readonly host: (node: Node) => Column
  readonly buffers: Map<string, readonly number[]>
  /** What passes gathered, and cells, as they are made. */
  readonly totals: Map<Node, Column>
  readonly cells: Map<Node, Column>
}

/** The Plan, step by step. Throws where it uses what it has not made. */
export function evaluatePlan(plan: Plan, input: StepInput): StepResult {
  const { program } = plan
  const scalars = new Set(plan.scalars.map((s) => s.node))
  const modelTotals = new Map<Node, Column>()
  const modelCells = new Map<Node, Column>()
  const hostOf = (layer: LayerInput | null) => evaluator((node) => hostLeaf(program, input, layer, node))
  const hostModel = hostOf(null)
  const runs = input.layers.map((layer) => begin(plan, layer, hostOf(layer)))

  /** A device scalar where `totals` may be read, or its host parts; null for what is to be computed. */
  const scalar = (node: Node, run: Run | null, totals: boolean): Column | null => {
    if (node.op === 'const') return [node.value]
    if (node.place === 'host') {
      if (!scalars.has(node)) throw new Error(`host value ${node.id} is not among the scalars`)
      return (run?.host ?? hostModel)(node)
    }
    const made = run?.cells.get(node) ?? modelCells.get(node)
    if (made) return made
    const total = totals ? (run?.totals.get(node) ?? (run ? null : modelTotals.get(node))) : null
    if (total) return total
    return node.op === 'slot' && !isVarying(node) ? hostLeaf(program, input, run?.input ?? null, node) : null
  }

  const sweep = (run: Run, pass: Pass): void => {
    const { shape } = run.input
    const isLoaded = (buffer: Buffer): boolean => pass.loads.some((b) => keyOf(b) === keyOf(buffer))
    const loaded = new Map(
      pass.reads.map(({ node, from }) => {
        if (!isLoaded(from)) throw new Error(`${keyOf(from)} is read but not loaded`)
        return [node, run.buffers.get(keyOf(from))!] as const
      })
    )
    const of = evaluator((node) => {
      const found = loaded.get(node) ?? noiseOf(node, run.input)
      if (found) return found
      if (isVarying(node) && node.level !== pass.domain) throw new Error(`node ${node.id} is not of this pass`)
      return isVarying(node) ? null : scalar(node, run, false)
    }, shape)
    const levelOf = (to: Buffer): Level => levelOfBuffer(program, run.variant.vectors, to)
    const stored = pass.stores.map(
      ({ to, value }) => [keyOf(to), spread(value, of(value), levelOf(to), shape)] as const
    )
    for (const { node, value } of pass.reductions) {
      const over = node.over === 'model' ? 'layer' : node.over
      const each = { ...node, over, level: over } as ReduceNode
      const total = reduceIn(each, spread(value, of(value), pass.domain, shape), pass.domain, shape)
      const vector = run.variant.vectors.findIndex((v) => v.node === node)
      if (vector >= 0) stored.push([keyOf({ kind: 'vector', index: vector }), total.map(Number)])
      else run.totals.set(node, total)
    }
    for (const [key, column] of stored) run.buffers.set(key, column)
    for (const i of pass.finish) {
      const { node } = run.variant.cells[i]!
      run.cells.set(node, evaluator((n) => scalar(n, run, true))(node))
    }
  }

  for (let segment = 0; segment <= plan.barriers.length; segment++) {
    for (const run of runs) for (const pass of run.variant.passes) if (pass.segment === segment) sweep(run, pass)
    const barrier = plan.barriers[segment]
    if (!barrier) break
    for (const node of barrier.reductions) {
      const parts = runs.map((run) => {
        const share = run.variant.shares.find((s) => s.node === node)
        return share ? evaluator((n) => scalar(n, run, true))(share.value) : run.totals.get(node)!
      })
      modelTotals.set(node, reduceAll(node, parts))
    }
    for (const i of barrier.finish) {
      const { node } = plan.modelCells[i]!
      modelCells.set(node, evaluator((n) => scalar(n, null, true))(node))
    }
  }

  const ofModel = evaluator((n) => scalar(n, null, true))
  return {
    layers: runs.map((run): LayerResult => {
      const of = evaluator((n) => scalar(n, run, true))
      const number = (node: Node): number => Number((node.place === 'host' ? run.host(node) : of(node))[0])
      const host = plan.hostState.filter((s) => overOf(program, s.slot) === 'layer')
      return {
        weight: run.buffers.get('weight')!,
        slots: Object.fromEntries(Object.keys(run.input.slots).map((name) => [name, run.buffers.get(`slot ${name}`)!])),
        numbers: {
          ...run.input.numbers,
          ...Object.fromEntries([...host, ...run.variant.layerState].map((s) => [s.slot, number(s.value)]))
        },
        observations: Object.fromEntries(
          program.observations.map(({ name, value }) => {
            const seen = run.variant.observations.find((o) => o.name === name)
            return [name, number(seen?.value ?? value)]
          })
        )
      }
    }),
    numbers: {
      ...input.numbers,
      ...Object.fromEntries(
        plan.hostState
          .filter((s) => overOf(program, s.slot) === 'model')
          .map((s) => [s.slot, Number(hostModel(s.value)[0])])
      ),
      ...Object.fromEntries(plan.modelState.map((s) => [s.slot, Number(ofModel(s.value)[0])]))
    }
  }
}

function begin(plan: Plan, input: LayerInput, host: Run['host']): Run {
  const index = plan.conditions.reduce((bits, condition, i) => bits | (host(condition)[0] ? 1 << i : 0), 0)
  const buffers = new Map<string, readonly number[]>([
    ['weight', input.weight],
    ['gradient', input.gradient],
    ...Object.entries(input.slots).map(([name, values]) => [`slot ${name}`, values] as const)
  ])
  return { input, variant: plan.variants[index]!, host, buffers, totals: new Map(), cells: new Map() }
}

function keyOf(buffer: Buffer): string {
  if (buffer.kind === 'slot') return `slot ${buffer.name}`
  return 'index' in buffer ? `${buffer.kind} ${buffer.index}` : buffer.kind
}

function overOf(program: Program, slot: string): string {
  return program.slots.find((s) => s.name === slot)!.over
}

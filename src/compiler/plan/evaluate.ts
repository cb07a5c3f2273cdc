/**
 * What a step means, in float64: of a program, value by value; of a Plan, pass by pass, with nothing at hand but what the
 * Plan says is there. That both give the same is how rewriting and planning are tested.
 */
import type { Node, Program } from '../check/program.js'
import { operate, REDUCTIONS, type Value } from './arithmetic.js'
import { isElement, isOfModel, isReduction, reach } from './order.js'
import type { Buffer, Pass, Plan, ReduceNode, Variant } from './plan.js'

/** A layer that takes part in a step. `numbers` is state over the layer, on the host or the device. */
export interface LayerInput {
  readonly rank: number
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

/** One entry an element; one in all for what is the same for all. */
type Column = readonly Value[]

/** Evaluates nodes once each; `known` gives what is at hand, and null for what is to be computed from its operands. */
function evaluator(known: (node: Node) => Column | null): (node: Node) => Column {
  const done = new Map<Node, Column>()
  return (root) => {
    for (const node of reach([root], (n) => !done.has(n) && known(n) === null)) {
      if (!done.has(node))
        done.set(
          node,
          known(node) ??
            map(
              node,
              node.args.map((arg) => done.get(arg)!)
            )
        )
    }
    return done.get(root)!
  }
}

function map(node: Node, args: readonly Column[]): Column {
  if (args.length === 0 || isReduction(node)) throw new Error(`${node.op} (node ${node.id}) is not at hand`)
  const length = args.every((a) => a.length === 1) && !isElement(node) ? 1 : Math.max(...args.map((a) => a.length))
  const at = (column: Column, i: number): Value => column[column.length === 1 ? 0 : i]!
  const op = node.op as Parameters<typeof operate>[0]
  return Array.from({ length }, (_, i) =>
    operate(
      op,
      args.map((a) => at(a, i))
    )
  )
}

function reduce(node: ReduceNode, columns: readonly Column[]): Column {
  const { start, join } = REDUCTIONS[node.op]
  return [columns.flat().reduce((a: number, b) => join(a, b as number), start)]
}

/** Leaves that the host knows. */
function hostLeaf(program: Program, input: StepInput, layer: LayerInput | null, node: Node): Column | null {
  const sizes = input.layers.map((l) => l.weight.length)
  switch (node.op) {
    case 'const':
      return [node.value]
    case 'hyper':
      return [layer?.hypers?.[node.name] ?? input.hypers[node.name]!]
    case 'step':
      return [input.step]
    case 'mask':
      return [layer!.masks[node.name]!]
    case 'fact':
      if (node.name === 'modelSize') return [sizes.reduce((a, b) => a + b, 0)]
      if (node.name === 'modelLayers') return [sizes.length]
      return [node.name === 'size' ? layer!.weight.length : layer![node.name]]
    case 'slot': {
      const { over } = program.slots.find((s) => s.name === node.name)!
      if (over === 'model') return [input.numbers[node.name]!]
      return over === 'layer' ? [layer!.numbers[node.name]!] : null
    }
    default:
      return null
  }
}

/** A value of each weight, also where an expression is the same for all. */
function spread(column: Column, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Number(column[column.length === 1 ? 0 : i]))
}

/** The program's own meaning. */
export function evaluateProgram(program: Program, input: StepInput): StepResult {
  const ofModel = evaluator((node) => {
    if (isReduction(node))
      return reduce(
        node,
        layers.map((of) => of(node.args[0]!))
      )
    return hostLeaf(program, input, null, node)
  })
  const layers = input.layers.map((layer) => {
    const of: (node: Node) => Column = evaluator((node) => {
      if (isOfModel(node)) return ofModel(node)
      if (isReduction(node)) return reduce(node, [of(node.args[0]!)])
      if (node.op === 'weight' || node.op === 'gradient') return layer[node.op]
      return hostLeaf(program, input, layer, node) ?? (node.op === 'slot' ? layer.slots[node.name]! : null)
    })
    return of
  })
  return {
    layers: layers.map((of, i): LayerResult => {
      const size = input.layers[i]!.weight.length
      const next = (over: string) =>
        program.slots.filter((s) => s.over === over).map((s) => [s.name, of(s.next)] as const)
      return {
        weight: spread(of(program.weight), size),
        slots: Object.fromEntries(next('element').map(([name, column]) => [name, spread(column, size)])),
        numbers: Object.fromEntries(next('layer').map(([name, column]) => [name, Number(column[0])])),
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
    return node.op === 'slot' && !isElement(node) ? hostLeaf(program, input, run?.input ?? null, node) : null
  }

  const sweep = (run: Run, pass: Pass): void => {
    const isLoaded = (buffer: Buffer): boolean => pass.loads.some((b) => keyOf(b) === keyOf(buffer))
    const loaded = new Map(
      pass.reads.map(({ node, from }) => {
        if (!isLoaded(from)) throw new Error(`${keyOf(from)} is read but not loaded`)
        return [node, run.buffers.get(keyOf(from))!] as const
      })
    )
    const of = evaluator((node) => loaded.get(node) ?? (isElement(node) ? null : scalar(node, run, false)))
    const size = run.input.weight.length
    const stored = pass.stores.map(({ to, value }) => [keyOf(to), spread(of(value), size)] as const)
    for (const { node, value } of pass.reductions) run.totals.set(node, reduce(node, [spread(of(value), size)]))
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
      modelTotals.set(node, reduce(node, parts))
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
  return buffer.kind === 'scratch' ? `scratch ${buffer.index}` : buffer.kind
}

function overOf(program: Program, slot: string): string {
  return program.slots.find((s) => s.name === slot)!.over
}

/**
 * How the passes of a segment become functions that the host can start: a workgroup's part of a pass, over a span of the layer
 * or over tiles; what brings the parts together; and all passes in one workgroup, for a small layer.
 */
import type { Node } from '../check/program.js'
import { hasVectors, reductionsOf } from '../plan/order.js'
import type { Pass, Plan, Variant } from '../plan/plan.js'
import { bufferIndex, readName } from './buffers.js'
import { type CellRecord, cellsOf, isOverLayer } from './cells.js'
import { type Scalars, scalarsFrom } from './shader.js'
import * as wgsl from './wgsl.js'
import * as tiles from './wgsl-tiles.js'

/** tfjs's device has the 8 storage buffers a stage that WebGPU guarantees; `cells` is one of them. */
export const STORAGE_BUFFERS = 8

/** A function that the host can start, and the names of what it binds. */
export interface Entry {
  readonly name: string
  readonly binds: ReadonlySet<string>
}

/** A value that one invocation computes, and where it leaves it. */
export interface Leaving {
  readonly to: string
  readonly node: Node
}

/** What printing a variant's functions needs. */
export interface Scope {
  readonly plan: Plan
  readonly variant: Variant
  readonly layer: CellRecord
  readonly model: CellRecord
  /** By index: 0 the weight, 1 the gradient, then slots, then scratch. */
  readonly buffers: readonly string[]
  /** Functions, in the order in which they are printed. */
  readonly functions: string[]
}

export interface Sweep {
  readonly pass: Pass
  /** The calls that make up the pass in one workgroup. */
  readonly calls: readonly string[]
  /** Whether it leaves something in `cells`, or reads there what a later pass may replace: a row's state, a column's. */
  readonly meets: boolean
  readonly binds: ReadonlySet<string>
  /** A workgroup's part of the pass. */
  readonly part: Entry
  /** For a pass that reduces: one workgroup brings together what the parts have, and finishes. */
  readonly meet: Entry | null
}

/** A pass before what comes behind it: over spans of a layer, or over tiles. */
interface Swept {
  readonly binds: ReadonlySet<string>
  /** What one of many workgroups does, and what one that is alone does. */
  readonly part: readonly string[]
  readonly alone: readonly string[]
  /** Where partial results of a reduction begin, and how many there are. */
  readonly partials: (node: Node) => string
  readonly parts: string
}

const MEET = ['storageBarrier();', 'workgroupBarrier();']

export function printSweep(scope: Scope, pass: Pass, leaves: readonly Leaving[]): Sweep {
  const { plan, variant, layer, model, functions } = scope
  const index = variant.passes.indexOf(pass)
  const names = { gather: `gather${index}`, finish: `finish${index}`, part: `part${index}`, meet: `meet${index}` }
  const { totals, vectors } = reductionsOf(pass)
  const ops = totals.map((r) => r.node.op)
  const bins = new Map(totals.map(({ node }, r) => [node as Node, `bin${r}[0]`]))

  const isTiled = hasVectors(variant)
  const swept = isTiled ? sweepTiles(scope, pass, index) : sweepSpans(scope, pass, index)
  if (ops.length > 0) functions.push(wgsl.printGather(names.gather, ops))
  const leavings = [
    ...totals.map(({ node }) => ({
      to: isOverLayer(node) ? layer.textOf(node) : shareOf(plan, node),
      node: node as Node
    })),
    ...cellsOf(variant, pass)
      .filter((node) => !bins.has(node))
      .map((node) => ({ to: layer.textOf(node), node })),
    ...leaves
  ]
  const finish =
    leavings.length > 0
      ? wgsl.printFinish(names.finish, leavings, scalarsOf(plan, [layer, model], bins, leavings), bins.size)
      : null
  if (finish) functions.push(finish.text)

  const finishOnce = (condition: string): string[] => (finish ? [`if (${condition}) { ${names.finish}(); }`] : [])
  const binds = new Set(['layer', ...swept.binds, ...(finish?.binds ?? [])])
  if (pass.reductions.length === 0) {
    functions.push(wgsl.printEntry(names.part, [...swept.part, ...finishOnce('group.x == 0u && id == 0u')]))
    const calls = [...swept.alone, ...finishOnce('id == 0u')]
    const meets = (isTiled && swept.binds.has('cells')) || finish !== null
    return { pass, calls, meets, binds, part: { name: names.part, binds }, meet: null }
  }
  const gather = ops.length > 0 ? [`${names.gather}(id);`] : []
  const collect = ops.map((op, r) => {
    const { node } = totals[r]!
    return `bin${r}[id] = collect_${op}(id, ${swept.partials(node)}, ${swept.parts});`
  })
  const meetTotals = [...collect, ...gather, ...finishOnce('id == 0u')]
  functions.push(wgsl.printEntry(names.part, swept.part))
  const lines = `lines${index}`
  if (vectors.length > 0) functions.push(tiles.printLines(lines, pass, scope))
  const meetLines = (first: string, step: string): string[] =>
    vectors.length > 0 ? [`${lines}(${first}, ${step});`] : []
  const ofAll = vectors.length > 0 && meetTotals.length > 0
  functions.push(
    wgsl.printEntry(names.meet, [
      ...meetLines(`${wgsl.WORKGROUP}u * group.x + id`, `${wgsl.WORKGROUP}u * groups.x`),
      ...(ofAll ? ['if (group.x == 0u) {', ...meetTotals.map((line) => `  ${line}`), '}'] : meetTotals)
    ])
  )
  return {
    pass,
    calls: isTiled
      ? [...swept.alone, ...MEET, ...meetLines('id', `${wgsl.WORKGROUP}u`), ...meetTotals]
      : [...swept.alone, ...gather, ...finishOnce('id == 0u')],
    meets: true,
    binds: isTiled ? new Set([...binds, 'cells']) : binds,
    part: { name: names.part, binds: new Set(['layer', 'cells', ...swept.binds]) },
    meet: { name: names.meet, binds: new Set(['layer', 'cells', ...(finish?.binds ?? [])]) }
  }
}

/** A pass in one workgroup leaves its totals in the bins, and in many theirs in `cells`. */
function sweepSpans({ plan, layer, model, buffers, functions }: Scope, pass: Pass, index: number): Swept {
  const name = `pass${index}`
  const body = wgsl.printPass(name, pass, scalarsOf(plan, [layer, model]), {
    array: (b) => buffers[bufferIndex(plan.program, b)]!,
    element: (b) => readName(plan.program, pass, b)
  })
  functions.push(body.text)
  const partials = (node: Node): string =>
    rowAt(
      'layer.partials',
      pass.reductions.findIndex((r) => r.node === node),
      'layer.parts'
    )
  const left = pass.reductions.map(({ node }, r) => `  cells[${partials(node)} + group.x] = bin${r}[0];`)
  return {
    binds: body.binds,
    part: [
      'let start = group.x * layer.span;',
      `${name}(id, start + id, min(start + layer.span, layer.size));`,
      ...(left.length > 0 ? [`gather${index}(id);`, 'if (id == 0u) {', ...left, '}'] : [])
    ],
    alone: [`${name}(id, id, layer.size);`],
    partials,
    parts: 'layer.parts'
  }
}

function sweepTiles({ plan, variant, layer, model, buffers, functions }: Scope, pass: Pass, index: number): Swept {
  const name = `pass${index}`
  const body = tiles.printTile(name, pass, {
    plan,
    variant,
    scalars: scalarsOf(plan, [layer, model]),
    array: (b) => buffers[bufferIndex(plan.program, b)]!
  })
  functions.push(body.text)
  const view = tiles.viewOf(pass)
  const parts = `tiles_of(${view})`
  return {
    binds: body.binds,
    part: [`for (var tile = group.x; tile < ${parts}; tile += groups.x) { ${name}(id, tile); }`],
    alone: [`for (var tile = 0u; tile < ${parts}; tile++) { ${name}(id, tile); }`],
    partials: (node) => tiles.partialsOf(pass, node, view),
    parts
  }
}

/**
 * All passes of a segment in one workgroup; null where a single part does that already, or where together they would bind
 * too many buffers. An invocation sees the same elements in every pass, so that only cells need a barrier.
 */
export function printWhole(
  scope: Scope,
  segment: number,
  sweeps: readonly Sweep[],
  leaves: readonly Leaving[]
): Entry | null {
  const { plan, layer, model, functions } = scope
  const name = `whole${segment}`
  if (sweeps.length === 0) {
    if (leaves.length === 0) return null
    const finish = wgsl.printFinish(`leave${segment}`, leaves, scalarsOf(plan, [layer, model]), 0)
    functions.push(finish.text, wgsl.printEntry(name, [`if (id == 0u) { leave${segment}(); }`]))
    return { name, binds: finish.binds }
  }
  if (sweeps.length === 1 && sweeps[0]!.meet === null) return null
  const binds = new Set(sweeps.flatMap((s) => [...s.binds]))
  if (binds.size - 1 > STORAGE_BUFFERS) return null
  functions.push(
    wgsl.printEntry(
      name,
      sweeps.flatMap((s, i) => [...s.calls, ...(s.meets && i < sweeps.length - 1 ? MEET : [])])
    )
  )
  return { name, binds }
}

/** Where a row of a table begins. */
export function rowAt(table: string, row: number, columns: string): string {
  return row === 0 ? table : `${table} + ${row === 1 ? '' : `${row}u * `}${columns}`
}

/** A layer's place in the table, for one reduction over the model. */
export function shareOf(plan: Plan, reduction: Node): string {
  const row = plan.barriers.flatMap((b): Node[] => [...b.reductions]).indexOf(reduction)
  return `cells[${rowAt('layer.table', row, 'layer.rows')} + layer.row]`
}

/**
 * How a module's functions read constants, host scalars, cells and state. `bins` are totals that a workgroup has just made;
 * what is `leaving` for its own place in the first record is computed here.
 */
export function scalarsOf(
  plan: Plan,
  [own, ...others]: readonly CellRecord[],
  bins: ReadonlyMap<Node, string> = new Map(),
  leaving: readonly Leaving[] = []
): Scalars {
  const computed = new Set(leaving.filter(({ to, node }) => to === own!.read(node)).map((l) => l.node))
  return scalarsFrom(plan, (node) => {
    const scalar = plan.scalars.findIndex((s) => s.node === node)
    if (scalar >= 0) return `layer.s[${scalar >> 2}].${'xyzw'[scalar & 3]}`
    if (bins.has(node)) return bins.get(node)!
    for (const record of computed.has(node) ? others : [own!, ...others]) {
      const text = record.read(node)
      if (text !== null) return text
    }
    return null
  })
}

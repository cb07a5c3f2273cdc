/**
 * The webgpu target: a WGSL module for each variant and one for the model, and tables that say which entry point runs when
 * and what it binds. `src/runtime/webgpu.ts` runs them.
 *
 * A pass is printed as one function, and called from two entry points: by many workgroups, each on its part, or by one
 * workgroup that takes a small layer through all passes of a segment.
 */
import type { Node } from '../check/program.js'
import type { Abilities, Pass, Plan, Variant } from '../plan/plan.js'
import { bufferIndex, readName } from './buffers.js'
import { type CellRecord, cellsOf, isOverLayer, recordOfLayer, recordOfModel, totalsOf } from './cells.js'
import type { Emitted, Emitter } from './emitter.js'
import { ascii, freshNames } from './names.js'
import { type Scalars, scalarsFrom, template } from './shader.js'
import { array, object } from './text.js'
import * as wgsl from './wgsl.js'

/** tfjs's device has the 8 storage buffers a stage that WebGPU guarantees; `cells` is one of them. */
const STORAGE_BUFFERS = 8

const ABILITIES: Abilities = {
  target: 'webgpu',
  reducesInPass: true,
  inPlace: true,
  maxBuffers: STORAGE_BUFFERS - 1,
  maxOutputs: STORAGE_BUFFERS - 1,
  maxReductions: Infinity,
  recomputes: true,
  axes: false,
  noise: true
}

export const webgpu: Emitter = { target: 'webgpu', abilities: ABILITIES, emit }

const READING =
  '// WebGPU. T is vec4f, or f32 for a layer whose size is no multiple of 4; layer, cells and collect_… are in the runtime.'

function emit(plan: Plan): Emitted {
  const own = `webgpu${ascii(plan.program.name)}`
  const variants = [...new Set(plan.variants)]
  const nameOf = (variant: Variant): string => `${own}${variants.indexOf(variant)}`
  const printed = variants.map((v) => `const ${nameOf(v)}: WebGpuVariant = ${printVariant(plan, v)}`)
  const hasModel = plan.barriers.length > 0 || plan.modelState.length > 0
  if (hasModel) printed.push(`const ${own}Model: WebGpuModel = ${printModel(plan)}`)
  return {
    declarations: [`${READING}\n${printed[0]}`, ...printed.slice(1)],
    expression: `webgpu(${object([
      ['variants', array(plan.variants.map(nameOf))],
      ['model', hasModel ? `${own}Model` : null]
    ])})`,
    imports: { webgpu: ['webgpu', 'type WebGpuVariant', ...(hasModel ? ['type WebGpuModel'] : [])] }
  }
}

/** A function that the host can start, and the names of what it binds. */
interface Entry {
  readonly name: string
  readonly binds: ReadonlySet<string>
}

/** A value that one invocation computes, and where it leaves it. */
interface Leaving {
  readonly to: string
  readonly node: Node
}

/** What printing a variant's functions needs. */
interface Scope {
  readonly plan: Plan
  readonly variant: Variant
  readonly layer: CellRecord
  readonly model: CellRecord
  /** By index: 0 the weight, 1 the gradient, then slots, then scratch. */
  readonly buffers: readonly string[]
  /** Functions, in the order in which they are printed. */
  readonly functions: string[]
}

function printVariant(plan: Plan, variant: Variant): string {
  const layer = recordOfLayer(plan, variant)
  const buffers = nameBuffers(plan, variant)
  const scope: Scope = { plan, variant, layer, model: recordOfModel(plan), buffers, functions: [] }
  const segments = Array.from({ length: plan.barriers.length + 1 }, (_, i) => printSegment(scope, i))
  const stored = new Set(variant.passes.flatMap((p) => p.stores.map((s) => bufferIndex(plan.program, s.to))))
  const written = [...stored].filter((i) => i < buffers.length - variant.scratch).sort((a, b) => a - b)
  const most = Math.max(0, ...variant.passes.map((p) => p.reductions.length))
  const stateAfter = (name: string, i: number): number => {
    const value = variant.layerState.find((s) => s.slot === name)?.value
    return value ? layer.placeOf(value) : i
  }
  return object([
    ['stores', numbers(written)],
    ['scratch', String(variant.scratch)],
    ['cells', String(layer.size)],
    ['partials', String(most)],
    ['state', numbers(layer.slots.map(stateAfter))],
    ['observed', numbers(variant.observations.map((o) => layer.placeOf(o.value)))],
    ['segments', array(segments)],
    ['code', template('wgsl', [...declareBuffers(scope), ...modulesText(scope.functions, most)])]
  ])
}

/** What runs between two barriers: each pass over many workgroups, or everything in one. */
function printSegment(scope: Scope, segment: number): string {
  const { plan, variant } = scope
  const passes = variant.passes.filter((p) => p.segment === segment)
  const leaves = [...sharesOf(scope, segment), ...(segment === plan.barriers.length ? keptOf(scope) : [])]
  const sweeps = passes.map((pass) => printSweep(scope, pass, pass === passes.at(-1) ? leaves : []))
  const whole = printWhole(scope, segment, sweeps, leaves)
  const entry = ({ name, binds }: Entry): string => `['${name}', ${numbers(bindingsOf(binds, scope.buffers))}]`
  const parts = sweeps.map(({ part, meet }) =>
    object([
      ['pass', entry(part)],
      ['finish', meet ? entry(meet) : null]
    ])
  )
  return object([
    ['parts', array(parts)],
    ['whole', whole ? entry(whole) : null]
  ])
}

/** What the layer adds to reductions at the segment's end, of those that no pass gathers. */
function sharesOf({ plan, variant }: Scope, segment: number): Leaving[] {
  const reductions = plan.barriers[segment]?.reductions ?? []
  return variant.shares
    .filter(({ node }) => reductions.includes(node))
    .map(({ node, value }) => ({ to: shareOf(plan, node), node: value }))
}

/** State and observations that are no cells already. */
function keptOf({ variant, layer }: Scope): Leaving[] {
  const made = new Set(variant.passes.flatMap((p) => [...totalsOf(p), ...cellsOf(variant, p)]))
  const kept = new Set([...variant.layerState, ...variant.observations].map((k) => k.value))
  return [...kept]
    .filter((node) => !made.has(node) && !layer.isSlot(node))
    .map((node) => ({ to: layer.textOf(node), node }))
}

/** Where a row of a table begins. */
function rowAt(table: string, row: number, columns: string): string {
  return row === 0 ? table : `${table} + ${row === 1 ? '' : `${row}u * `}${columns}`
}

/** A layer's place in the table, for one reduction over the model. */
function shareOf(plan: Plan, reduction: Node): string {
  const row = plan.barriers.flatMap((b): Node[] => [...b.reductions]).indexOf(reduction)
  return `cells[${rowAt('layer.table', row, 'layer.rows')} + layer.row]`
}

interface Sweep {
  /** The calls that make up the pass in one workgroup. */
  readonly calls: readonly string[]
  readonly finishes: boolean
  readonly binds: ReadonlySet<string>
  readonly reduces: boolean
  /** A workgroup's part of the pass. */
  readonly part: Entry
  /** For a pass that reduces: one workgroup brings together what the parts have, and finishes. */
  readonly meet: Entry | null
}

function printSweep(scope: Scope, pass: Pass, leaves: readonly Leaving[]): Sweep {
  const { plan, variant, layer, model, functions } = scope
  const index = variant.passes.indexOf(pass)
  const names = {
    pass: `pass${index}`,
    gather: `gather${index}`,
    finish: `finish${index}`,
    part: `part${index}`,
    meet: `meet${index}`
  }
  const ops = pass.reductions.map((r) => r.node.op)
  const bins = new Map(pass.reductions.map(({ node }, r) => [node as Node, `bin${r}[0]`]))

  const body = wgsl.printPass(names.pass, pass, scalarsOf(plan, [layer, model]), {
    array: (b) => scope.buffers[bufferIndex(plan.program, b)]!,
    element: (b) => readName(plan.program, pass, b)
  })
  functions.push(body.text)
  if (ops.length > 0) functions.push(wgsl.printGather(names.gather, ops))
  const leavings = [
    ...pass.reductions.map(({ node }) => ({
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

  const start = [
    'let start = group.x * layer.span;',
    `${names.pass}(id, start + id, min(start + layer.span, layer.size));`
  ]
  const gather = `${names.gather}(id);`
  const finishOnce = (condition: string): string[] => (finish ? [`if (${condition}) { ${names.finish}(); }`] : [])
  const binds = new Set(['layer', ...body.binds, ...(finish?.binds ?? [])])
  if (ops.length === 0) {
    functions.push(wgsl.printEntry(names.part, [...start, ...finishOnce('group.x == 0u && id == 0u')]))
    const calls = [`${names.pass}(id, id, layer.size);`, ...finishOnce('id == 0u')]
    return { calls, finishes: finish !== null, binds, reduces: false, part: { name: names.part, binds }, meet: null }
  }
  const partial = (r: number): string => rowAt('layer.partials', r, 'layer.parts')
  functions.push(
    wgsl.printEntry(names.part, [
      ...start,
      gather,
      'if (id == 0u) {',
      ...ops.map((_, r) => `  cells[${partial(r)} + group.x] = bin${r}[0];`),
      '}'
    ]),
    wgsl.printEntry(names.meet, [
      ...ops.map((op, r) => `bin${r}[id] = collect_${op}(id, ${partial(r)}, layer.parts);`),
      gather,
      ...finishOnce('id == 0u')
    ])
  )
  return {
    calls: [`${names.pass}(id, id, layer.size);`, gather, ...finishOnce('id == 0u')],
    finishes: true,
    binds,
    reduces: true,
    part: { name: names.part, binds: new Set(['layer', 'cells', ...body.binds]) },
    meet: { name: names.meet, binds: new Set(['layer', 'cells', ...finish!.binds]) }
  }
}

/**
 * All passes of a segment in one workgroup; null where a single part does that already, or where together they would bind
 * too many buffers. An invocation sees the same elements in every pass, so that only cells need a barrier.
 */
function printWhole(scope: Scope, segment: number, sweeps: readonly Sweep[], leaves: readonly Leaving[]): Entry | null {
  const { plan, layer, model, functions } = scope
  const name = `whole${segment}`
  if (sweeps.length === 0) {
    if (leaves.length === 0) return null
    const finish = wgsl.printFinish(`leave${segment}`, leaves, scalarsOf(plan, [layer, model]), 0)
    functions.push(finish.text, wgsl.printEntry(name, [`if (id == 0u) { leave${segment}(); }`]))
    return { name, binds: finish.binds }
  }
  if (sweeps.length === 1 && !sweeps[0]!.reduces) return null
  const binds = new Set(sweeps.flatMap((s) => [...s.binds]))
  if (binds.size - 1 > STORAGE_BUFFERS) return null
  const meets = ['storageBarrier();', 'workgroupBarrier();']
  functions.push(
    wgsl.printEntry(
      name,
      sweeps.flatMap((s, i) => [...s.calls, ...(s.finishes && i < sweeps.length - 1 ? meets : [])])
    )
  )
  return { name, binds }
}

/** Barriers: one workgroup reduces over the layers, and makes the cells of the model. */
function printModel(plan: Plan): string {
  const model = recordOfModel(plan)
  const functions: string[] = []
  const rows = plan.barriers.flatMap((b): Node[] => [...b.reductions])
  const made = new Set<Node>([...rows, ...plan.modelCells.map((c) => c.node)])
  const state = plan.modelState.map((s) => s.value).filter((node) => !made.has(node) && !model.isSlot(node))
  // State without a reduction still changes once a step.
  const barriers = plan.barriers.length > 0 ? plan.barriers : [{ reductions: [], finish: [] }]
  const entries = barriers.map((barrier, index) => {
    const bins = new Map(barrier.reductions.map((node, r) => [node as Node, `bin${r}[0]`]))
    const cells = barrier.finish.map((i) => plan.modelCells[i]!.node).filter((node) => !bins.has(node))
    const last = index === barriers.length - 1
    const leavings = [...barrier.reductions, ...cells, ...(last ? state : [])].map((node) => ({
      to: model.textOf(node),
      node
    }))
    const finish = wgsl.printFinish(`finish${index}`, leavings, scalarsOf(plan, [model], bins, leavings), bins.size)
    const name = `barrier${index}`
    const row = (node: Node): string => rowAt('layer.table', rows.indexOf(node), 'layer.rows')
    const reduces = barrier.reductions.length > 0
    functions.push(finish.text)
    if (reduces)
      functions.push(
        wgsl.printGather(
          `gather${index}`,
          barrier.reductions.map((r) => r.op)
        )
      )
    functions.push(
      wgsl.printEntry(name, [
        ...barrier.reductions.map((node, r) => `bin${r}[id] = collect_${node.op}(id, ${row(node)}, layer.rows);`),
        ...(reduces ? [`gather${index}(id);`] : []),
        `if (id == 0u) { finish${index}(); }`
      ])
    )
    const binds = new Set(['cells', ...(reduces ? ['layer'] : []), ...finish.binds])
    return `['${name}', ${numbers(bindingsOf(binds, []))}]`
  })
  const stateAfter = (name: string, i: number): number => {
    const value = plan.modelState.find((s) => s.slot === name)?.value
    return value ? model.placeOf(value) : i
  }
  return object([
    ['cells', String(model.size)],
    ['rows', String(rows.length)],
    ['state', numbers(model.slots.map(stateAfter))],
    ['barriers', array(entries)],
    ['code', template('wgsl', modulesText(functions, Math.max(...barriers.map((b) => b.reductions.length))))]
  ])
}

/**
 * How a module's functions read constants, host scalars, cells and state. `bins` are totals that a workgroup has just made;
 * what is `leaving` for its own place in the first record is computed here.
 */
function scalarsOf(
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

/** Names of the arrays, by index. */
function nameBuffers({ program }: Plan, { scratch }: Variant): string[] {
  const fresh = freshNames([])
  const { weight, gradient } = program.symbols
  const slots = program.slots.filter((s) => s.over === 'element').map((s) => s.name)
  const all = [weight, gradient, ...slots, ...Array.from({ length: scratch }, (_, i) => `scratch${i}`)]
  return all.map((name) => fresh(`${name}_`))
}

function declareBuffers({ plan, variant, buffers }: Scope): string[] {
  const touched = new Set(
    variant.passes.flatMap((p) => [...p.loads, ...p.stores.map((s) => s.to)]).map((b) => bufferIndex(plan.program, b))
  )
  return buffers.flatMap((name, i) =>
    touched.has(i)
      ? [`@group(0) @binding(${i + 2}) var<storage, ${i === 1 ? 'read' : 'read_write'}> ${name}: array<T>;`]
      : []
  )
}

/** Bindings by number: `layer` is 0, `cells` 1, and buffers follow. */
function bindingsOf(binds: ReadonlySet<string>, buffers: readonly string[]): number[] {
  return ['layer', 'cells', ...buffers].flatMap((name, i) => (binds.has(name) ? [i] : []))
}

function modulesText(functions: readonly string[], bins: number): string[] {
  return [
    ...Array.from({ length: bins }, (_, r) => `var<workgroup> bin${r}: array<f32, ${wgsl.WORKGROUP}>;`),
    ...wgsl.helpersOf(functions.join('\n')),
    ...functions
  ]
}

function numbers(values: readonly number[]): string {
  return array(values.map(String))
}

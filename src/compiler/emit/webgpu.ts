/**
 * The webgpu target: a WGSL module for each variant and one for the model, and tables that say which entry point runs when
 * and what it binds. `src/runtime/webgpu.ts` runs them.
 *
 * A pass is printed as one function, and called from two entry points: by many workgroups, each on its part, or by one
 * workgroup that takes a small layer through all passes of a segment.
 */
import type { Node } from '../check/program.js'
import { levelOfBuffer } from '../plan/order.js'
import type { Abilities, Pass, Plan, Variant } from '../plan/plan.js'
import { bufferIndex, isVectorBuffer, readName } from './buffers.js'
import { type CellRecord, cellsOf, isOverLayer, recordOfLayer, recordOfModel, totalsOf } from './cells.js'
import type { Emitted, Emitter } from './emitter.js'
import { ascii, freshNames } from './names.js'
import { type Scalars, scalarsFrom, template } from './shader.js'
import { array, object } from './text.js'
import * as wgsl from './wgsl.js'
import * as tiles from './wgsl-tiles.js'

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
  axes: true,
  noise: true
}

export const webgpu: Emitter = { target: 'webgpu', abilities: ABILITIES, emit }

const READING =
  '// WebGPU. T is vec4f, or f32 for a layer whose size is no multiple of 4; layer, cells, collect_… and join_… are in the runtime.'

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
  const kept = variant.passes.flatMap((p) => p.stores.map((s) => s.to)).filter((b) => !isVectorBuffer(b))
  const stored = new Set(kept.map((b) => bufferIndex(plan.program, b)))
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
    ['lines', tiles.inTiles(variant) ? printCounts(tiles.linesOf(plan, variant)) : null],
    ['state', numbers(layer.slots.map(stateAfter))],
    ['observed', numbers(variant.observations.map((o) => layer.placeOf(o.value)))],
    ['segments', array(segments)],
    ['code', template('wgsl', [...declareBuffers(scope), ...modulesText(scope.functions, memoryOf(variant))])]
  ])
}

/** How many arrays of the workgroup's there are, by the size of each. */
interface Memory {
  readonly bins: number
  readonly sheets: number
  /** Rows of 64 numbers in a sheet. */
  readonly height: number
}

function memoryOf(variant: Variant): Memory {
  if (tiles.inTiles(variant)) return tiles.memoryOf(variant)
  return { bins: Math.max(0, ...variant.passes.map((p) => p.reductions.length)), sheets: 0, height: 0 }
}

function printCounts(lines: Readonly<Record<string, readonly string[]>>): string {
  return object(Object.entries(lines).map(([level, of]) => [level, String(of.length)]))
}

/** What runs between two barriers: each pass over many workgroups, or everything in one. */
function printSegment(scope: Scope, segment: number): string {
  const { plan, variant } = scope
  const passes = variant.passes.filter((p) => p.segment === segment)
  const leaves = [...sharesOf(scope, segment), ...(segment === plan.barriers.length ? keptOf(scope) : [])]
  const sweeps = passes.map((pass) => printSweep(scope, pass, pass === passes.at(-1) ? leaves : []))
  const whole = printWhole(scope, segment, sweeps, leaves)
  const entry = ({ name, binds }: Entry): string => `['${name}', ${numbers(bindingsOf(binds, scope.buffers))}]`
  const parts = sweeps.map(({ part, meet, pass }) =>
    object([
      ['over', pass.domain === 'element' ? null : `'${pass.domain}'`],
      ['pass', entry(part)],
      ['finish', meet ? entry(meet) : null],
      ['leaves', printLeaves(pass)]
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

/** The levels, below the layer's, of what a pass gathers. */
function printLeaves(pass: Pass): string | null {
  const levels = new Set(tiles.reductionsOf(pass).vectors.map((r) => r.node.level))
  return levels.size > 0 ? array([...levels].map((level) => `'${level}'`)) : null
}

interface Sweep {
  readonly pass: Pass
  /** The calls that make up the pass in one workgroup. */
  readonly calls: readonly string[]
  /** Whether it leaves something in `cells`. */
  readonly leaves: boolean
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

function printSweep(scope: Scope, pass: Pass, leaves: readonly Leaving[]): Sweep {
  const { plan, variant, layer, model, functions } = scope
  const index = variant.passes.indexOf(pass)
  const names = { gather: `gather${index}`, finish: `finish${index}`, part: `part${index}`, meet: `meet${index}` }
  const { totals, vectors } = tiles.reductionsOf(pass)
  const ops = totals.map((r) => r.node.op)
  const bins = new Map(totals.map(({ node }, r) => [node as Node, `bin${r}[0]`]))

  const isTiled = tiles.inTiles(variant)
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
    const intoCells = pass.domain !== 'element' || finish !== null
    return { pass, calls, leaves: intoCells, binds, part: { name: names.part, binds }, meet: null }
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
    leaves: true,
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
function printWhole(scope: Scope, segment: number, sweeps: readonly Sweep[], leaves: readonly Leaving[]): Entry | null {
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
      sweeps.flatMap((s, i) => [...s.calls, ...(s.leaves && i < sweeps.length - 1 ? MEET : [])])
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
    [
      'code',
      template(
        'wgsl',
        modulesText(functions, { bins: Math.max(...barriers.map((b) => b.reductions.length)), sheets: 0, height: 0 })
      )
    ]
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
  const slots = program.slots.filter((s) => s.over !== 'layer' && s.over !== 'model').map((s) => s.name)
  const all = [weight, gradient, ...slots, ...Array.from({ length: scratch }, (_, i) => `scratch${i}`)]
  return all.map((name) => fresh(`${name}_`))
}

function declareBuffers({ plan, variant, buffers }: Scope): string[] {
  const touched = new Set(
    variant.passes
      .flatMap((p) => [...p.loads, ...p.stores.map((s) => s.to)])
      .filter((b) => levelOfBuffer(plan.program, variant.vectors, b) === 'element')
      .map((b) => bufferIndex(plan.program, b))
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

function modulesText(functions: readonly string[], { bins, sheets, height }: Memory): string[] {
  const arrays = (count: number, name: string, size: number): string[] =>
    Array.from({ length: count }, (_, r) => `var<workgroup> ${name}${r}: array<f32, ${size}>;`)
  return [
    ...arrays(bins, 'bin', wgsl.WORKGROUP),
    ...arrays(sheets, 'sheet', wgsl.WORKGROUP * height),
    ...wgsl.helpersOf(functions.join('\n')),
    ...functions
  ]
}

function numbers(values: readonly number[]): string {
  return array(values.map(String))
}

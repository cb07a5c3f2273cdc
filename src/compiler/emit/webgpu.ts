/**
 * The webgpu target: a WGSL module for each variant and one for the model, and tables that say which entry point runs when
 * and what it binds. `src/runtime/webgpu.ts` runs them.
 *
 * A pass is printed as one function, and called from two entry points: by many workgroups, each on its part, or by one
 * workgroup that takes a small layer through all passes of a segment.
 */
import type { Node } from '../check/program.js'
import { hasVectors, levelOfBuffer, reductionsOf } from '../plan/order.js'
import type { Abilities, Pass, Plan, Variant } from '../plan/plan.js'
import { bufferIndex, isVectorBuffer, tensorSlots } from './buffers.js'
import { cellsOf, recordOfLayer, recordOfModel, totalsOf } from './cells.js'
import type { Emitted, Emitter } from './emitter.js'
import { ascii, freshNames } from './names.js'
import { template } from './shader.js'
import { array, object } from './text.js'
import {
  type Entry,
  type Leaving,
  printSweep,
  printWhole,
  rowAt,
  type Scope,
  STORAGE_BUFFERS,
  scalarsOf,
  shareOf
} from './webgpu-sweeps.js'
import * as wgsl from './wgsl.js'
import * as tiles from './wgsl-tiles.js'

const ABILITIES: Abilities = {
  target: 'webgpu',
  reducesInPass: true,
  inPlace: true,
  maxBuffers: STORAGE_BUFFERS - 1,
  maxOutputs: STORAGE_BUFFERS - 1,
  maxReductions: Infinity,
  maxLoads: Infinity,
  recomputes: true
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
    ['lines', hasVectors(variant) ? printCounts(tiles.linesOf(plan, variant)) : null],
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
  if (hasVectors(variant)) return tiles.memoryOf(variant)
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

/** The levels, below the layer's, of what a pass gathers. */
function printLeaves(pass: Pass): string | null {
  const levels = new Set(reductionsOf(pass).vectors.map((r) => r.node.level))
  return levels.size > 0 ? array([...levels].map((level) => `'${level}'`)) : null
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

/** Names of the arrays, by index. */
function nameBuffers({ program }: Plan, { scratch }: Variant): string[] {
  const fresh = freshNames([])
  const { weight, gradient } = program.symbols
  const slots = tensorSlots(program).map((s) => s.name)
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

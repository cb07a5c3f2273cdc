/**
 * The webgpu target: a WGSL module for each variant, one for the model, and tables that say which entry point runs when and
 * what it binds. `src/runtime/webgpu.ts` runs them.
 *
 * All device scalars of a step stand in one buffer, `cells`. First those of the model: state as the step finds it, totals
 * of reductions, cells, state and so on after the step. Then a table with what each layer adds to each reduction over the
 * model. Then a record for each layer, made up as the model's is. Last, the partial sums of one pass at a time.
 */
import type { Node } from '../check/program.js'
import type { Abilities, Buffer, Pass, Plan, Variant } from '../plan/plan.js'
import { authorNames } from './body.js'
import type { Emitted, Emitter } from './emitter.js'
import { ascii, freshNames } from './names.js'
import * as wgsl from './wgsl.js'

/** tfjs's device has the 8 storage buffers a stage that WebGPU guarantees. */
const STORAGE_BUFFERS = 8

const ABILITIES: Abilities = {
  target: 'webgpu',
  reducesInPass: true,
  inPlace: true,
  maxBuffers: STORAGE_BUFFERS - 1,
  maxOutputs: STORAGE_BUFFERS - 1
}

export const webgpu: Emitter = { target: 'webgpu', abilities: ABILITIES, emit }

function emit(plan: Plan): Emitted {
  const own = `webgpu${ascii(plan.program.name)}`
  const model = modelRecord(plan)
  const variants = [...new Set(plan.variants)]
  const nameOf = (variant: Variant): string => `${own}${variants.indexOf(variant)}`
  const declarations = variants.map((v) => `const ${nameOf(v)}: WebGpuVariant = ${printVariant(plan, v, model)}\n`)
  const fields: Record<string, string> = { variants: array(plan.variants.map(nameOf)) }
  const barriers = printModel(plan, model)
  if (barriers) {
    declarations.push(`const ${own}Model: WebGpuModel = ${barriers}\n`)
    fields.model = `${own}Model`
  }
  return {
    declarations: declarations.join('\n'),
    expression: `webgpu(${object(fields)})`,
    imports: ['webgpu', 'type WebGpuVariant', ...(barriers ? ['type WebGpuModel'] : [])]
  }
}

/** Numbers side by side in `cells`, from `base` on, by the node that each is the value of. */
interface Row {
  readonly base: string
  readonly offsets: Map<Node, number>
  readonly slots: readonly string[]
  floats: number
}

function record(plan: Plan, over: 'layer' | 'model', base: string): Row {
  const slots = plan.program.slots.filter((s) => s.over === over && s.place === 'device').map((s) => s.name)
  return { base, offsets: new Map(), slots, floats: slots.length }
}

function add(record: Row, node: Node): void {
  if (!record.offsets.has(node)) record.offsets.set(node, record.floats++)
}

function at(record: Row, offset: number): string {
  return `cells[${record.base}${offset}u]`
}

function find(record: Row, node: Node): number | null {
  if (node.op === 'slot') {
    const slot = record.slots.indexOf(node.name)
    return slot >= 0 ? slot : null
  }
  return record.offsets.get(node) ?? null
}

function modelRecord(plan: Plan): Row {
  const model = record(plan, 'model', '')
  for (const barrier of plan.barriers) {
    for (const node of barrier.reductions) add(model, node)
    for (const index of barrier.finish) add(model, plan.modelCells[index]!.node)
  }
  return model
}

/** Readers of host scalars, constants, and of the records given, where `local` does not know better. */
function scalarsOf(plan: Plan, records: readonly Row[], local: ReadonlyMap<Node, string> = new Map()): wgsl.Scalars {
  const named = authorNames(plan.program)
  const read = (node: Node): string | null => {
    if (node.op === 'const') return wgsl.literal(node.value)
    const here = local.get(node)
    if (here !== undefined) return here
    const scalar = plan.scalars.findIndex((s) => s.node === node)
    if (scalar >= 0) return truth(node, `layer.s[${scalar >> 2}].${'xyzw'[scalar & 3]}`)
    for (const record of records) {
      const offset = find(record, node)
      if (offset !== null) return truth(node, at(record, offset))
    }
    return null
  }
  const given = new Map(
    [...plan.scalars, ...plan.modelCells, ...plan.variants.flatMap((v) => v.cells)].map((s) => [s.node, s.name])
  )
  return {
    read,
    named,
    nameOf: (node) => named(node)?.name ?? given.get(node) ?? ('name' in node ? node.name : node.op)
  }
}

function overLayer(node: Node): boolean {
  return 'over' in node && node.over === 'layer'
}

function truth(node: Node, text: string): string {
  return node.kind === 'bool' ? `${text} != 0.0` : text
}

interface Entry {
  readonly name: string
  readonly text: string
  readonly binds: ReadonlySet<string>
}

function printVariant(plan: Plan, variant: Variant, model: Row): string {
  const layer = record(plan, 'layer', 'layer.at + ')
  for (const pass of variant.passes) {
    for (const { node } of pass.reductions) if (overLayer(node)) add(layer, node)
    for (const index of pass.finish) add(layer, variant.cells[index]!.node)
  }
  const kept = [...variant.layerState, ...variant.observations].map((entry) => entry.value)
  const committed = new Set(kept.filter((node) => find(layer, node) === null))
  const places = new Map<Node, number>()
  for (const node of committed) places.set(node, layer.floats++)
  const placeOf = (node: Node): number => find(layer, node) ?? places.get(node)!

  const rows = plan.barriers.flatMap((b) => b.reductions)
  const share = (node: Node): string =>
    `cells[layer.table + ${rows.indexOf(node as (typeof rows)[number])}u * layer.rows + layer.row]`
  const gathered = new Set<Node>(variant.passes.flatMap((p) => p.reductions.map((r) => r.node)))

  const bufferNames = nameBuffers(plan, variant)
  const buffer = (b: Buffer): string => bufferNames[bufferIndex(plan, b)]!
  const functions: string[] = []
  const segments: string[] = []
  const last = plan.barriers.length
  for (let segment = 0; segment <= last; segment++) {
    const passes = variant.passes.filter((p) => p.segment === segment)
    // What the segment leaves behind: shares of one value a layer, and after the last one state and observations.
    const leaves = [
      ...(plan.barriers[segment]?.reductions ?? [])
        .filter((r) => !gathered.has(r))
        .map((r) => ({ to: share(r), node: r.args[0]! })),
      ...(segment === last ? [...committed].map((node) => ({ to: at(layer, places.get(node)!), node })) : [])
    ]
    const printed = passes.map((pass) =>
      printSweep(plan, variant, pass, [layer, model], share, pass === passes.at(-1) ? leaves : [], buffer)
    )
    functions.push(...printed.flatMap((p) => p.functions))
    const whole = printWhole(plan, segment, printed, leaves, [layer, model])
    const entries = [...printed.flatMap((p) => [p.part, ...(p.finish ? [p.finish] : [])]), ...(whole ? [whole] : [])]
    functions.push(...entries.map((e) => e.text))
    const entry = (e: Entry): string => `['${e.name}', ${array(bindingNumbers(e.binds, bufferNames).map(String))}]`
    segments.push(
      object({
        parts: array(printed.map((p) => object({ pass: entry(p.part), ...(p.finish && { finish: entry(p.finish) }) }))),
        ...(whole && { whole: entry(whole) })
      })
    )
  }

  const partials = Math.max(0, ...variant.passes.map((p) => p.reductions.length))
  const code = [
    ...declareBuffers(plan, variant, bufferNames),
    ...declareBins(partials),
    ...wgsl.helpersOf(functions.join('\n')),
    ...functions
  ].join('\n')
  const stores = [...new Set(variant.passes.flatMap((p) => p.stores.map((s) => bufferIndex(plan, s.to))))]
  const slotCount = elementSlots(plan).length
  return object({
    stores: array(stores.filter((i) => i < 2 + slotCount).map(String)),
    scratch: String(variant.scratch),
    floats: String(layer.floats),
    partials: String(partials),
    state: array(
      layer.slots.map((name, i) =>
        String(placeOf(variant.layerState.find((s) => s.slot === name)?.value ?? ({ op: 'slot', name } as Node)) ?? i)
      )
    ),
    observed: array(variant.observations.map((o) => String(placeOf(o.value)))),
    segments: array(segments),
    code: template(code)
  })
}

interface Sweep {
  readonly index: number
  readonly functions: readonly string[]
  readonly pass: ReadonlySet<string>
  readonly finishBinds: ReadonlySet<string> | null
  readonly reduces: boolean
  readonly part: Entry
  readonly finish: Entry | null
}

/** The functions and entry points of one pass: a workgroup's part of it, and what is computed once all have met. */
function printSweep(
  plan: Plan,
  variant: Variant,
  pass: Pass,
  records: readonly [Row, Row],
  share: (node: Node) => string,
  leaves: readonly { to: string; node: Node }[],
  buffer: (b: Buffer) => string
): Sweep {
  const index = variant.passes.indexOf(pass)
  const ops = pass.reductions.map((r) => r.node.op)
  const sweep = wgsl.printPass(`pass${index}`, pass, scalarsOf(plan, records), buffer)
  const functions = [sweep.text]
  if (ops.length > 0) functions.push(wgsl.printGather(`gather${index}`, ops))

  const bins = new Map<Node, string>(pass.reductions.map(({ node }, r) => [node, `bin${r}[0]`]))
  const cells = pass.finish.map((i) => variant.cells[i]!.node)
  const keeps = [
    ...pass.reductions.map(({ node }) => ({
      to: overLayer(node) ? at(records[0], find(records[0], node)!) : share(node),
      node
    })),
    ...cells.filter((node) => !bins.has(node)).map((node) => ({ to: at(records[0], find(records[0], node)!), node })),
    ...leaves
  ]
  let finishBinds: ReadonlySet<string> | null = null
  if (keeps.length > 0) {
    const local = new Map(bins)
    const known = scalarsOf(plan, records, local)
    const fresh = new Set(cells)
    const read = (node: Node): string | null => (fresh.has(node) && !bins.has(node) ? null : known.read(node))
    const finish = wgsl.printFinish(`finish${index}`, keeps, { ...known, read })
    functions.push(finish.text)
    finishBinds = finish.binds
  }

  const start = [
    `let start = group.x * layer.span;`,
    `pass${index}(id, start + id, min(start + layer.span, layer.size));`
  ]
  if (ops.length === 0) {
    const lines = finishBinds ? [...start, `if (group.x == 0u && id == 0u) { finish${index}(); }`] : start
    const binds = new Set([...sweep.binds, ...(finishBinds ?? []), 'layer'])
    const part = { name: `part${index}`, text: wgsl.printEntry(`part${index}`, lines), binds }
    return { index, functions, pass: sweep.binds, finishBinds, reduces: false, part, finish: null }
  }
  const partial = (r: number): string => `layer.partials + ${r}u * layer.parts`
  const part = {
    name: `part${index}`,
    text: wgsl.printEntry(`part${index}`, [
      ...start,
      `gather${index}(id);`,
      'if (id == 0u) {',
      ...ops.map((_, r) => `  cells[${partial(r)} + group.x] = bin${r}[0];`),
      '}'
    ]),
    binds: new Set([...sweep.binds, 'layer', 'cells'])
  }
  const finish = {
    name: `meet${index}`,
    text: wgsl.printEntry(`meet${index}`, [
      ...ops.map((op, r) => `bin${r}[id] = ${wgsl.REDUCE[op].collect}(id, ${partial(r)}, layer.parts);`),
      `gather${index}(id);`,
      `if (id == 0u) { finish${index}(); }`
    ]),
    binds: new Set([...finishBinds!, 'layer', 'cells'])
  }
  return { index, functions, pass: sweep.binds, finishBinds, reduces: true, part, finish }
}

/**
 * All passes of a segment in one workgroup, for a layer that is small enough; null where a single part does that already, or
 * where together they would bind too many buffers. Each invocation sees the same elements in every pass.
 */
function printWhole(
  plan: Plan,
  segment: number,
  sweeps: readonly Sweep[],
  leaves: readonly { to: string; node: Node }[],
  records: readonly Row[]
): Entry | null {
  const name = `segment${segment}`
  if (sweeps.length === 0) {
    if (leaves.length === 0) return null
    const finish = wgsl.printFinish(`leave${segment}`, leaves, scalarsOf(plan, records))
    return {
      name,
      text: `${finish.text}\n${wgsl.printEntry(name, [`if (id == 0u) { leave${segment}(); }`])}`,
      binds: new Set(finish.binds)
    }
  }
  if (sweeps.length === 1 && !sweeps[0]!.reduces) return null
  const binds = new Set(['layer', ...sweeps.flatMap((s) => [...s.pass, ...(s.finishBinds ?? [])])])
  if ([...binds].filter((b) => b !== 'layer').length > STORAGE_BUFFERS) return null
  const lines = sweeps.flatMap((s, i) => [
    `pass${s.index}(id, id, layer.size);`,
    ...(s.reduces ? [`gather${s.index}(id);`] : []),
    ...(s.finishBinds ? [`if (id == 0u) { finish${s.index}(); }`] : []),
    ...(s.finishBinds && i < sweeps.length - 1 ? ['storageBarrier();', 'workgroupBarrier();'] : [])
  ])
  return { name, text: wgsl.printEntry(name, lines), binds }
}

/** Barriers: one workgroup reduces over the layers, and makes the cells of the model. */
function printModel(plan: Plan, model: Row): string | null {
  const committed = plan.modelState.filter((s) => find(model, s.value) === null).map((s) => s.value)
  if (plan.barriers.length === 0 && committed.length === 0) return null
  const places = new Map<Node, number>()
  for (const node of committed) if (!places.has(node)) places.set(node, model.floats++)
  const rows = plan.barriers.flatMap((b) => b.reductions)
  const functions: string[] = []
  const entries: string[] = []
  const barriers = plan.barriers.length > 0 ? plan.barriers : [{ reductions: [], finish: [] }]
  for (const [index, barrier] of barriers.entries()) {
    const ops = barrier.reductions.map((r) => r.op)
    const bins = new Map<Node, string>(barrier.reductions.map((node, r) => [node, `bin${r}[0]`]))
    const cells = barrier.finish.map((i) => plan.modelCells[i]!.node).filter((node) => !bins.has(node))
    const keeps = [...barrier.reductions, ...cells].map((node) => ({
      to: at(model, find(model, node)!),
      node: node as Node
    }))
    if (index === barriers.length - 1)
      keeps.push(...[...places].map(([node, place]) => ({ to: at(model, place), node })))
    const known = scalarsOf(plan, [model], bins)
    const read = (node: Node): string | null => (cells.includes(node) ? null : known.read(node))
    const finish = wgsl.printFinish(`finish${index}`, keeps, { ...known, read })
    functions.push(finish.text)
    if (ops.length > 0) functions.push(wgsl.printGather(`gather${index}`, ops))
    const first = (r: number): number => rows.indexOf(barrier.reductions[r]!)
    functions.push(
      wgsl.printEntry(`barrier${index}`, [
        ...ops.map(
          (op, r) =>
            `bin${r}[id] = ${wgsl.REDUCE[op].collect}(id, layer.table + ${first(r)}u * layer.rows, layer.rows);`
        ),
        ...(ops.length > 0 ? [`gather${index}(id);`] : []),
        `if (id == 0u) { finish${index}(); }`
      ])
    )
    const binds = new Set([...finish.binds, 'cells', ...(ops.length > 0 ? ['layer'] : [])])
    entries.push(`['barrier${index}', ${array(bindingNumbers(binds, []).map(String))}]`)
  }
  const most = Math.max(...barriers.map((b) => b.reductions.length))
  const code = [...declareBins(most), ...wgsl.helpersOf(functions.join('\n')), ...functions].join('\n')
  return object({
    floats: String(model.floats),
    rows: String(rows.length),
    state: array(
      model.slots.map((name, i) => {
        const value = plan.modelState.find((s) => s.slot === name)?.value
        return String(value ? (find(model, value) ?? places.get(value)!) : i)
      })
    ),
    barriers: array(entries),
    code: template(code)
  })
}

function elementSlots(plan: Plan): string[] {
  return plan.program.slots.filter((s) => s.over === 'element').map((s) => s.name)
}

/** The numbering of the runtime: the weight, the gradient, slots as declared, scratch. */
function bufferIndex(plan: Plan, b: Buffer): number {
  const slots = elementSlots(plan)
  if (b.kind === 'weight') return 0
  if (b.kind === 'gradient') return 1
  return b.kind === 'slot' ? 2 + slots.indexOf(b.name) : 2 + slots.length + b.index
}

function nameBuffers(plan: Plan, variant: Variant): string[] {
  const fresh = freshNames([])
  const { weight, gradient } = plan.program.symbols
  const scratch = Array.from({ length: variant.scratch }, (_, i) => `scratch${i}`)
  return [weight, gradient, ...elementSlots(plan), ...scratch].map((name) => fresh(`${ascii(name)}_`))
}

/** `layer` is 0, `cells` 1, and buffers follow. */
function bindingNumbers(binds: ReadonlySet<string>, buffers: readonly string[]): number[] {
  return ['layer', 'cells', ...buffers].flatMap((name, i) => (binds.has(name) ? [i] : []))
}

function declareBuffers(plan: Plan, variant: Variant, names: readonly string[]): string[] {
  const used = new Set(
    variant.passes.flatMap((p) => [...p.loads, ...p.stores.map((s) => s.to)]).map((b) => bufferIndex(plan, b))
  )
  return names.flatMap((name, i) =>
    used.has(i)
      ? [`@group(0) @binding(${i + 2}) var<storage, ${i === 1 ? 'read' : 'read_write'}> ${name}: array<T>;`]
      : []
  )
}

function declareBins(count: number): string[] {
  return Array.from({ length: count }, (_, r) => `var<workgroup> bin${r}: array<f32, ${wgsl.WORKGROUP}>;`)
}

function array(items: readonly string[]): string {
  return `[${items.join(', ')}]`
}

function object(fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(([key, value]) => `  ${key}: ${value}`)
  return `{\n${lines.join(',\n')}\n}`
}

/** Text as a template literal: names and formulas are the author's. */
function template(text: string): string {
  return `/* wgsl */ \`\n${text.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\n\``
}

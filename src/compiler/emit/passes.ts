/**
 * What the cpu and wasm targets share: passes over elements in one small WebAssembly module, and in JavaScript what stands
 * between them, passes over rows, columns and channels among it. `src/runtime/passes.ts` runs them.
 */
import type { Node, Program } from '../check/program.js'
import { REDUCTIONS } from '../plan/arithmetic.js'
import { isReduction, isVector } from '../plan/order.js'
import type { Barrier, Buffer, Cell, Pass, Plan, Variant } from '../plan/plan.js'
import { bufferCount, bufferIndex, isVectorBuffer } from './buffers.js'
import type { Assemble } from './emitter.js'
import { printPass as printInJavaScript, printNumbers } from './javascript.js'
import { ascii } from './names.js'
import { type Numbers, numbersOfLayer, numbersOfModel, unmade } from './numbers.js'
import { array, block, literal, object } from './text.js'
import * as wat from './wat.js'

/** One pass of one variant. */
export interface Kernel {
  /** What the module exports it as. */
  readonly name: string
  readonly variant: Variant
  readonly pass: Pass
  readonly numbers: Numbers
}

export function kernelsOf(plan: Plan): readonly Kernel[] {
  const kernels = [...new Set(plan.variants)].flatMap((variant) => {
    const numbers = numbersOfLayer(plan, variant)
    return variant.passes.map((pass) => ({ variant, pass, numbers }))
  })
  return kernels.map((kernel, i) => ({ name: `pass${i}`, ...kernel }))
}

/** A constant of the runtime's type `Passes`. */
export interface PrintedPasses {
  readonly name: string
  readonly declarations: readonly string[]
  readonly imports: Readonly<Record<string, readonly string[]>>
}

/** What was printed of a plan; targets may share it but for their abilities. */
const printedBefore = new WeakMap<Plan['variants'], Printed>()

interface Printed {
  readonly plan: Plan
  readonly assemble: Assemble
  readonly passes: PrintedPasses
}

export function printPasses(plan: Plan, kernels: readonly Kernel[], assemble: Assemble): PrintedPasses {
  const before = printedBefore.get(plan.variants)
  if (before?.assemble === assemble && isSame(before.plan, plan)) return before.passes
  const passes = printAnew(plan, kernels, assemble)
  printedBefore.set(plan.variants, { plan, assemble, passes })
  return passes
}

function isSame(a: Plan, b: Plan): boolean {
  return Object.entries(a).every(([field, value]) => field === 'abilities' || b[field as keyof Plan] === value)
}

function printAnew(plan: Plan, kernels: readonly Kernel[], assemble: Assemble): PrintedPasses {
  const name = `passes${ascii(plan.program.name)}`
  const variants = [...new Set(plan.variants)]
  const nameOf = (variant: Variant): string => `${name}${variants.indexOf(variant)}`
  const printed = variants.map((variant) => {
    const own = kernels.filter((k) => k.variant === variant)
    return `const ${nameOf(variant)}: PassVariant = ${printVariant(plan, variant, own)}`
  })
  const kept = bufferCount(plan.program) + Math.max(...variants.map((v) => v.scratch))
  const module = wat.printModule(
    kernels
      .filter((k) => k.pass.domain === 'element')
      .map((k) => wat.printPass(k.name, plan.program, k.variant.vectors, k.pass, k.numbers, kept))
  )
  const all = object([
    ['variants', array(plan.variants.map(nameOf))],
    ['model', printModel(plan)],
    ['module', `'${btoa(String.fromCharCode(...assemble(module)))}'`]
  ])
  return {
    name,
    declarations: [...printed, `${comment(module)}const ${name}: Passes = ${all}`],
    imports: { passes: ['type Passes', 'type PassVariant'] }
  }
}

/** The text as comments to the end of the line, so that nothing in it can end them. */
function comment(module: string): string {
  const text = module.split('\n').map((line) => `// ${line}`)
  return [`// The passes as WebAssembly, by the names that they have above:`, ...text, ''].join('\n')
}

function printVariant(plan: Plan, variant: Variant, kernels: readonly Kernel[]): string {
  const { program } = plan
  const numbers = numbersOfLayer(plan, variant)
  const gathered = new Set<Node>(variant.passes.flatMap((p) => p.reductions.map((r) => r.node)))
  return object([
    ...printRecord(program, numbers, 'layer', variant.layerState),
    ['scratch', String(variant.scratch)],
    ['vectors', variant.vectors.length > 0 ? array(variant.vectors.map(printVector)) : null],
    ['passes', array(kernels.map((kernel) => printOne(plan, kernel)))],
    ['shares', array(plan.barriers.map((barrier) => printShares(program, variant, barrier, numbers, gathered)))],
    ['observed', variant.observations.length > 0 ? give(program, variant.observations, numbers) : null]
  ])
}

/** What it has one value of, and what stands there before something is gathered. */
function printVector({ node }: Cell): string {
  return `['${node.level}', ${literal(isReduction(node) ? REDUCTIONS[node.op].start : 0)}]`
}

function printOne(plan: Plan, { name, variant, pass, numbers }: Kernel): string {
  const { program } = plan
  const indices = (buffers: readonly Buffer[]): string => array(buffers.map((b) => String(bufferIndex(program, b))))
  const leave = (nodes: readonly Node[]): string | null =>
    nodes.length > 0 ? printNumbers(program, nodes, numbers, true) : null
  const loads = pass.loads.filter((b) => !isVectorBuffer(b))
  const stores = pass.stores.map((s) => s.to).filter((b) => !isVectorBuffer(b))
  const totals = pass.reductions.map((r) => r.node).filter((node) => !isVector(node))
  const cells = pass.finish.map((i) => variant.cells[i]!.node).filter((node) => !isReduction(node))
  return object([
    ['segment', String(pass.segment)],
    ['over', pass.domain === 'element' ? null : `'${pass.domain}'`],
    ['run', pass.domain === 'element' ? null : printInJavaScript(program, variant.vectors, pass, numbers)],
    ['vectors', printVectorsOf(variant, pass)],
    ['loads', indices(loads)],
    ['stores', indices(stores)],
    ['totals', array(totals.map((node) => String(numbers.totalOf(node))))],
    ['before', leave(unmade(pass, variant, numbersOfModel(plan)))],
    ['kernel', `'${name}'`],
    ['finish', leave(cells)]
  ])
}

/** The vectors that a pass over elements loads, and those that it gathers; null where it knows nothing of rows and columns. */
function printVectorsOf({ vectors }: Variant, pass: Pass): string | null {
  if (pass.domain !== 'element' || !wat.crosses(pass)) return null
  const loads = pass.loads.flatMap((b) => (isVectorBuffer(b) ? [b.index] : []))
  const gathers = pass.reductions.map((r) => vectors.findIndex((v) => v.node === r.node)).filter((i) => i >= 0)
  return `[${array(loads.map(String))}, ${array(gathers.map(String))}]`
}

/** What the layer adds to each reduction of a barrier. */
function printShares(
  program: Program,
  variant: Variant,
  { reductions }: Barrier,
  numbers: Numbers,
  gathered: ReadonlySet<Node>
): string {
  const roots = reductions.map((r) => (gathered.has(r) ? r : variant.shares.find((s) => s.node === r)!.value))
  const mine = new Map<Node, number>(reductions.filter((r) => gathered.has(r)).map((r) => [r, numbers.totalOf(r)]))
  return printNumbers(program, roots, { ...numbers, indexOf: (node) => mine.get(node) ?? numbers.indexOf(node) }, false)
}

function printModel(plan: Plan): string {
  const { program } = plan
  const numbers = numbersOfModel(plan)
  const barriers = plan.barriers.map(({ reductions, finish }) => {
    const cells = finish.map((i) => plan.modelCells[i]!.node).filter((node) => !isReduction(node))
    return object([
      ['reduces', array(reductions.map((node) => `['${node.op}', ${numbers.totalOf(node)}]`))],
      ['finish', cells.length > 0 ? printNumbers(program, cells, numbers, true) : null]
    ])
  })
  return object([...printRecord(program, numbers, 'model', plan.modelState), ['barriers', array(barriers)]])
}

/** The fields of `NumbersRecord`. */
function printRecord(
  program: Program,
  { start, state, ...numbers }: Numbers,
  over: 'layer' | 'model',
  next: readonly { readonly slot: string; readonly value: Node }[]
): [string, string | null][] {
  const starts = start.flatMap((x, i) => (x === 0 ? [] : [`c[${i}] = ${literal(x)}`]))
  const slots = program.slots.filter((s) => s.over === over && s.place === 'device')
  const values = slots.flatMap((slot) => next.filter((n) => n.slot === slot.name))
  return [
    ['count', String(start.length)],
    ['at', String(state)],
    ['start', starts.length > 0 ? `(c) => ${block(starts, null)}` : null],
    ['state', values.length > 0 ? give(program, values, { start, state, ...numbers }) : null]
  ]
}

function give(program: Program, entries: readonly { readonly value: Node }[], numbers: Numbers): string {
  return printNumbers(
    program,
    entries.map((e) => e.value),
    numbers,
    false
  )
}

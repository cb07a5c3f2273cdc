/**
 * The cpu target: passes in JavaScript and, computing the same, in one small WebAssembly module; what stands between passes
 * is JavaScript in either case. `src/runtime/cpu.ts` runs them.
 */
import type { Node, Program } from '../check/program.js'
import { REDUCTIONS } from '../plan/arithmetic.js'
import { isReduction, isVector, usesAxes } from '../plan/order.js'
import type { Abilities, Barrier, Buffer, Cell, Pass, Plan, Variant } from '../plan/plan.js'
import { bufferIndex, isVectorBuffer } from './buffers.js'
import type { EmitContext, Emitted, Emitter } from './emitter.js'
import { NOISE, printNumbers, printPass } from './javascript.js'
import { ascii } from './names.js'
import { type Numbers, numbersOfLayer, numbersOfModel, unmade } from './numbers.js'
import { array, block, literal, object } from './text.js'
import * as wat from './wat.js'

const ABILITIES: Abilities = {
  target: 'cpu',
  reducesInPass: true,
  inPlace: true,
  maxBuffers: Infinity,
  maxOutputs: Infinity,
  axes: true,
  noise: true
}

export const cpu: Emitter = { target: 'cpu', abilities: ABILITIES, assembles: true, emit }

function emit(plan: Plan, { assemble }: EmitContext): Emitted {
  const own = `cpu${ascii(plan.program.name)}`
  const variants = [...new Set(plan.variants)]
  const nameOf = (variant: Variant): string => `${own}${variants.indexOf(variant)}`
  const functions: string[] = []
  const printed = variants.map((v) => `const ${nameOf(v)}: CpuVariant = ${printVariant(plan, v, functions)}`)
  const module = wat.printModule(functions)
  const inJavaScript = usesAxes(plan.program)
  const draws = printed.some((text) => text.includes(`${NOISE}(`))
  return {
    declarations: [...printed, ...(inJavaScript ? [] : [printWasm(own, module, assemble(module))])],
    expression: `cpu(${object([
      ['variants', array(plan.variants.map(nameOf))],
      ['model', printModel(plan)],
      ['wasm', inJavaScript ? null : `${own}Wasm`]
    ])})`,
    imports: { cpu: ['cpu', 'type CpuVariant', ...(draws ? [NOISE] : [])] }
  }
}

/** The text as comments to the end of the line, so that nothing in it can end them. */
function printWasm(own: string, module: string, bytes: Uint8Array): string {
  const text = module.split('\n').map((line) => `// ${line}`)
  const base64 = btoa(String.fromCharCode(...bytes))
  return [
    `// The passes as WebAssembly, by the names that they have above:`,
    ...text,
    `const ${own}Wasm = '${base64}'`
  ].join('\n')
}

function printVariant(plan: Plan, variant: Variant, functions: string[]): string {
  const { program } = plan
  const numbers = numbersOfLayer(plan, variant)
  const gathered = new Set<Node>(variant.passes.flatMap((p) => p.reductions.map((r) => r.node)))
  return object([
    ...printRecord(program, numbers, 'layer', variant.layerState),
    ['scratch', String(variant.scratch)],
    ['vectors', variant.vectors.length > 0 ? array(variant.vectors.map(printVector)) : null],
    ['passes', array(variant.passes.map((pass) => printOne(plan, variant, pass, numbers, functions)))],
    ['shares', array(plan.barriers.map((barrier) => printShares(program, variant, barrier, numbers, gathered)))],
    ['observed', variant.observations.length > 0 ? give(program, variant.observations, numbers) : null]
  ])
}

/** What it has one value of, and what stands there before something is gathered. */
function printVector({ node }: Cell): string {
  return `['${node.level}', ${literal(isReduction(node) ? REDUCTIONS[node.op].start : 0)}]`
}

function printOne(plan: Plan, variant: Variant, pass: Pass, numbers: Numbers, functions: string[]): string {
  const { program } = plan
  const indices = (buffers: readonly Buffer[]): string => array(buffers.map((b) => String(bufferIndex(program, b))))
  const leave = (nodes: readonly Node[]): string | null =>
    nodes.length > 0 ? printNumbers(program, nodes, numbers, true) : null
  const loads = pass.loads.filter((b) => !isVectorBuffer(b))
  const stores = pass.stores.map((s) => s.to).filter((b) => !isVectorBuffer(b))
  const totals = pass.reductions.map((r) => r.node).filter((node) => !isVector(node))
  const cells = pass.finish.map((i) => variant.cells[i]!.node).filter((node) => !isReduction(node))
  const name = usesAxes(program) ? null : `pass${functions.length}`
  if (name) functions.push(wat.printPass(name, program, pass, numbers))
  return object([
    ['segment', String(pass.segment)],
    ['over', pass.domain === 'element' ? null : `'${pass.domain}'`],
    ['loads', indices(loads)],
    ['stores', indices(stores)],
    ['totals', array(totals.map((node) => String(numbers.totalOf(node))))],
    ['before', leave(unmade(pass, variant, numbersOfModel(plan)))],
    ['run', printPass(program, variant.vectors, pass, numbers)],
    ['finish', leave(cells)],
    ['wasm', name && `'${name}'`]
  ])
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

/** The fields of `CpuNumbers`. */
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

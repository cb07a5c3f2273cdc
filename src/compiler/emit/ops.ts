/** The target that works anywhere: passes and finishes as plain TensorFlow.js operations on flat tensors. */
import type { Node } from '../check/program.js'
import { isVector, sameBuffer, usesAxes } from '../plan/order.js'
import { type Barrier, IDEAL, type Pass, type Plan, type Variant } from '../plan/plan.js'
import { authorNames, layOut, type Notation } from './body.js'
import { bufferIndex, isVectorBuffer, readName } from './buffers.js'
import type { Emitted, Emitter } from './emitter.js'
import { ascii, freshNames } from './names.js'
import { array, arrow, literal, object } from './text.js'

/** Each operation makes a fresh tensor, and nothing limits how many a pass may touch. */
export const ops: Emitter = { target: 'ops', abilities: { ...IDEAL, target: 'ops' }, emit }

function emit(plan: Plan): Emitted {
  const own = `ops${ascii(plan.program.name)}`
  const variants = [...new Set(plan.variants)]
  const nameOf = (variant: Variant): string => `${own}${variants.indexOf(variant)}`
  const model = modelCells(plan)
  const used = new Set<string>()
  const sheet: Sheet = { plan, apply: operations(used), named: authorNames(plan.program) }
  const declarations = variants.map((v) => `const ${nameOf(v)}: OpsVariant = ${printVariant(sheet, v, model)}`)
  const kernels = object([
    ['variants', array(plan.variants.map(nameOf))],
    ['axes', usesAxes(plan.program) ? 'true' : null],
    ['barriers', array(plan.barriers.map((barrier) => printBarrier(sheet, barrier, model)))],
    ['state', plan.modelState.length > 0 ? compute(sheet, values(plan.modelState), model) : null]
  ])
  return {
    declarations,
    expression: `ops(${kernels})`,
    imports: { ops: ['ops', 'type OpsVariant', ...HELPERS.filter((name) => used.has(name))] },
    core: used.has('tf')
  }
}

/** What every function of one plan is printed with. */
export interface Sheet {
  readonly plan: Plan
  readonly apply: Notation['apply']
  readonly named: NonNullable<Notation['named']>
}

/** How reductions and cells that earlier functions made are read. */
export type Cells = ReadonlyMap<Node, string>

/** What the barriers make, in their order, behind `over model` state. */
export function modelCells(plan: Plan): Cells {
  const nodes = plan.barriers.flatMap((b) => [...b.reductions, ...b.finish.map((i) => plan.modelCells[i]!.node)])
  const first = deviceSlots(plan, 'model').length
  // A cell may be a reduction as it is: the first place that holds it will do.
  return new Map(nodes.map((node) => [node, `s.model[${first + nodes.indexOf(node)}]!`]))
}

export function deviceSlots(plan: Plan, over: 'layer' | 'model'): string[] {
  return plan.program.slots.filter((s) => s.over === over && s.place === 'device').map((s) => s.name)
}

export function printBarrier(sheet: Sheet, barrier: Barrier, model: Cells): string {
  const finish = barrier.finish.map((i) => sheet.plan.modelCells[i]!.node)
  const made = (node: Node): boolean => barrier.reductions.some((reduction) => reduction === node)
  const before = new Map([...model].filter(([node]) => made(node) || !finish.includes(node)))
  return object([
    ['reduces', array(barrier.reductions.map((node) => `'${node.op}'`))],
    ['finish', finish.length > 0 ? compute(sheet, finish, before) : null]
  ])
}

function printVariant(sheet: Sheet, variant: Variant, model: Cells): string {
  const { plan } = sheet
  const cells = new Map(model)
  /** What the layer's passes gathered for reductions over the model. */
  const shares = new Map<Node, string>()
  let count = deviceSlots(plan, 'layer').length

  const passes = variant.passes.map((pass) => {
    const finish = pass.finish.map((i) => variant.cells[i]!.node)
    const text = printPass(sheet, variant, pass, finish, cells)
    for (const { node } of pass.reductions) {
      if (isVector(node)) continue
      const made = node.over === 'model' ? shares : cells
      made.set(node, `s.cells[${count++}]!`)
    }
    for (const node of finish) cells.set(node, `s.cells[${count++}]!`)
    return text
  })
  const share = (node: Node): Node | string => shares.get(node) ?? variant.shares.find((s) => s.node === node)!.value
  const last = (entries: readonly { readonly value: Node }[]): string | null =>
    entries.length > 0 ? compute(sheet, values(entries), cells) : null
  return object([
    ['passes', array(passes)],
    ['shares', array(plan.barriers.map((b) => compute(sheet, b.reductions.map(share), cells)))],
    ['state', last(variant.layerState)],
    ['observed', last(variant.observations)]
  ])
}

export function values(entries: readonly { readonly value: Node }[]): Node[] {
  return entries.map((entry) => entry.value)
}

function printPass(
  { plan, apply, named }: Sheet,
  variant: Variant,
  pass: Pass,
  finish: readonly Node[],
  cells: Cells
): string {
  const fresh = freshNames(RESERVED)
  const { program } = plan
  const loads = pass.loads.filter((b) => !isVectorBuffer(b))
  const buffers = loads.map((buffer) => fresh(readName(program, pass, buffer)))
  const reads = new Map(cells)
  for (const { node, from } of pass.reads) {
    const text = isVectorBuffer(from)
      ? `s.vectors[${from.index}]!`
      : buffers[loads.findIndex((load) => sameBuffer(load, from))]!
    reads.set(node, text)
  }
  const operands = new Map<Node, Node>(pass.reductions.map(({ node, value }) => [node, value]))
  const made = pass.reductions.map((r) => r.node as Node)
  const stores = pass.stores.filter((s) => !isVectorBuffer(s.to))
  const vectors = vectorsMade(variant, pass)
  const body = layOut([...values(stores), ...vectors, ...made.filter((node) => !isVector(node)), ...finish], {
    read: (node) => (operands.has(node) ? null : (reads.get(node) ?? readScalar(plan, node))),
    args: (node) => (operands.has(node) ? [operands.get(node)!] : node.args),
    apply,
    named,
    fresh
  })
  return object([
    ['segment', String(pass.segment)],
    ['loads', array(loads.map((b) => String(bufferIndex(program, b))))],
    ['stores', array(stores.map((s) => String(bufferIndex(program, s.to))))],
    ['vectors', vectors.length > 0 ? String(vectors.length) : null],
    ['run', arrow(['s', ...buffers], body.lines, array(body.results))]
  ])
}

/** What a pass keeps for each row or column, in the order of `Variant.vectors`. */
function vectorsMade({ vectors }: Variant, pass: Pass): Node[] {
  const made = new Set([
    ...pass.stores.filter((s) => isVectorBuffer(s.to)).map((s) => s.value),
    ...pass.reductions.map((r) => r.node as Node)
  ])
  return vectors.map((v) => v.node).filter((node) => made.has(node))
}

/** A function of the scope alone that gives these values, one after the other. A string stands for its own text. */
export function compute({ plan, apply, named }: Sheet, roots: readonly (Node | string)[], cells: Cells): string {
  const nodes = roots.filter((root) => typeof root !== 'string')
  const { lines, results } = layOut(nodes, {
    read: (node) => cells.get(node) ?? readScalar(plan, node),
    apply,
    named,
    fresh: freshNames(RESERVED)
  })
  const texts = roots.map((root) => (typeof root === 'string' ? root : results[nodes.indexOf(root)]!))
  return arrow(['s'], lines, array(texts))
}

export const RESERVED = ['s', 'tf']

/** Constants, host scalars and state of layer and model; null for what is computed. */
export function readScalar(plan: Plan, node: Node): string | null {
  if (node.op === 'const') return literal(node.value)
  const scalar = plan.scalars.findIndex((s) => s.node === node)
  if (scalar >= 0) return node.kind === 'bool' ? `s.h[${scalar}] !== 0` : `s.h[${scalar}]!`
  if (node.op === 'slot') {
    const inLayer = deviceSlots(plan, 'layer').indexOf(node.name)
    return inLayer >= 0 ? `s.cells[${inLayer}]!` : `s.model[${deviceSlots(plan, 'model').indexOf(node.name)}]!`
  }
  return null
}

/** What TensorFlow.js lacks, or has wrong on a backend: from the target's runtime module. */
export const HELPERS: readonly string[] = ['opsCbrt', 'opsSign']

const FUNCTIONS: Readonly<Record<string, string>> = {
  neg: 'tf.neg',
  abs: 'tf.abs',
  sign: 'opsSign',
  sqrt: 'tf.sqrt',
  rsqrt: 'tf.rsqrt',
  cbrt: 'opsCbrt',
  exp: 'tf.exp',
  log: 'tf.log',
  floor: 'tf.floor',
  tanh: 'tf.tanh',
  not: 'tf.logicalNot',
  add: 'tf.add',
  sub: 'tf.sub',
  mul: 'tf.mul',
  div: 'tf.div',
  max: 'tf.maximum',
  min: 'tf.minimum',
  lt: 'tf.less',
  le: 'tf.lessEqual',
  gt: 'tf.greater',
  ge: 'tf.greaterEqual',
  eq: 'tf.equal',
  ne: 'tf.notEqual',
  and: 'tf.logicalAnd',
  or: 'tf.logicalOr',
  select: 'tf.where'
}

/** Prints operations on tensors; `used` takes the names that their text wants imported. */
export function operations(used: Set<string>): Notation['apply'] {
  return (node, args) => {
    if ('over' in node) return `s.${node.op}(${args[0]}${isVector(node) ? `, '${node.over}'` : ''})`
    if (node.op === 'noise') return `s.noise(${[...args, node.site].join(', ')})`
    const name = FUNCTIONS[node.op]
    used.add(name && HELPERS.includes(name) ? name : 'tf')
    if (node.op === 'pow') return `tf.exp(tf.mul(${args[1]}, tf.log(${args[0]})))`
    if (node.op === 'mul' && node.args[0] === node.args[1]) return `tf.square(${args[0]})`
    if (!name) throw new Error(`no operation for ${node.op}`)
    return `${name}(${args.join(', ')})`
  }
}

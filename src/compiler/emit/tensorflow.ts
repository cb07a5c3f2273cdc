/**
 * The tensorflow target: passes as TensorFlow's operations on vectors, and where TensorFlow has a training kernel that does
 * what a pass stores, in place, that (`tensorflow-kernels.ts`). `src/runtime/tensorflow.ts` runs them.
 */
import type { Node } from '../check/program.js'
import { isVector, levelOfBuffer } from '../plan/order.js'
import { type Buffer, IDEAL, type Pass, type Plan, type Store, type Variant } from '../plan/plan.js'
import { authorNames, layOut } from './body.js'
import { bufferCount, bufferIndex, isVectorBuffer, readName, tensorSlots } from './buffers.js'
import type { Emitted, Emitter } from './emitter.js'
import { ascii, freshNames } from './names.js'
import {
  type Cells,
  compute,
  deviceSlots,
  modelCells,
  printBarrier,
  RESERVED,
  readScalar,
  type Sheet,
  values
} from './ops.js'
import { type InPlace, inPlaceOf } from './tensorflow-kernels.js'
import { keepShared } from './tensorflow-shared.js'
import { array, arrow, object } from './text.js'

export const tensorflow: Emitter = { target: 'tensorflow', abilities: { ...IDEAL, target: 'tensorflow' }, emit }

function emit(plan: Plan): Emitted {
  const own = `tensorflow${ascii(plan.program.name)}`
  const variants = [...new Set(plan.variants)]
  const nameOf = (variant: Variant): string => `${own}${variants.indexOf(variant)}`
  const model = modelCells(plan)
  const sheet: Sheet = { plan, apply: operation, named: authorNames(plan.program) }
  const kernels = object([
    ['variants', array(plan.variants.map(nameOf))],
    ['keys', printKeys(plan)],
    ['barriers', array(plan.barriers.map((barrier) => printBarrier(sheet, barrier, model)))],
    ['state', plan.modelState.length > 0 ? compute(sheet, values(plan.modelState), model) : null]
  ])
  return {
    declarations: variants.map((v) => `const ${nameOf(v)}: TfVariant = ${printVariant(sheet, v, model)}`),
    expression: `tensorflow(${kernels})`,
    imports: { tensorflow: ['tensorflow', 'type TfVariant'] }
  }
}

/** The scalars that are the words of a layer's random key: layers may differ in these and still lie in one vector. */
function printKeys({ scalars }: Plan): string | null {
  const words = scalars.flatMap(({ node }, i) => (node.op === 'key' ? [{ word: node.word, i }] : []))
  return words.length > 0 ? array(words.sort((a, b) => a.word - b.word).map(({ i }) => String(i))) : null
}

/** The buffers of a variant: behind those of elements, the vectors. */
interface Places {
  index(buffer: Buffer): number
  name(pass: Pass, from: Buffer): string
}

function placesOf({ program }: Plan, { scratch, vectors }: Variant): Places {
  const first = bufferCount(program) + scratch
  return {
    index: (buffer) => (isVectorBuffer(buffer) ? first + buffer.index : bufferIndex(program, buffer)),
    name: (pass, from) => (isVectorBuffer(from) ? vectors[from.index]!.name : readName(program, pass, from))
  }
}

/** What each buffer has one value of, if not all have one an element. */
function printOvers({ program }: Plan, { scratch, vectors }: Variant): string | null {
  const buffers: Buffer[] = [
    ...tensorSlots(program).map(({ name }) => ({ kind: 'slot', name }) as const),
    ...Array.from({ length: scratch }, (_, index) => ({ kind: 'scratch', index }) as const),
    ...vectors.map((_, index) => ({ kind: 'vector', index }) as const)
  ]
  const levels = ['element', 'element', ...buffers.map((buffer) => levelOfBuffer(program, vectors, buffer))]
  return levels.some((level) => level !== 'element') ? array(levels.map((level) => `'${level}'`)) : null
}

function printVariant(sheet: Sheet, given: Variant, model: Cells): string {
  const { plan } = sheet
  const variant = keepShared(given)
  const places = placesOf(plan, variant)
  const cells = new Map(model)
  /** What the layer's passes gathered for reductions over the model. */
  const shares = new Map<Node, string>()
  let count = deviceSlots(plan, 'layer').length

  const passes = variant.passes.map((pass) => {
    const before = new Map(cells)
    const reduces = pass.reductions.filter(({ node }) => !isVector(node))
    const gathers = pass.reductions.filter(({ node }) => isVector(node))
    for (const { node } of reduces) {
      const made = node.over === 'model' ? shares : cells
      made.set(node, `s.cells[${count++}]!`)
    }
    const finish = pass.finish.map((i) => variant.cells[i]!.node)
    const finishes = finish.length > 0 ? compute(sheet, finish, cells) : null
    for (const node of finish) cells.set(node, `s.cells[${count++}]!`)
    const ordered = { ...pass, reductions: [...reduces, ...gathers] }
    const ways = pass.domain === 'element' ? inPlaceOf(plan, ordered, before) : []
    const inPlace = ways.map((way) => printInPlace(sheet, places, ordered, way, before))
    const gathered = gathers.map(({ node }) => {
      const index = variant.vectors.findIndex((vector) => vector.node === node)
      return `['${node.op}', ${places.index({ kind: 'vector', index })}]`
    })
    return object([
      ['segment', String(pass.segment)],
      ['over', pass.domain === 'element' ? null : `'${pass.domain}'`],
      ['reduces', reduces.length > 0 ? array(reduces.map(({ node }) => `'${node.op}'`)) : null],
      ['gathers', gathered.length > 0 ? array(gathered) : null],
      ['inPlace', inPlace.length > 0 ? array(inPlace) : null],
      ['sweep', printSweep(sheet, places, ordered, pass.stores, before)],
      ['finish', finishes]
    ])
  })
  const share = (node: Node): Node | string => shares.get(node) ?? variant.shares.find((s) => s.node === node)!.value
  const last = (entries: readonly { readonly value: Node }[]): string | null =>
    entries.length > 0 ? compute(sheet, values(entries), cells) : null
  return object([
    ['overs', printOvers(plan, variant)],
    ['passes', array(passes)],
    ['shares', array(plan.barriers.map((b) => compute(sheet, b.reductions.map(share), cells)))],
    ['state', last(variant.layerState)],
    ['observed', last(variant.observations)]
  ])
}

/**
 * `stored` are made of what the pass loads, with the operands of its reductions; what was stored before in place is read
 * where it is.
 */
function printSweep(
  { plan, apply, named }: Sheet,
  places: Places,
  pass: Pass,
  stored: readonly Store[],
  cells: Cells
): string {
  const fresh = freshNames(RESERVED)
  const done = pass.stores
    .filter((store) => !stored.includes(store))
    .map(({ to, value }) => ({ from: to, node: value }))
  const mine = { ...pass, stores: stored }
  const reads = new Map<Node, number>()
  for (const { node, from } of [...done, ...pass.reads]) {
    if (!reads.has(node)) reads.set(node, places.index(from))
  }
  const roots = [...values(stored), ...values(pass.reductions)]
  const loads = loadsOf(
    roots,
    (node) => reads.get(node) ?? null,
    (node) => cells.has(node)
  )
  const all = new Map([...done, ...pass.reads].map(({ from }) => [places.index(from), from]))
  const names = new Map(loads.map((index) => [index, fresh(places.name(mine, all.get(index)!))]))
  const body = layOut(roots, {
    read: (node) => names.get(reads.get(node) ?? -1) ?? cells.get(node) ?? readScalar(plan, node),
    apply,
    named,
    fresh
  })
  return object([
    ['loads', array(loads.map(String))],
    ['stores', array(stored.map((s) => String(places.index(s.to))))],
    ['run', arrow(['s', ...names.values()], body.lines, array(body.results))]
  ])
}

/** The buffers that these values are made of. */
function loadsOf(
  roots: readonly Node[],
  bufferOf: (node: Node) => number | null,
  isKnown: (node: Node) => boolean
): number[] {
  const seen = new Set<Node>()
  const loads = new Set<number>()
  const visit = (node: Node): void => {
    if (seen.has(node) || isKnown(node)) return
    seen.add(node)
    const buffer = bufferOf(node)
    if (buffer !== null) loads.add(buffer)
    else for (const arg of node.args) visit(arg)
  }
  for (const root of roots) visit(root)
  return [...loads].sort((a, b) => a - b)
}

function printInPlace(sheet: Sheet, places: Places, pass: Pass, way: InPlace, cells: Cells): string {
  const { kernels, scalars, decays, one, left } = way
  const done = left.length === 0 && pass.reductions.length === 0
  return object([
    ['one', one ? 'true' : null],
    ['scalars', arrow(scalars.length > 0 ? ['s'] : [], [], array(scalars))],
    ['decays', decays.length > 0 ? array(decays.map((pair) => array(pair.map(String)))) : null],
    ['run', arrow(['k', 'c', 's'].slice(0, kernels.join().includes('s.') ? 3 : 2), kernels, null)],
    ['rest', done ? null : printSweep(sheet, places, pass, left, cells)]
  ])
}

const OPERATIONS: Readonly<Record<string, string>> = {
  neg: 'Neg',
  abs: 'Abs',
  sign: 'Sign',
  sqrt: 'Sqrt',
  rsqrt: 'Rsqrt',
  exp: 'Exp',
  log: 'Log',
  floor: 'Floor',
  tanh: 'Tanh',
  not: 'LogicalNot',
  add: 'AddV2',
  sub: 'Sub',
  mul: 'Mul',
  div: 'RealDiv',
  max: 'Maximum',
  min: 'Minimum',
  lt: 'Less',
  le: 'LessEqual',
  gt: 'Greater',
  ge: 'GreaterEqual',
  eq: 'Equal',
  ne: 'NotEqual',
  and: 'LogicalAnd',
  or: 'LogicalOr',
  select: 'SelectV2'
}

/** A value that is read once is freed by its reader, so that the next operation finds its memory, still in the cache. */
function operation(node: Node, args: readonly string[], once: boolean): string {
  const run = once ? 's.once' : 's.op'
  if (node.op === 'noise') return `s.noise(${node.site})`
  if (node.op === 'cbrt') return `s.cbrt(${args[0]})`
  if (node.op === 'pow') return `${run}('Exp', s.once('Mul', ${args[1]}, s.once('Log', ${args[0]})))`
  if (node.op === 'mul' && node.args[0] === node.args[1]) return `${run}('Square', ${args[0]})`
  const name = OPERATIONS[node.op]
  if (!name) throw new Error(`no operation for ${node.op}`)
  return `${run}('${name}', ${args.join(', ')})`
}

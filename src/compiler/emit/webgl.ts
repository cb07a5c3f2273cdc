/**
 * The webgl target: for each variant, its passes as GLSL, and what is made of their reductions. `src/runtime/webgl.ts` puts
 * around them how textures are laid out, and runs them.
 *
 * A pass is one draw a layer, into as many textures as it stores. A pass that reduces draws partial sums instead, which a
 * draw for all layers of the variant brings together, with the cells that they complete. One that has something of both, as
 * passes over rows, columns and channels may, or sums of several levels, is several draws (`webgl-draws.ts`).
 */
import type { Varying, Vector } from '../check/axes.js'
import type { Node } from '../check/program.js'
import { hasVectors, isVector, levelOfBuffer, reductionsOf } from '../plan/order.js'
import type { Abilities, Barrier, Buffer, Pass, Plan, Variant } from '../plan/plan.js'
import { bufferCount, bufferIndex, isVectorBuffer, readName } from './buffers.js'
import type { Emitted, Emitter } from './emitter.js'
import * as glsl from './glsl.js'
import { ascii } from './names.js'
import { type Scalars, scalarsFrom, template } from './shader.js'
import { recordOf, type Stage, type TexelRecord } from './texels.js'
import { array, object, quote } from './text.js'
import { chunks, inDraws, NUMBERS, OUTPUTS } from './webgl-draws.js'

/** Textures that a draw may read on every WebGL 2, but for those of the records of the layer and of the model. */
const TEXTURES = 16 - 2

const ABILITIES: Abilities = {
  target: 'webgl',
  reducesInPass: false,
  inPlace: false,
  maxBuffers: TEXTURES,
  maxOutputs: OUTPUTS,
  maxReductions: NUMBERS,
  maxLoads: TEXTURES,
  recomputes: true
}

export const webgl: Emitter = { target: 'webgl', abilities: ABILITIES, emit }

const READING =
  '// WebGL. T is vec4, a block of 2 by 2, or float; s holds host scalars, cell and model what reductions made of the layer and of the model.'

function emit(plan: Plan): Emitted {
  const own = `webgl${ascii(plan.program.name)}`
  const variants = [...new Set(plan.variants)]
  const nameOf = (variant: Variant): string => `${own}${variants.indexOf(variant)}`
  const hasModel = plan.barriers.length > 0 || plan.modelState.length > 0
  const model = modelOf(plan)
  const printed = variants.map((v) => `const ${nameOf(v)}: WebGlVariant = ${printVariant(plan, v, model)}`)
  if (hasModel) printed.push(`const ${own}Model: WebGlModel = ${printModel(plan, model)}`)
  const kernels = object([
    ['variants', array(plan.variants.map(nameOf))],
    ['model', hasModel ? `${own}Model` : null]
  ])
  const hasLines = variants.some(hasVectors)
  const hasCells =
    variants.some((variant) => variant.observations.length > 0) ||
    plan.program.slots.some(({ over, place }) => place === 'device' && (over === 'layer' || over === 'model'))
  const parts = [...(hasLines ? ['runLines: webglLines'] : []), ...(hasCells ? ['moveCells: webglCells'] : [])]
  return {
    declarations: [`${READING}\n${printed[0]}`, ...printed.slice(1)],
    expression: `webgl(${kernels}${parts.length > 0 ? `, { ${parts.join(', ')} }` : ''})`,
    imports: {
      webgl: ['webgl', 'type WebGlVariant', ...(hasModel ? ['type WebGlModel'] : [])],
      ...(hasLines && { 'webgl-lines': ['webglLines'] }),
      ...(hasCells && { 'webgl-cells': ['webglCells'] })
    }
  }
}

/** What printing a variant's programs needs. */
interface Scope {
  readonly plan: Plan
  readonly variant: Variant
  readonly layer: TexelRecord
  readonly model: TexelRecord
}

function printVariant(plan: Plan, variant: Variant, model: TexelRecord): string {
  const draws = variant.passes.flatMap((pass) => inDraws(pass, variant.vectors.length))
  const made = draws.map((pass) => [...totalsOf(pass), ...pass.finish.map((i) => variant.cells[i]!.node)])
  const kept = [...variant.layerState, ...variant.observations].map((k) => k.value)
  const layer = recordOf(plan, 'layer', [...made, kept])
  const scope: Scope = { plan, variant, layer, model }
  const end = { stage: draws.length, barrier: Infinity }
  const stateAfter = (name: string, i: number): number => {
    const value = variant.layerState.find((s) => s.slot === name)?.value
    return value ? layer.placeOf(value) : 4 * layer.state + i
  }
  const isUsed = plan.barriers.length + layer.slots.length + [...made, kept].flat().length > 0
  return object([
    ['texels', String(isUsed ? layer.texels : 0)],
    ['at', String(layer.state)],
    ['state', numbers(layer.slots.map(stateAfter))],
    ['observed', numbers(variant.observations.map((o) => layer.placeOf(o.value)))],
    ['passes', array(draws.map((pass, i) => printPass(scope, pass, i)))],
    [
      'shares',
      array(plan.barriers.map((barrier, i) => array(drawsOf(barrier).map((draw) => printShares(scope, draw, i)))))
    ],
    ['last', printStage(layer.stages.at(-1)!, scalarsOf(scope, end))]
  ])
}

function printPass(scope: Scope, pass: Pass, stage: number): string {
  const { plan, variant, layer } = scope
  const { program } = plan
  const index = (buffer: Buffer): number => indexOf(plan, variant, buffer)
  const when = { stage, barrier: pass.segment }
  const { head, body } = glsl.printPass(pass, scalarsOf(scope, { ...when, inPass: true }), {
    index,
    element: (b) => (isVectorBuffer(b) ? (variant.vectors[b.index]?.name ?? 'x') : readName(program, pass, b)),
    count: Math.max(2, ...pass.loads.map((b) => index(b) + 1))
  })
  const elsewhere = pass.loads.flatMap((buffer): [number, Vector][] => {
    const level = levelOf(scope, pass, buffer)
    return level === pass.domain || level === 'element' ? [] : [[index(buffer), level]]
  })
  return object([
    ['segment', String(pass.segment)],
    ['lines', printLines(scope, pass, elsewhere.length > 0)],
    ['loads', numbers(pass.loads.map(index))],
    ['places', elsewhere.length > 0 ? printPlaces(elsewhere) : null],
    ['stores', numbers(pass.stores.map((s) => index(s.to)))],
    ['reduces', array(pass.reductions.map((r) => quote(r.node.op)))],
    ...printCode([...head, ...body], { head, body }, glsl.placesOf(elsewhere.map(([, level]) => level))),
    ['finish', printStage(layer.stages[stage]!, scalarsOf(scope, { ...when, totals: totalsOf(pass) }))]
  ])
}

/** What a pass that knows of rows, columns or channels sweeps over, and what it has one sum of. */
function printLines({ plan, variant }: Scope, { domain, reductions }: Pass, reads: boolean): string | null {
  const lines = reductions.map((r) => r.node).filter(isVector)
  if (domain === 'element' && lines.length === 0 && !reads) return null
  const into = lines.map((node) => variant.vectors.findIndex((v) => v.node === node))
  return object([
    ['over', domain === 'element' ? null : quote(domain)],
    ['of', lines.length > 0 ? quote(lines[0]!.level) : null],
    ['into', into.length > 0 ? numbers(into.map((i) => indexOf(plan, variant, { kind: 'vector', index: i }))) : null]
  ])
}

function printPlaces(elsewhere: readonly (readonly [buffer: number, Vector])[]): string {
  return `{ ${elsewhere.map(([buffer, level]) => `${buffer}: '${glsl.PLACE[level]}'`).join(', ')} }`
}

/** Behind scratch come vectors. */
function indexOf({ program }: Plan, { scratch }: Variant, buffer: Buffer): number {
  return isVectorBuffer(buffer) ? bufferCount(program) + scratch + buffer.index : bufferIndex(program, buffer)
}

/** A vector that waits to be stored is of the pass's own level. */
function levelOf({ plan, variant }: Scope, pass: Pass, buffer: Buffer): Varying {
  const isWaiting = isVectorBuffer(buffer) && buffer.index >= variant.vectors.length
  return isWaiting ? pass.domain : levelOfBuffer(plan.program, variant.vectors, buffer)
}

/** What the layer adds to the reductions at a barrier: gathered by a pass, or the same for all its elements. */
function printShares(scope: Scope, { reductions }: Barrier, barrier: number): string {
  const { variant, layer } = scope
  const scalars = scalarsOf(scope, { stage: layer.stages.length, barrier })
  const shareOf = (node: Node): Node => variant.shares.find((s) => s.node === node)?.value ?? node
  const lines = glsl.printValues(
    reductions.map((node, to) => ({ to, node: shareOf(node) })),
    { ...scalars, read: (node) => layer.partOf(node) ?? scalars.read(node) }
  )
  return object([['numbers', String(reductions.length)], ...printCode(lines, { code: lines })])
}

/** What a program may read: what stages and barriers before it have made, and totals that it has just brought together. */
interface When {
  readonly stage: number
  readonly barrier: number
  readonly totals?: readonly Node[]
  /** In a pass, host scalars stand in a uniform. */
  readonly inPass?: boolean
}

function scalarsOf({ plan, layer, model }: Scope, { stage, barrier, totals = [], inPass = false }: When): Scalars {
  return scalarsFrom(plan, (node) => {
    const scalar = inPass ? plan.scalars.findIndex((s) => s.node === node) : -1
    if (scalar >= 0) return `s[${scalar >> 2}].${'xyzw'[scalar & 3]}`
    if (totals.includes(node)) return `total[${totals.indexOf(node)}]`
    const before = barriersOf(plan).slice(0, barrier).flat().length
    return layer.read(node, stage, 'cell') ?? model.read(node, before, 'model')
  })
}

function printModel(plan: Plan, model: TexelRecord): string {
  let stage = 0
  const printDraw = ({ reductions }: Barrier): string => {
    const i = stage++
    const scalars = scalarsFrom(plan, (node) => {
      const total = reductions.indexOf(node as (typeof reductions)[number])
      return total >= 0 ? `total[${total}]` : model.read(node, i, 'cell')
    })
    return object([
      ['reduces', array(reductions.map((r) => quote(r.op)))],
      ['finish', printStage(model.stages[i]!, scalars)]
    ])
  }
  const stateAfter = (name: string, i: number): number => {
    const value = plan.modelState.find((s) => s.slot === name)?.value
    return value ? model.placeOf(value) : 4 * model.state + i
  }
  return object([
    ['texels', String(model.texels)],
    ['at', String(model.state)],
    ['state', numbers(model.slots.map(stateAfter))],
    ['barriers', array(barriersOf(plan).map((draws) => array(draws.map(printDraw))))]
  ])
}

/** Each draw of a barrier makes a stage; the last of all also what is kept. */
function modelOf(plan: Plan): TexelRecord {
  const draws = barriersOf(plan).flat()
  const stages = draws.map(({ reductions, finish }, i): Node[] => [
    ...reductions,
    ...finish.map((c) => plan.modelCells[c]!.node),
    ...(i === draws.length - 1 ? plan.modelState.map((s) => s.value) : [])
  ])
  return recordOf(plan, 'model', stages)
}

/** State without a reduction still changes once a step. */
function barriersOf({ barriers }: Plan): (readonly Barrier[])[] {
  return barriers.length > 0 ? barriers.map(drawsOf) : [[{ reductions: [], finish: [] }]]
}

/** A barrier in draws of as many reductions as fit into one; the last finishes it. */
function drawsOf({ reductions, finish }: Barrier): Barrier[] {
  const draws = chunks(reductions, NUMBERS)
  return draws.map((own, i) => ({ reductions: own, finish: i === draws.length - 1 ? finish : [] }))
}

/** A program over cells that adds a stage to a record; null if there is nothing in it. */
function printStage({ at, texels, nodes }: Stage, scalars: Scalars): string | null {
  if (texels === 0) return null
  const lines = glsl.printValues(
    nodes.map((node, to) => ({ to, node })),
    scalars
  )
  return object([['at', String(at)], ['texels', String(texels)], ...printCode(lines, { code: lines })])
}

/** Texts as fields, after the functions that they call. */
function printCode(
  all: readonly string[],
  fields: Readonly<Record<string, readonly string[]>>,
  functions: readonly string[] = []
): (readonly [string, string | null])[] {
  const texts = { functions: [...functions, ...glsl.helpersOf(all.join('\n'))], ...fields }
  return Object.entries(texts).map(([name, lines]) => [name, lines.length > 0 ? template('glsl', lines) : null])
}

function totalsOf(pass: Pass): Node[] {
  return reductionsOf(pass).totals.map((r) => r.node)
}

function numbers(values: readonly number[]): string {
  return array(values.map(String))
}

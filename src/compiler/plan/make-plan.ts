/** From a program to its Plan: rewrite, decide host conditions, schedule each variant, name what crosses a cut. */
import type { Node, Program } from '../check/program.js'
import { barrierFinder, findCells } from './cells.js'
import { assignment, findConditions } from './conditions.js'
import { numberElements } from './elements.js'
import { namer } from './names.js'
import { compulsoryBytes, makePasses } from './passes.js'
import { isOfModel, isReduction, reach } from './order.js'
import type { Abilities, Cell, Plan, Variant } from './plan.js'
import { rewriteProgram } from './rewrite.js'
import { hostScalars } from './scalars.js'
import { schedule } from './schedule.js'
import { deviceState, type ModelReduction, makeWork, nodesOf, rootsOfLayer, type Work } from './work.js'

export function makePlan(source: Program, abilities: Abilities): Plan {
  const { program: rewritten, rewriter } = rewriteProgram(source)
  const modelState = deviceState(rewritten, 'model')
  const ofLayer = rootsOfLayer(rewritten)
  const ofModel = modelReductions([...ofLayer, ...modelState.map((s) => s.value)])
  const barriers = 1 + Math.max(-1, ...ofModel.map((r) => r.barrier))
  const conditions = findConditions([...ofLayer, ...ofModel.map((r) => r.node.args[0]!)])

  const works = Array.from({ length: 2 ** conditions.length }, (_, i) =>
    makeWork(rewritten, rewriter, ofModel, assignment(conditions, i))
  )
  const program = withNames(rewritten, works)
  const name = namer(program)
  const drafts = distinct(works.map((w) => w.work)).map(({ work, indices }) => ({
    indices,
    ...draft(program, work, ofModel, barriers, abilities)
  }))

  const barrierOf = barrierFinder(ofModel)
  const modelCells = [...new Set([...drafts.flatMap((d) => [...d.cells.ofModel]), ...modelState.map((s) => s.value)])]
    .filter((node) => isOfModel(node) && barrierOf(node) !== null)
    .sort((a, b) => a.id - b.id)
  const hostObservations = program.observations.map((o) => o.value).filter((value) => value.place === 'host')
  const scalars = new Set([
    ...works.flatMap(({ work }) => hostScalars(rootsOfWork(work))),
    ...hostScalars([...modelCells, ...modelState.map((s) => s.value)]),
    // Whoever asks reads them, constants too.
    ...hostObservations
  ])

  const variants: Variant[] = []
  for (const { indices, variant } of drafts.map((d) => ({ indices: d.indices, variant: toVariant(d, name) }))) {
    for (const i of indices) variants[i] = variant
  }
  return {
    program,
    abilities,
    scalars: [...scalars].map((node) => ({ node, name: name(node) })),
    conditions,
    variants,
    barriers: Array.from({ length: barriers }, (_, b) => ({
      reductions: ofModel.filter((r) => r.barrier === b).map((r) => r.node),
      finish: modelCells.flatMap((node, i) => (barrierOf(node) === b ? [i] : []))
    })),
    modelCells: modelCells.map((node) => ({ node, name: name(node) })),
    modelState,
    hostState: program.slots
      .filter((s) => s.place === 'host' && !(s.next.op === 'slot' && s.next.name === s.name))
      .map((s) => ({ slot: s.name, value: s.next })),
    bytesPerWeight: Math.max(...variants.map((v) => v.bytesPerWeight)),
    bytesCompulsory: Math.max(...variants.map((v) => v.bytesCompulsory)),
    provedLeast: variants.every((v) => v.provedLeast)
  }
}

/** All reductions over the model, each at the first barrier that it can be made by. */
function modelReductions(roots: readonly Node[]): ModelReduction[] {
  const depth = new Map<Node, number>()
  const found: ModelReduction[] = []
  for (const node of reach(roots, () => true)) {
    const below = Math.max(0, ...node.args.map((arg) => depth.get(arg)!))
    if (isReduction(node) && node.over === 'model') found.push({ node, barrier: below })
    depth.set(node, found.at(-1)?.node === node ? below + 1 : below)
  }
  return found
}

/** Variants that have the same to do are one. */
function distinct(works: readonly Work[]): { work: Work; indices: number[] }[] {
  const groups = new Map<string, { work: Work; indices: number[] }>()
  works.forEach((work, i) => {
    const key = [work.stores, work.layerState, work.observations, work.reductions, work.shares]
      .map((entries) => entries.map((entry) => `${'node' in entry ? entry.node.id : ''}:${entry.value.id}`).join())
      .join('|')
    const group = groups.get(key) ?? { work, indices: [] }
    group.indices.push(i)
    groups.set(key, group)
  })
  return [...groups.values()]
}

function draft(
  program: Program,
  work: Work,
  ofModel: readonly ModelReduction[],
  barriers: number,
  abilities: Abilities
) {
  const elements = numberElements(program, work, ofModel, barriers)
  const { sweeps, provedLeast } = schedule(elements, abilities)
  const made = makePasses(elements, sweeps, ofModel, abilities)
  const cells = findCells(work, made.passes, barrierFinder(ofModel))
  return { work, ...made, cells, bytesCompulsory: compulsoryBytes(elements), provedLeast }
}

function toVariant(
  { work, passes, scratch, cells, bytesPerWeight, bytesCompulsory, provedLeast }: ReturnType<typeof draft>,
  name: (node: Node) => string
): Variant {
  const list: Cell[] = []
  const finished = passes.map((pass, p) => ({
    ...pass,
    finish: cells.finish[p]!.map((node) => list.push({ node, name: name(node) }) - 1)
  }))
  return {
    passes: finished,
    cells: list,
    scratch,
    shares: work.shares,
    layerState: work.layerState,
    observations: work.observations,
    bytesPerWeight,
    bytesCompulsory,
    provedLeast
  }
}

function rootsOfWork(work: Work): Node[] {
  return [...work.stores, ...work.reductions, ...work.shares, ...work.layerState, ...work.observations].map(
    (entry) => entry.value
  )
}

/**
 * The author's names also for what became of values under host conditions. Each value has one name; one that is part of
 * another's formula in a different variant has none.
 */
function withNames(program: Program, variants: readonly ReturnType<typeof makeWork>[]): Program {
  const names = new Map(program.names.map((n) => [n.node, n]))
  const nodes = variants.map((v) => new Set(nodesOf(v.work)))
  const namedIn = variants.map(({ special }) => new Map(program.names.map((n) => [special.get(n.node), n.name])))
  for (const { special } of variants) {
    for (const n of program.names) {
      const node = special.get(n.node)
      const isClear = (_: unknown, v: number): boolean => !nodes[v]!.has(node!) || namedIn[v]!.get(node) === n.name
      if (node && !names.has(node) && variants.every(isClear)) names.set(node, { ...n, node })
    }
  }
  return { ...program, names: [...names.values()].filter(({ node }) => node.args.length > 0) }
}

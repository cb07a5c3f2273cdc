/** From a program to its Plan: rewrite, decide host conditions, schedule each variant, name what crosses a cut. */
import type { Node, Program } from '../check/program.js'
import { barrierChoices } from './barriers.js'
import { barrierFinder } from './cells.js'
import { assignments, findConditions } from './conditions.js'
import { namer, withNames } from './names.js'
import type { Abilities, Cell, Plan, Variant } from './plan.js'
import { rewriteProgram } from './rewrite.js'
import { hostScalars } from './scalars.js'
import { type Draft, elementsOnce, leastVariants } from './variants.js'
import { deviceState, makeWork, rootsOfLayer, rootsOfWork } from './work.js'

export function makePlan(source: Program, abilities: Abilities): Plan {
  return scheduled(prepare(source), abilities)
}

/** A program as every target has it: rewritten, and what there is to do in each variant. */
export function prepare(source: Program) {
  const { program: rewritten, rewriter } = rewriteProgram(source)
  const modelState = deviceState(rewritten, 'model')
  const modelRoots = modelState.map((s) => s.value)
  const ofLayer = rootsOfLayer(rewritten)
  const barriers = barrierChoices([...ofLayer, ...modelRoots])
  const reductions = barriers.choices[0]!.map((r) => r.node)
  const conditions = findConditions([...ofLayer, ...reductions.map((node) => node.args[0]!)])
  const specialised = assignments(conditions).map((decided) => makeWork(rewritten, rewriter, reductions, decided))
  const works = specialised.map((s) => s.work)
  const program = withNames(rewritten, specialised)
  return { program, modelState, modelRoots, barriers, conditions, works, elementsOf: elementsOnce(program) }
}

export type Prepared = ReturnType<typeof prepare>

export function scheduled(prepared: Prepared, abilities: Abilities): Plan {
  const { program, modelState, modelRoots, barriers, conditions, works, elementsOf } = prepared
  const { ofModel, drafts } = leastVariants(program, works, barriers, elementsOf, abilities)
  const barrierOf = barrierFinder(ofModel)
  const modelCells = [...new Set([...drafts.flatMap((d) => [...d.cells.ofModel]), ...modelRoots])]
    .filter((node) => barrierOf(node) !== null)
    .sort((a, b) => a.id - b.id)
  const hostObservations = program.observations.map((o) => o.value).filter((value) => value.place === 'host')
  const scalars = new Set([
    ...hostScalars([...works.flatMap(rootsOfWork), ...modelCells, ...modelRoots]),
    // Whoever asks reads them, constants too.
    ...hostObservations
  ])

  const name = namer(program)
  const variants: Variant[] = []
  for (const draft of drafts) {
    const variant = toVariant(draft, name)
    for (const i of draft.indices) variants[i] = variant
  }
  return {
    program,
    abilities,
    scalars: [...scalars].map((node) => ({ node, name: name(node) })),
    conditions,
    variants,
    barriers: Array.from({ length: 1 + Math.max(-1, ...ofModel.map((r) => r.barrier)) }, (_, b) => ({
      reductions: ofModel.filter((r) => r.barrier === b).map((r) => r.node),
      finish: modelCells.flatMap((node, i) => (barrierOf(node) === b ? [i] : []))
    })),
    modelCells: modelCells.map((node) => ({ node, name: name(node) })),
    modelState,
    hostState: hostState(program),
    bytesPerWeight: Math.max(...variants.map((v) => v.bytesPerWeight)),
    bytesCompulsory: Math.max(...variants.map((v) => v.bytesCompulsory)),
    provedLeast: variants.every((v) => v.provedLeast)
  }
}

function toVariant({ work, cells, indices: _, ...draft }: Draft, name: (node: Node) => string): Variant {
  const list: Cell[] = []
  const number = (node: Node): number => list.push({ node, name: name(node) }) - 1
  return {
    ...draft,
    passes: draft.passes.map((pass, p) => ({ ...pass, finish: cells.finish[p]!.map(number) })),
    cells: list,
    vectors: draft.vectors.map((node) => ({ node, name: name(node) })),
    shares: work.shares,
    layerState: work.layerState,
    observations: work.observations
  }
}

/** Slots on the host that a step changes. */
function hostState({ slots }: Program): { slot: string; value: Node }[] {
  return slots
    .filter(({ name, place, next }) => place === 'host' && !(next.op === 'slot' && next.name === name))
    .map((s) => ({ slot: s.name, value: s.next }))
}

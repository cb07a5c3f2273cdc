/** Schedules what each variant has to do, under barriers that all share: the choice that moves least. */
import type { Node, Program } from '../check/program.js'
import type { BarrierChoices, ModelReduction } from './barriers.js'
import { barrierFinder, type CellPlan, findCells } from './cells.js'
import { type Elements, numberElements } from './elements.js'
import { compulsoryBytes, makePasses } from './passes.js'
import type { Abilities, Pass } from './plan.js'
import { BUDGET, schedule } from './schedule.js'
import type { Budget } from './search.js'
import { addVectorPasses } from './vectors.js'
import type { Work } from './work.js'

/** A variant before its cells have numbers and names. */
export interface Draft {
  readonly work: Work
  /** The assignments of conditions that lead to it. */
  readonly indices: readonly number[]
  readonly passes: readonly Pass[]
  readonly scratch: number
  readonly vectors: readonly Node[]
  readonly cells: CellPlan
  readonly bytesPerWeight: number
  readonly bytesCompulsory: number
  readonly provedLeast: boolean
}

export interface Drafts {
  readonly ofModel: readonly ModelReduction[]
  readonly drafts: readonly Draft[]
}

export type ElementsOf = (work: Work, ofModel: readonly ModelReduction[]) => Elements

/** Numbers each work once for all targets. */
export function elementsOnce(program: Program): ElementsOf {
  const known = new Map<Work, Map<readonly ModelReduction[], Elements>>()
  return (work, ofModel) => {
    const ofWork = known.get(work) ?? new Map<readonly ModelReduction[], Elements>()
    known.set(work, ofWork)
    const elements = ofWork.get(ofModel) ?? numberElements(program, work, ofModel)
    ofWork.set(ofModel, elements)
    return elements
  }
}

export function leastVariants(
  program: Program,
  works: readonly Work[],
  { choices, areAll }: BarrierChoices,
  elementsOf: ElementsOf,
  abilities: Abilities
): Drafts {
  const budget: Budget = { left: BUDGET }
  const groups = distinct(works)
  let best: Drafts | null = null
  for (const ofModel of choices) {
    const drafts = groups.map(({ work, indices }) =>
      draft(program, elementsOf(work, ofModel), indices, ofModel, abilities, budget)
    )
    if (!best || compare(costOf({ ofModel, drafts }), costOf(best)) < 0) best = { ofModel, drafts }
    if (best.drafts.every((d) => d.bytesPerWeight === d.bytesCompulsory)) return best
  }
  const proved = areAll && budget.left > 0
  return proved ? best! : { ...best!, drafts: best!.drafts.map((d) => ({ ...d, provedLeast: false })) }
}

/** The largest figure first, as it is the one that counts; then what all variants move, and how many barriers there are. */
function costOf({ ofModel, drafts }: Drafts): number[] {
  const bytes = drafts.map((d) => d.bytesPerWeight)
  return [Math.max(...bytes), bytes.reduce((a, b) => a + b, 0), Math.max(-1, ...ofModel.map((r) => r.barrier))]
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((x, at) => x !== b[at])
  return i < 0 ? 0 : a[i]! - b[i]!
}

/** Variants that have the same to do are one. */
function distinct(works: readonly Work[]): { work: Work; indices: number[] }[] {
  const groups = new Map<string, { work: Work; indices: number[] }>()
  for (const [i, work] of works.entries()) {
    const key = [work.stores, work.vectorState, work.layerState, work.observations, work.reductions, work.shares]
      .map((entries) => entries.map((entry) => `${'node' in entry ? entry.node.id : ''}:${entry.value.id}`).join())
      .join('|')
    const group = groups.get(key) ?? { work, indices: [] }
    group.indices.push(i)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function draft(
  program: Program,
  elements: Elements,
  indices: readonly number[],
  ofModel: readonly ModelReduction[],
  abilities: Abilities,
  budget: Budget
): Draft {
  const { work } = elements
  const { sweeps, provedLeast } = schedule(elements, abilities, budget)
  const made = makePasses(elements, sweeps, ofModel, abilities)
  const { passes, vectors } = addVectorPasses(program, work, made.passes, ofModel)
  const cells = findCells(work, passes, barrierFinder(ofModel))
  return { work, indices, ...made, passes, vectors, cells, bytesCompulsory: compulsoryBytes(elements), provedLeast }
}

/**
 * Cells: where each device scalar is computed. What a pass, state or an observation takes is computed once, by the pass or
 * the barrier that completes it. What a barrier completes for each layer, and what is there from the start, is made of
 * cells and state by whoever reads it.
 */
import type { Node } from '../check/program.js'
import type { ModelReduction } from './barriers.js'
import { isDeviceScalar, isOfModel, isReduction, reach, scalarsIn } from './order.js'
import type { Pass } from './plan.js'
import type { Work } from './work.js'

export interface CellPlan {
  /** What each pass finishes. */
  readonly finish: readonly (readonly Node[])[]
  /** What each barrier has to finish for this variant. */
  readonly ofModel: ReadonlySet<Node>
}

export function findCells(work: Work, passes: readonly Pass[], barrierOf: (node: Node) => number | null): CellPlan {
  const passesBefore = (barrier: number): number => passes.filter((p) => p.segment <= barrier).length
  const madeIn = new Map<Node, number>(passes.flatMap((p, i) => p.reductions.map((r) => [r.node as Node, i])))
  const known = new Map<Node, Completion>()
  const completion = (node: Node): Completion => {
    const before = known.get(node)
    if (before) return before
    const found = complete(node)
    known.set(node, found)
    return found
  }
  const complete = (node: Node): Completion => {
    if (node.place === 'host') return START
    if (isOfModel(node)) {
      const barrier = barrierOf(node)
      return barrier === null ? START : { passes: passesBefore(barrier), byPass: false }
    }
    if (isReduction(node)) return { passes: madeIn.get(node)! + 1, byPass: true }
    return node.args.map(completion).reduce(later, START)
  }

  const cells = new Set<Node>()
  const ofModel = new Set<Node>()
  const take = (node: Node): void => {
    if (!isDeviceScalar(node) || cells.has(node)) return
    if (isOfModel(node)) {
      if (barrierOf(node) !== null) ofModel.add(node)
      return
    }
    if (completion(node).byPass) {
      cells.add(node)
      // What a finish computes is made of reductions, state and host values, and of cells of the model.
      for (const part of reach([node], (n) => isDeviceScalar(n) && !isOfModel(n) && !isReduction(n))) {
        if (isOfModel(part)) take(part)
      }
    } else for (const arg of node.args) take(arg)
  }
  for (const pass of passes) scalarsIn(pass).forEach(take)
  for (const { value } of [...work.shares, ...work.layerState, ...work.observations]) take(value)

  const inOrder = [...cells].sort((a, b) => a.id - b.id)
  return { finish: passes.map((_, p) => inOrder.filter((node) => completion(node).passes === p + 1)), ofModel }
}

/** How many passes are over when a value is complete, and whether it is the last of them that completes it. */
interface Completion {
  readonly passes: number
  readonly byPass: boolean
}

const START: Completion = { passes: 0, byPass: false }

/** A barrier comes behind the passes before it. */
function later(a: Completion, b: Completion): Completion {
  if (a.passes !== b.passes) return a.passes > b.passes ? a : b
  return a.byPass ? b : a
}

/** The barrier that completes a value of the model; null for one that is there from the start. */
export function barrierFinder(ofModel: readonly ModelReduction[]): (node: Node) => number | null {
  const barriers = new Map<Node, number>(ofModel.map((r) => [r.node, r.barrier]))
  const known = new Map<Node, number | null>()
  const find = (node: Node): number | null => {
    if (node.place === 'host') return null
    const own = barriers.get(node)
    if (own !== undefined) return own
    const before = known.get(node)
    if (before !== undefined) return before
    const found = node.args.map(find).reduce((a, b) => (a === null ? b : b === null ? a : Math.max(a, b)), null)
    known.set(node, found)
    return found
  }
  return find
}

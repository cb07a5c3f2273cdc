/** From a schedule to passes: what each one loads, reads and stores, and the first segment that it may run in. */
import type { Node } from '../check/program.js'
import type { ModelReduction } from './barriers.js'
import type { Elements } from './elements.js'
import { computedIn, isElement, isSearched, reach, rootsOf } from './order.js'
import type { Abilities, Buffer, Pass } from './plan.js'
import { pass as after, loadsOf, offer, type Sweep, start } from './state.js'

const BYTES = 4

export function makePasses(
  elements: Elements,
  sweeps: readonly Sweep[],
  ofModel: readonly ModelReduction[],
  abilities: Abilities
): { readonly passes: Pass[]; readonly scratch: number; readonly bytesPerWeight: number } {
  const { work, nodes, buffers } = elements
  let state = start(elements)
  let segment = 0
  const passes = sweeps.map((sweep): Pass => {
    const offered = offer(elements, state)
    const { reads } = loadsOf(elements, state, offered, sweep, abilities)!
    const bufferOf = (b: number): Buffer => buffers[b]?.buffer ?? { kind: 'scratch', index: b - buffers.length }
    const loads = [...new Set(reads.map((value) => offered.from[value]!))].sort((a, b) => a - b)
    const pass: Pass = {
      domain: 'element',
      segment,
      loads: loads.map(bufferOf),
      reads: loads.flatMap((b) =>
        reads.filter((value) => offered.from[value] === b).map((value) => ({ node: nodes[value]!, from: bufferOf(b) }))
      ),
      stores: [
        ...sweep.stores.map((s) => work.stores[s]!),
        ...sweep.scratch.map((value, i) => ({
          to: { kind: 'scratch', index: state.scratch.length + i } as const,
          value: nodes[value]!
        }))
      ],
      reductions: sweep.reductions.map((r) => work.reductions[r]!),
      finish: []
    }
    state = after(elements, state, sweep)
    segment = Math.max(segment, firstSegment(pass, ofModel))
    return { ...pass, segment }
  })
  const touched = passes.reduce((sum, p) => sum + p.loads.length + p.stores.length, 0)
  return { passes, scratch: state.scratch.length, bytesPerWeight: BYTES * touched }
}

/** Behind the barriers of all reductions over the model that a pass reads. */
export function firstSegment(pass: Pass, ofModel: readonly ModelReduction[]): number {
  const barriers = new Map<Node, number>(ofModel.map((r) => [r.node, r.barrier]))
  const scalars = [...rootsOf(pass), ...computedIn(pass).flatMap((node) => node.args)].filter((n) => !isElement(n))
  const made = reach(scalars, (node) => node.place === 'device' && !isSearched(node))
  return Math.max(0, ...made.map((node) => (barriers.has(node) ? barriers.get(node)! + 1 : 0)))
}

/** The traffic of one ideal pass that finds all reductions made. */
export function compulsoryBytes({ work }: Elements): number {
  const entries = [...work.stores, ...work.reductions]
  const leaves = reach(
    entries.map((entry) => entry.value),
    isElement
  ).filter((node) => isElement(node) && node.args.length === 0)
  return BYTES * (leaves.length + work.stores.length)
}

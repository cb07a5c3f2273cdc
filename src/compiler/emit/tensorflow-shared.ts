/**
 * The planner computes a value again where that moves fewer bytes than storing it. Here each operation goes over memory by
 * itself, so a value of two operations or more that a later pass needs again is kept.
 */
import type { Node } from '../check/program.js'
import { computedIn, rootsOf } from '../plan/order.js'
import type { Pass, Variant } from '../plan/plan.js'

export function keepShared(variant: Variant): Variant {
  const passes: Pass[] = [...variant.passes]
  let { scratch } = variant
  for (let late = 1; late < passes.length; late++) {
    for (let early = 0; early < late; early++) {
      for (const node of worthKeeping(passes[early]!, passes[late]!)) {
        const to = { kind: 'scratch', index: scratch++ } as const
        const { stores } = passes[early]!
        const { loads, reads } = passes[late]!
        passes[early] = { ...passes[early]!, stores: [...stores, { to, value: node }] }
        passes[late] = { ...passes[late]!, loads: [...loads, to], reads: [...reads, { node, from: to }] }
      }
    }
  }
  return { ...variant, passes, scratch }
}

/** Values of elements that both passes compute, and that the later one makes something else of; none where that spares too little. */
function worthKeeping(early: Pass, late: Pass): Node[] {
  if (early.domain !== 'element') return []
  const before = new Set(computedIn(early))
  const [again, others] = [true, false].map((is) => computedIn(late).filter((node) => before.has(node) === is))
  const wanted = new Set([...rootsOf(late), ...others!.flatMap((node) => node.args)])
  const kept = again!.filter((node) => wanted.has(node) && node.kind === 'number')
  return again!.length >= 2 * kept.length ? kept : []
}

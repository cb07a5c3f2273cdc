/**
 * A pass of the Plan as draws of WebGL: a draw stores, or it reduces to numbers of the layer, or to one a row, a column or
 * a channel; of each only as many as it has targets for. What it does not need it does not load.
 */
import type { Vector } from '../check/axes.js'
import { reach, reductionsOf, rootsOf, sameBuffer } from '../plan/order.js'
import type { Pass, Store } from '../plan/plan.js'

/** Targets of a draw that every WebGL 2 has. */
export const OUTPUTS = 4
/** Numbers that such a draw leaves, four a target. */
export const NUMBERS = 4 * OUTPUTS

/** `vectors`: how many a variant has, behind which a pass may put some of its own. */
export function inDraws(pass: Pass, vectors: number): Pass[] {
  const { totals, vectors: lines } = reductionsOf(pass)
  const ofLayer = chunks(totals, NUMBERS)
  const ofLines = levelsIn(lines.map((r) => r.node.level as Vector)).flatMap((level) =>
    chunks(
      lines.filter((r) => r.node.level === level),
      OUTPUTS
    )
  )
  const parts = [
    ...[...ofLayer, ...ofLines].map((reductions) => ({ ...pass, stores: [], reductions })),
    // State is read by all before it is stored.
    ...storing(pass, vectors)
  ]
  const last = Math.max(0, ofLayer.length - 1)
  return parts.map((part, i) => withoutIdleLoads({ ...part, finish: i === last ? pass.finish : [] }))
}

/** Of more than a draw has targets for, state waits in vectors until the last has been computed. */
function storing(pass: Pass, vectors: number): Pass[] {
  const { stores } = pass
  const draw = (some: readonly Store[]): Pass => ({ ...pass, stores: some, reductions: [] })
  if (stores.length <= OUTPUTS) return stores.length > 0 ? [draw(stores)] : []
  const waiting = stores.map(({ value }, i): Store => ({ to: { kind: 'vector', index: vectors + i }, value }))
  const copies = chunks([...stores.keys()], OUTPUTS).map((some): Pass => {
    const from = some.map((i) => waiting[i]!.to)
    const reads = some.map((i, k) => ({ node: stores[i]!.value, from: from[k]! }))
    return { ...draw(some.map((i) => stores[i]!)), loads: from, reads }
  })
  return [...chunks(waiting, OUTPUTS).map(draw), ...copies]
}

function levelsIn(levels: readonly Vector[]): Vector[] {
  return [...new Set(levels)]
}

function withoutIdleLoads(pass: Pass): Pass {
  const known = new Set(pass.reads.map((r) => r.node))
  const needed = new Set(reach(rootsOf(pass), (node) => node.level === pass.domain && !known.has(node)))
  const reads = pass.reads.filter((r) => needed.has(r.node))
  return { ...pass, reads, loads: pass.loads.filter((buffer) => reads.some((r) => sameBuffer(r.from, buffer))) }
}

export function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

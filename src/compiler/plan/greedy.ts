/**
 * The schedule that recomputes everything: reductions as early as they can be, all stores in the last pass. It is what the
 * search has to beat, and what is left when the search gives up.
 */
import type { Elements } from './elements.js'
import type { Abilities } from './plan.js'
import { loadsOf, offer, pass, type State, type Sweep, start } from './state.js'

/** Null where a target's limits do not allow it. */
export function recomputeEverything(elements: Elements, abilities: Abilities): Sweep[] | null {
  const sweeps: Sweep[] = []
  let state = start(elements)
  const { reductions, stores } = elements.work
  const isMade = (s: State, r: number): boolean => (s.made & elements.gathered[r]!) !== 0n
  const all = stores.map((_, s) => s)
  for (;;) {
    const offered = offer(elements, state)
    const legal = (sweep: Sweep): boolean => loadsOf(elements, state, offered, sweep, abilities) !== null
    const open = reductions.map((_, r) => r).filter((r) => !isMade(state, r))
    const ready = open.filter((r) => legal({ reductions: [r], stores: [], scratch: [] }))
    const last = { reductions: open, stores: all, scratch: [] }
    if (all.length + open.length === 0) return sweeps
    if (legal(last)) return [...sweeps, last]
    const next = { reductions: ready, stores: [], scratch: [] }
    if (ready.length === 0 || !legal(next)) return null
    sweeps.push(next)
    state = pass(elements, state, next)
  }
}

/** Picks the schedule of a variant: the least one, or one that recomputes everything where the search has to give up. */
import type { Elements } from './elements.js'
import { recomputeEverything } from './greedy.js'
import type { Abilities } from './plan.js'
import { isRoomy, search } from './search.js'
import { splitIntoParts } from './split.js'
import type { Sweep } from './state.js'

/** Values looked at, in all cuts together, before the search gives up: some tenths of a second. */
const BUDGET = 400_000

export interface Schedule {
  readonly sweeps: readonly Sweep[]
  readonly provedLeast: boolean
}

export function schedule(elements: Elements, abilities: Abilities): Schedule {
  const budget = { left: Math.ceil(BUDGET / (elements.nodes.length + 10)) }
  const greedy = recomputeEverything(elements, abilities)
  const plain = search(elements, { abilities, below: Infinity, withScratch: false, budget })
  if (plain === 'gave up') return { sweeps: greedy ?? splitIntoParts(elements, abilities), provedLeast: false }
  // One pass that moves each tensor once can't be beaten.
  if (plain && plain.sweeps.length <= 1 && isRoomy(elements, abilities)) return { ...plain, provedLeast: true }
  const below = plain?.cost[0] ?? Infinity
  const scratch = search(elements, { abilities, below, withScratch: true, budget })
  if (scratch && scratch !== 'gave up') return { ...scratch, provedLeast: true }
  if (plain) return { ...plain, provedLeast: scratch === null }
  return { sweeps: greedy ?? splitIntoParts(elements, abilities), provedLeast: false }
}

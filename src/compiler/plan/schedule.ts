/** Picks the schedule of a variant: the least one, or one that recomputes everything where the search has to give up. */
import type { Elements } from './elements.js'
import { recomputeEverything } from './greedy.js'
import { keepWhatIsComputedAgain } from './keep.js'
import { type Abilities, IDEAL } from './plan.js'
import { type Budget, type Found, search } from './search.js'
import { splitIntoParts } from './split.js'
import { loadsOf, offer, pass, type Sweep, start } from './state.js'

/** For one Plan: some tenths of a second. */
export const BUDGET = 400_000

export interface Schedule {
  readonly sweeps: readonly Sweep[]
  readonly provedLeast: boolean
}

export function schedule(elements: Elements, abilities: Abilities, budget: Budget): Schedule {
  const least = leastFor(elements, abilities, budget)
  if (abilities.recomputes) return least
  return { ...least, sweeps: keepWhatIsComputedAgain(elements, least.sweeps, abilities) }
}

/** What is least without limits is least for any target that it fits. */
function leastFor(elements: Elements, abilities: Abilities, budget: Budget): Schedule {
  const free = withoutLimits(elements, budget)
  const ideal = { sweeps: free.found?.sweeps ?? recomputeEverything(elements, IDEAL)!, provedLeast: free.proved }
  if (keepsLimits(elements, ideal.sweeps, abilities)) return ideal
  const { found, proved } = leastOf(elements, abilities, budget)
  const asWithout = free.proved && found?.cost[0] === free.found?.cost[0]
  if (found) return { sweeps: found.sweeps, provedLeast: proved || asWithout }
  return { sweeps: recomputeEverything(elements, abilities) ?? splitIntoParts(elements, abilities), provedLeast: false }
}

interface Least {
  readonly found: Found | null
  readonly proved: boolean
}

/** Searched once for all targets. */
const known = new WeakMap<Elements, Least>()

function withoutLimits(elements: Elements, budget: Budget): Least {
  const free = known.get(elements) ?? leastOf(elements, IDEAL, budget)
  known.set(elements, free)
  return free
}

/** First without scratch; then only what scratch makes cheaper is of interest. */
function leastOf(elements: Elements, abilities: Abilities, budget: Budget): Least {
  const plain = search(elements, { abilities, below: Infinity, withScratch: false, budget })
  // One pass that moves each tensor once can't be beaten.
  if (plain.found && plain.found.sweeps.length <= 1) return { found: plain.found, proved: true }
  const below = plain.found?.cost[0] ?? Infinity
  const better = search(elements, { abilities, below, withScratch: true, budget })
  return { found: better.found ?? plain.found, proved: plain.complete && better.complete }
}

function keepsLimits(elements: Elements, sweeps: readonly Sweep[], abilities: Abilities): boolean {
  let state = start(elements)
  return sweeps.every((sweep) => {
    const legal = loadsOf(elements, state, offer(elements, state), sweep, abilities) !== null
    state = pass(elements, state, sweep)
    return legal
  })
}

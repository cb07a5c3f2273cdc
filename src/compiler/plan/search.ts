/**
 * The schedule of least cost, by best-first search over what passes have done so far. A step of the search is one pass: a
 * choice of reductions, stores and scratch values, whose loads are a minimum cut. Costs add up, so the best way to a state
 * is all that is kept of it; a bound on what is still to be moved makes the search exact and short.
 */
import { elementTargets, type Remaining, remaining, scratchCandidates } from './candidates.js'
import type { Elements } from './elements.js'
import { Heap } from './heap.js'
import { type Abilities, IDEAL } from './plan.js'
import {
  loadsOf,
  mightDoWithOtherLoads,
  type Offer,
  offer,
  pass,
  type State,
  type Sweep,
  start,
  targetsOf
} from './state.js'

/** Compared from left to right; what comes first matters most. */
export type Cost = readonly [buffers: number, scratch: number, passes: number, operations: number, writes: number]

export interface Found {
  readonly sweeps: readonly Sweep[]
  readonly cost: Cost
}

export interface SearchLimits {
  readonly abilities: Abilities
  /** Only what moves fewer buffers is of interest. */
  readonly below: number
  readonly withScratch: boolean
  readonly budget: Budget
}

interface SearchOptions extends SearchLimits {
  readonly leftOut: () => void
}

/** Work that may still be done, in values looked at by cuts. The search gives up at 0. */
export interface Budget {
  left: number
}

export interface Outcome {
  /** Null where nothing moves fewer than the bound, or nothing was found in time. */
  readonly found: Found | null
  /** False where the budget ran out, or a pass was left out whose least loads are too many, though others might do. */
  readonly complete: boolean
}

export function search(elements: Elements, limits: SearchLimits): Outcome {
  const { budget, below } = limits
  let complete = true
  const options: SearchOptions = {
    ...limits,
    leftOut: () => {
      complete = false
    }
  }
  const open = new Heap<Path>((a, b) => compare(a.estimate, b.estimate) || a.order - b.order)
  const best = new Map<string, Cost>()
  let order = 0
  const push = (state: State, cost: Cost, from: Path | null, sweep: Sweep | null): void => {
    const key = keyOf(state)
    const known = best.get(key)
    if (known && compare(known, cost) <= 0) return
    const rest = restOf(elements, state, options)
    spend(budget, elements)
    if (rest === null || cost[0] + rest >= below) return
    best.set(key, cost)
    const [, ...others] = cost
    open.push({ state, cost, estimate: [cost[0] + rest, ...others], order: order++, from, sweep })
  }
  push(start(elements), [0, 0, 0, 0, 0], null, null)
  for (let path = open.pop(); path; path = open.pop()) {
    if (compare(best.get(keyOf(path.state))!, path.cost) < 0) continue
    if (isDone(elements, path.state)) return { found: { sweeps: sweepsOf(path), cost: path.cost }, complete }
    for (const { sweep, cost } of nextSweeps(elements, path.state, path.cost, options)) {
      if (budget.left <= 0) return GAVE_UP
      push(pass(elements, path.state, sweep), cost, path, sweep)
    }
    if (budget.left <= 0) return GAVE_UP
  }
  return { found: null, complete }
}

const GAVE_UP: Outcome = { found: null, complete: false }

interface Path {
  readonly state: State
  readonly cost: Cost
  readonly estimate: Cost
  readonly order: number
  readonly from: Path | null
  readonly sweep: Sweep | null
}

function sweepsOf(end: Path): Sweep[] {
  const sweeps: Sweep[] = []
  for (let path: Path | null = end; path?.sweep; path = path.from) sweeps.unshift(path.sweep)
  return sweeps
}

function compare(a: Cost, b: Cost): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

function keyOf({ made, written, scratch }: State): string {
  return `${made}|${written}|${[...scratch].sort((a, b) => a - b)}`
}

function isDone(elements: Elements, state: State): boolean {
  const { reductions, stores } = remaining(elements, state)
  return reductions.length + stores.length === 0
}

/**
 * The least that is still to be moved, with the values of `also` in scratch. Null if what is left can't be done any more.
 *
 * Whatever passes come, together they load enough of what is there now to compute all that is left. Where a pass either
 * reduces or stores, those that store do so among themselves; those that reduce may read what the others stored instead:
 * a tensor that is written anyway, or a value that costs a store besides.
 */
function restOf(elements: Elements, state: State, options: SearchOptions, also: readonly number[] = []): number | null {
  const { cutter, operations, index, work } = elements
  const { reductions, stores } = remaining(elements, state)
  const { cost } = offer(elements, state)
  for (const value of also) cost[value] = 1
  const leastFor = (some: Partial<Remaining>): number | null => {
    const targets = elementTargets(elements, { reductions: [], stores: [], ...some })
    const cut = cutter.cut({ cost, computable: operations }, targets)
    return cut === null ? null : cut.reads.reduce((sum, value) => sum + cost[value]!, 0)
  }
  if (options.abilities.reducesInPass) return plus(leastFor({ reductions, stores }), stores.length)
  const storing = leastFor({ stores })
  for (const store of stores) {
    const value = index.get(work.stores[store]!.value)
    if (value !== undefined) cost[value] = 1
  }
  if (options.withScratch) for (const [value, by] of cost.entries()) if (by === 0) cost[value] = 2
  return plus(storing, stores.length, leastFor({ reductions }))
}

function plus(...terms: readonly (number | null)[]): number | null {
  return terms.reduce((sum, term) => (sum === null || term === null ? null : sum + term), 0)
}

interface Candidate {
  readonly sweep: Sweep
  readonly cost: Cost
}

/** The passes that may come next, in the order of the source. */
function* nextSweeps(elements: Elements, state: State, cost: Cost, options: SearchOptions): Generator<Candidate> {
  const { abilities, budget } = options
  const offered = offer(elements, state)
  const left = remaining(elements, state)
  const alone = (part: Partial<Sweep>): boolean => {
    const targets = targetsOf(elements, state, { ...NOTHING, ...part })
    return targets !== null && elements.cutter.isPossible(offered, targets)
  }
  const reductions = left.reductions.filter((r) => alone({ reductions: [r] }))
  // What is computed for one reduction costs nothing for another of the same value.
  const values = [...new Set(reductions.map((r) => elements.work.reductions[r]!.value))]
  const together = values.map((value) => reductions.filter((r) => elements.work.reductions[r]!.value === value))
  const stores = left.stores.filter((s) => alone({ stores: [s] }))
  const isLast = reductions.length + stores.length === left.reductions.length + left.stores.length
  const free = abilities === IDEAL

  for (const chosen of free && isLast ? [together] : subsets(together)) {
    const some = chosen.flat().sort((a, b) => a - b)
    // Two passes of which the second needs nothing that the first reduced are better as one.
    if (free && !isLast && some.length === 0) continue
    const apart = !abilities.reducesInPass && some.length > 0
    for (const stored of apart ? [[]] : free && isLast ? [stores] : subsets(stores)) {
      const sweep = { reductions: some, stores: stored, scratch: [] }
      const plain = some.length + stored.length > 0 ? priced(elements, state, offered, cost, sweep, options) : null
      if (plain) yield plain
      const all = isLast && some.length + stored.length === reductions.length + stores.length
      if (options.withScratch && !all && !apart)
        yield* withScratch(elements, state, offered, cost, sweep, plain?.cost[0], options)
      if (budget.left <= 0) return
    }
  }
}

const NOTHING: Sweep = { reductions: [], stores: [], scratch: [] }

function* subsets<T>(items: readonly T[]): Generator<T[]> {
  for (let bits = 0; bits < 2 ** items.length; bits++) yield items.filter((_, i) => Math.floor(bits / 2 ** i) % 2 === 1)
}

function priced(
  elements: Elements,
  state: State,
  offered: Offer,
  cost: Cost,
  sweep: Sweep,
  { abilities, budget, leftOut }: SearchOptions
): Candidate | null {
  spend(budget, elements)
  const cut = loadsOf(elements, state, offered, sweep, abilities)
  if (!cut) {
    if (mightDoWithOtherLoads(elements, state, offered, sweep, abilities)) leftOut()
    return null
  }
  const [buffers, scratch, passes, operations, writes] = cost
  return {
    sweep,
    cost: [
      buffers + cut.reads.length + sweep.stores.length + sweep.scratch.length,
      scratch + sweep.scratch.length,
      passes + 1,
      operations + cut.operations,
      writes + passes * sweep.stores.length
    ]
  }
}

/** The same pass with values stored to scratch, as long as the bound leaves hope for one more. */
function* withScratch(
  elements: Elements,
  state: State,
  offered: Offer,
  cost: Cost,
  sweep: Sweep,
  without: number | undefined,
  options: SearchOptions
): Generator<Candidate> {
  const candidates = scratchCandidates(elements, state, offered, sweep)
  const least = restOf(elements, pass(elements, state, sweep), options, candidates)
  spend(options.budget, elements)
  if (least === null) return
  /** `buffers` is what the pass moves without a further value, which would be stored. */
  const grow = function* (chosen: readonly number[], first: number, buffers: number): Generator<Candidate> {
    if (buffers + 1 + least >= options.below) return
    for (let i = first; i < candidates.length && options.budget.left > 0; i++) {
      const scratch = [...chosen, candidates[i]!]
      const found = priced(elements, state, offered, cost, { ...sweep, scratch }, options)
      if (!found || found.cost[0] + least >= options.below) continue
      yield found
      yield* grow(scratch, i + 1, found.cost[0])
    }
  }
  yield* grow([], 0, without ?? cost[0])
}

function spend(budget: Budget, { nodes }: Elements): void {
  budget.left -= nodes.length
}

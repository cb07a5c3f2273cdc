/**
 * The schedule of least cost, by best-first search over what passes have done so far. A step of the search is one pass: a
 * choice of reductions, stores and scratch values, whose loads are a minimum cut. Costs add up, so the best way to a state
 * is all that is kept of it; a bound on what is still to be moved makes the search exact and short.
 */
import type { Elements } from './elements.js'
import { Heap } from './heap.js'
import { type Abilities, IDEAL } from './plan.js'
import { isWritten, loadsOf, type Offer, offer, pass, type State, type Sweep, start, targetsOf } from './state.js'

/** Compared from left to right; what comes first matters most. */
export type Cost = readonly [buffers: number, scratch: number, passes: number, operations: number, writes: number]

export interface Found {
  readonly sweeps: readonly Sweep[]
  readonly cost: Cost
}

export interface SearchOptions {
  readonly abilities: Abilities
  /** Only what moves fewer buffers is of interest. */
  readonly below: number
  readonly withScratch: boolean
  readonly budget: Budget
}

/** Work that may still be done, in values looked at by cuts. The search gives up at 0. */
export interface Budget {
  left: number
}

/** `null`: there is nothing below the bound. `'gave up'`: the budget ran out first. */
export function search(elements: Elements, options: SearchOptions): Found | null | 'gave up' {
  const { budget, below } = options
  const open = new Heap<Path>((a, b) => compare(a.estimate, b.estimate) || a.order - b.order)
  const best = new Map<string, Cost>()
  let order = 0
  const push = (state: State, cost: Cost, from: Path | null, sweep: Sweep | null): void => {
    const key = keyOf(state)
    const known = best.get(key)
    if (known && compare(known, cost) <= 0) return
    const rest = restOf(elements, state)
    spend(budget, elements)
    if (rest === null || cost[0] + rest >= below) return
    best.set(key, cost)
    const [, ...others] = cost
    open.push({ state, cost, estimate: [cost[0] + rest, ...others], order: order++, from, sweep })
  }
  push(start(elements), [0, 0, 0, 0, 0], null, null)
  for (let path = open.pop(); path; path = open.pop()) {
    if (compare(best.get(keyOf(path.state))!, path.cost) < 0) continue
    if (isDone(elements, path.state)) return { sweeps: sweepsOf(path), cost: path.cost }
    for (const { sweep, cost } of nextSweeps(elements, path.state, path.cost, options)) {
      if (budget.left <= 0) return 'gave up'
      push(pass(elements, path.state, sweep), cost, path, sweep)
    }
    if (budget.left <= 0) return 'gave up'
  }
  return null
}

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

interface Remaining {
  readonly reductions: readonly number[]
  readonly stores: readonly number[]
}

function remaining({ work, gathered }: Elements, state: State): Remaining {
  return {
    reductions: [...work.reductions.keys()].filter((r) => (state.made & gathered[r]!) === 0n),
    stores: [...work.stores.keys()].filter((s) => !isWritten(state, s))
  }
}

function isDone(elements: Elements, state: State): boolean {
  const { reductions, stores } = remaining(elements, state)
  return reductions.length + stores.length === 0
}

/**
 * The least that is still to be moved: whatever passes come, together they load enough of what is there now to compute all
 * that is left. Null if that can't be done any more.
 */
function restOf(elements: Elements, state: State, also: readonly number[] = []): number | null {
  const left = remaining(elements, state)
  const targets = elementTargets(elements, left)
  const { from } = offer(elements, state)
  const cost = from.map((b) => (b >= 0 ? 1 : 0))
  for (const value of also) cost[value] = 1
  const cut = elements.cutter.cut({ cost, computable: elements.operations }, targets)
  return cut && cut.reads.length + left.stores.length
}

function elementTargets({ work, index }: Elements, { reductions, stores }: Remaining): number[] {
  const values = [...reductions.map((r) => work.reductions[r]!.value), ...stores.map((s) => work.stores[s]!.value)]
  return values.flatMap((value) => index.get(value) ?? [])
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
    for (const stored of free && isLast ? [stores] : subsets(stores)) {
      const sweep = { reductions: some, stores: stored, scratch: [] }
      const plain = some.length + stored.length > 0 ? priced(elements, state, offered, cost, sweep, options) : null
      if (plain) yield plain
      const all = isLast && some.length + stored.length === reductions.length + stores.length
      if (options.withScratch && !all)
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
  { abilities, budget }: SearchOptions
): Candidate | null {
  spend(budget, elements)
  const cut = loadsOf(elements, state, offered, sweep, abilities)
  if (!cut) return null
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
  const least = restOf(elements, pass(elements, state, sweep), candidates)
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

/**
 * Values that a pass could store for later: it can compute them, what is left to do is made from them, and no buffer holds
 * them afterwards anyway.
 */
function scratchCandidates(elements: Elements, state: State, offered: Offer, sweep: Sweep): number[] {
  const { args } = elements
  const after = pass(elements, state, sweep)
  const { from } = offer(elements, after)
  const targets = elementTargets(elements, remaining(elements, after))
  const wanted = new Set<number>()
  const users = new Map<number, number[]>()
  const open = [...targets]
  while (open.length > 0) {
    const i = open.pop()!
    if (wanted.has(i)) continue
    wanted.add(i)
    for (const arg of args[i]!) {
      users.set(arg, [...(users.get(arg) ?? []), i])
      open.push(arg)
    }
  }
  const possible = new Set([...wanted].filter((i) => from[i] === -1 && elements.cutter.isPossible(offered, [i])))
  // Where a value has one use, and that is made from it alone, the use serves as well.
  const replaced = (i: number): boolean => {
    const by = users.get(i)
    return by?.length === 1 && possible.has(by[0]!) && args[by[0]!]!.length === 1 && !targets.includes(i)
  }
  return [...possible].filter((i) => !replaced(i)).sort((a, b) => a - b)
}

function spend(budget: Budget, { nodes }: Elements): void {
  budget.left -= nodes.length
}

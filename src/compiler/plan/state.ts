/** What a layer's passes have done so far, and what one more of them would cost. */
import type { Cut, Ground } from './cut.js'
import type { Elements } from './elements.js'
import type { Abilities } from './plan.js'

/** One pass: indices of `work.reductions` and `work.stores`, and values stored to scratch by their number. */
export interface Sweep {
  readonly reductions: readonly number[]
  readonly stores: readonly number[]
  readonly scratch: readonly number[]
}

export interface State {
  /** Reductions that passes have gathered. */
  readonly made: bigint
  /** Reductions whose results can be read: over the model, from the barrier on. */
  readonly available: bigint
  /** Barriers behind it. */
  readonly passed: number
  /** Stores behind it, as bits. */
  readonly written: bigint
  /** Values in scratch. */
  readonly scratch: readonly number[]
}

/** What a state offers to the next pass. */
export interface Offer extends Ground {
  /** The buffer that each value is read from; −1 if there is none. */
  readonly from: Int32Array
}

export function start(elements: Elements): State {
  return pass(elements, { made: 0n, available: 0n, passed: 0, written: 0n, scratch: [] }, NOTHING)
}

const NOTHING: Sweep = { reductions: [], stores: [], scratch: [] }

/** The state after a pass, behind all barriers that it completes. */
export function pass(elements: Elements, state: State, sweep: Sweep): State {
  const { gathered, barrier, work } = elements
  let made = state.made
  let available = state.available
  for (const r of sweep.reductions) {
    made |= gathered[r]!
    if (work.reductions[r]!.node.over !== 'model') available |= gathered[r]!
  }
  let passed = state.passed
  for (; passed < barrier.length; passed++) {
    const { made: wanted, needed, all } = barrier[passed]!
    if ((wanted & ~made) !== 0n || (needed & ~available) !== 0n) break
    available |= all
  }
  const written = sweep.stores.reduce((bits, s) => bits | (1n << BigInt(s)), state.written)
  return { made, available, passed, written, scratch: [...state.scratch, ...sweep.scratch] }
}

export function isWritten(state: State, store: number): boolean {
  return ((state.written >> BigInt(store)) & 1n) === 1n
}

export function offer(elements: Elements, state: State): Offer {
  const { nodes, operations, own, buffers, index, work } = elements
  const from = new Int32Array(nodes.length).fill(-1)
  const hold = (value: number, buffer: number): void => {
    if (value >= 0 && from[value] === -1) from[value] = buffer
  }
  for (const [b, { leaf, store }] of buffers.entries()) {
    const now = store >= 0 && isWritten(state, store) ? (index.get(work.stores[store]!.value) ?? -1) : leaf
    hold(now, b)
  }
  for (const [i, value] of state.scratch.entries()) hold(value, buffers.length + i)
  const computable = new Uint8Array(nodes.length)
  for (let i = 0; i < nodes.length; i++) {
    computable[i] = operations[i] && (own[i] === 0n || (own[i]! & ~state.available) === 0n) ? 1 : 0
  }
  return { from, computable, cost: from.map((b) => (b >= 0 ? 1 : 0)) }
}

/** The values that a pass computes or reads; null where one of them is no element and can't be there yet. */
export function targetsOf(elements: Elements, state: State, sweep: Sweep): number[] | null {
  const { work, index, needs } = elements
  const targets = [...sweep.scratch]
  for (const s of sweep.stores) {
    const { value } = work.stores[s]!
    const target = index.get(value)
    if (target !== undefined) targets.push(target)
    else if ((needs(value) & ~state.available) !== 0n) return null
  }
  for (const r of sweep.reductions) targets.push(index.get(work.reductions[r]!.value)!)
  return targets
}

/** The loads of a pass; null where it is not legal. */
export function loadsOf(
  elements: Elements,
  state: State,
  offered: Offer,
  sweep: Sweep,
  abilities: Abilities
): Cut | null {
  const targets = targetsOf(elements, state, sweep)
  if (!targets || !mayReduce(sweep, abilities)) return null
  const { cutter } = elements
  const cut = cutter.cut(offered, targets)
  if (!cut || fits(elements, offered, sweep, cut, abilities)) return cut
  // Of cuts of the same size, one through what the pass stores anyway touches fewer tensors.
  const stored = new Set(sweep.stores.map((s) => elements.buffers.findIndex((b) => b.store === s)))
  const cost = offered.from.map((b) => (b < 0 ? 0 : stored.has(b) ? MANY - 1 : MANY))
  const other = cutter.cut({ ...offered, cost }, targets)!
  return fits(elements, offered, sweep, other, abilities) ? other : null
}

/** Of a pass that `loadsOf` refuses: whether its least loads are all that speaks against it. */
export function mightDoWithOtherLoads(
  elements: Elements,
  state: State,
  offered: Offer,
  sweep: Sweep,
  abilities: Abilities
): boolean {
  const targets = targetsOf(elements, state, sweep)
  if (!targets || !mayReduce(sweep, abilities) || outputsOf(sweep) > abilities.maxOutputs) return false
  return elements.cutter.isPossible(offered, targets)
}

/** More than the loads of any pass. */
const MANY = 1 << 20

function mayReduce(sweep: Sweep, abilities: Abilities): boolean {
  if (sweep.reductions.length > abilities.maxReductions) return false
  return abilities.reducesInPass || sweep.reductions.length === 0 || outputsOf(sweep) === 0
}

function outputsOf({ stores, scratch }: Sweep): number {
  return stores.length + scratch.length
}

function fits(elements: Elements, offered: Offer, sweep: Sweep, cut: Cut, abilities: Abilities): boolean {
  const outputs = outputsOf(sweep)
  if (outputs > abilities.maxOutputs) return false
  const loaded = new Set(cut.reads.map((value) => offered.from[value]!))
  const both = sweep.stores.filter((s) => loaded.has(elements.buffers.findIndex((b) => b.store === s))).length
  return loaded.size + outputs - (abilities.inPlace ? both : 0) <= abilities.maxBuffers
}

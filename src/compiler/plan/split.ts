/**
 * A schedule for targets whose limits leave no other: what a pass can't load in one go is computed part by part through
 * scratch, and a value is stored to its slot only when nothing needs the old one any more. Not the least, but always legal
 * where a pass may touch four tensors and store one.
 */
import type { Elements } from './elements.js'
import type { Abilities } from './plan.js'
import { loadsOf, type Offer, offer, pass, type State, type Sweep, start, targetsOf } from './state.js'

const NOTHING: Sweep = { reductions: [], stores: [], scratch: [] }

export function splitIntoParts(elements: Elements, abilities: Abilities): Sweep[] {
  const { work, index, nodes, args } = elements
  const sweeps: Sweep[] = []
  let state = start(elements)
  let offered = offer(elements, state)
  const isLegal = (sweep: Sweep): boolean => loadsOf(elements, state, offered, sweep, abilities) !== null
  const run = (sweep: Sweep): void => {
    if (!isLegal(sweep)) throw new Error(`a pass on ${abilities.target} can't hold one operation`)
    sweeps.push(sweep)
    state = pass(elements, state, sweep)
    offered = offer(elements, state)
  }
  const keep = (value: number): void => {
    if (offered.from[value]! >= 0) return
    prepare(value)
    run({ ...NOTHING, scratch: [value] })
  }
  /** Stores operands to scratch until one pass can compute the value, and store it. */
  const prepare = (value: number): void => {
    for (const arg of args[value]!) {
      if (isLegal({ ...NOTHING, scratch: [value] })) return
      keep(arg)
    }
  }

  const open = new Set(work.reductions.keys())
  while (open.size > 0) {
    const ready = [...open].filter((r) => isPossible(elements, state, offered, { ...NOTHING, reductions: [r] }))
    if (ready.length === 0) throw new Error('reductions need one another')
    for (const r of ready) {
      prepare(index.get(work.reductions[r]!.value)!)
      run({ ...NOTHING, reductions: [r] })
      open.delete(r)
    }
  }
  // Slots keep their old values until all new ones are at hand.
  const stays = (value: number): boolean => nodes[value]!.op === 'gradient' || state.scratch.includes(value)
  for (const { value } of work.stores) {
    const i = index.get(value)
    if (i === undefined || stays(i)) continue
    prepare(i)
    run({ ...NOTHING, scratch: [i] })
  }
  for (const s of work.stores.keys()) run({ ...NOTHING, stores: [s] })
  return withoutIdleScratch(elements, joinNeighbours(elements, sweeps, abilities), abilities)
}

/** Passes that a target can do as one. */
function joinNeighbours(elements: Elements, sweeps: readonly Sweep[], abilities: Abilities): Sweep[] {
  const joined: Sweep[] = []
  let before = start(elements)
  for (const sweep of sweeps) {
    const last = joined.at(-1)
    const both = last && {
      reductions: [...last.reductions, ...sweep.reductions],
      stores: [...last.stores, ...sweep.stores],
      scratch: [...last.scratch, ...sweep.scratch]
    }
    if (both && loadsOf(elements, before, offer(elements, before), both, abilities)) {
      joined[joined.length - 1] = both
    } else {
      if (last) before = pass(elements, before, last)
      joined.push(sweep)
    }
  }
  return joined
}

/** What was stored for a pass that now computes it needs no scratch. */
function withoutIdleScratch(elements: Elements, sweeps: readonly Sweep[], abilities: Abilities): Sweep[] {
  let state = start(elements)
  const reads = sweeps.map((sweep) => {
    const offered = offer(elements, state)
    const { reads: values } = loadsOf(elements, state, offered, sweep, abilities)!
    state = pass(elements, state, sweep)
    return values.filter((value) => offered.from[value]! >= elements.buffers.length)
  })
  const needed = sweeps.map((sweep, p) => {
    const later = new Set(reads.slice(p + 1).flat())
    return { ...sweep, scratch: sweep.scratch.filter((value) => later.has(value)) }
  })
  return needed.filter(({ reductions, stores, scratch }) => reductions.length + stores.length + scratch.length > 0)
}

function isPossible(elements: Elements, state: State, offered: Offer, sweep: Sweep): boolean {
  const targets = targetsOf(elements, state, sweep)
  return targets !== null && elements.cutter.isPossible(offered, targets)
}

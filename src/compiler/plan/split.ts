/**
 * A schedule for targets whose limits leave no other: what a pass can't load in one go is computed part by part through
 * scratch, and a value is stored to its slot only when nothing needs the old one any more. Not the least, but always legal
 * where a pass may touch four tensors and store one.
 */
import type { Elements } from './elements.js'
import type { Abilities } from './plan.js'
import { loadsOf, type Offer, offer, pass, start, type State, type Sweep, targetsOf } from './state.js'

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
  return sweeps
}

function isPossible(elements: Elements, state: State, offered: Offer, sweep: Sweep): boolean {
  const targets = targetsOf(elements, state, sweep)
  return targets !== null && elements.cutter.isPossible(offered, targets)
}

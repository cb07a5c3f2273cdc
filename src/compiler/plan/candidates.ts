/** What is left to do after some passes, and which values one more of them could keep in scratch for it. */
import type { Elements } from './elements.js'
import { isWritten, type Offer, offer, pass, type State, type Sweep } from './state.js'

export interface Remaining {
  readonly reductions: readonly number[]
  readonly stores: readonly number[]
}

export function remaining({ work, gathered }: Elements, state: State): Remaining {
  return {
    reductions: [...work.reductions.keys()].filter((r) => (state.made & gathered[r]!) === 0n),
    stores: [...work.stores.keys()].filter((s) => !isWritten(state, s))
  }
}

export function elementTargets({ work, index }: Elements, { reductions, stores }: Remaining): number[] {
  const values = [...reductions.map((r) => work.reductions[r]!.value), ...stores.map((s) => work.stores[s]!.value)]
  return values.flatMap((value) => index.get(value) ?? [])
}

/**
 * Values that a pass could store for later: it can compute them, what is left to do is made from them, and no buffer holds
 * them afterwards anyway.
 */
export function scratchCandidates(elements: Elements, state: State, offered: Offer, sweep: Sweep): number[] {
  const { args } = elements
  const after = pass(elements, state, sweep)
  const { from } = offer(elements, after)
  const targets = elementTargets(elements, remaining(elements, after))
  const wanted = new Set<number>()
  const uses = new Int32Array(args.length)
  const user = new Int32Array(args.length)
  const open = [...targets]
  while (open.length > 0) {
    const i = open.pop()!
    if (wanted.has(i)) continue
    wanted.add(i)
    for (const arg of args[i]!) {
      uses[arg]!++
      user[arg] = i
      open.push(arg)
    }
  }
  const there = makeable(elements, offered)
  const possible = new Set([...wanted].filter((i) => from[i] === -1 && there[i]))
  // Where a value has one use, and that is made from it alone, the use serves as well.
  const replaced = (i: number): boolean => {
    const by = user[i]!
    return uses[i] === 1 && possible.has(by) && args[by]!.length === 1 && !targets.includes(i)
  }
  return [...possible].filter((i) => !replaced(i)).sort((a, b) => a - b)
}

/** Of each value, whether a pass has it: it reads it, or computes it of what it has. Operands come first. */
function makeable({ args }: Elements, { cost, computable }: Offer): Uint8Array {
  const there = new Uint8Array(args.length)
  for (const [i, operands] of args.entries()) {
    there[i] = cost[i]! > 0 || (computable[i] && operands.every((arg) => there[arg])) ? 1 : 0
  }
  return there
}

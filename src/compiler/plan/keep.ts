/**
 * What passes compute again, kept in scratch instead where that moves no more: for targets whose arithmetic is not hidden
 * behind memory. LAMB's update is one: its second pass reads m and v and makes it anew, or reads it.
 */
import { scratchCandidates } from './candidates.js'
import type { Elements } from './elements.js'
import type { Abilities } from './plan.js'
import { loadsOf, offer, pass, type Sweep, start } from './state.js'

export function keepWhatIsComputedAgain(
  elements: Elements,
  sweeps: readonly Sweep[],
  abilities: Abilities
): readonly Sweep[] {
  const now = workOf(elements, sweeps, abilities)!
  const better = keepingOneMore(elements, sweeps)
    .map((kept) => ({ kept, work: workOf(elements, kept, abilities) }))
    .filter(({ work }) => work !== null && work.moved <= now.moved && work.operations < now.operations)
    .sort((a, b) => a.work!.operations - b.work!.operations)[0]
  return better ? keepWhatIsComputedAgain(elements, better.kept, abilities) : sweeps
}

function keepingOneMore(elements: Elements, sweeps: readonly Sweep[]): Sweep[][] {
  let state = start(elements)
  return sweeps.slice(0, -1).flatMap((sweep, at) => {
    const candidates = scratchCandidates(elements, state, offer(elements, state), sweep)
    state = pass(elements, state, sweep)
    return candidates.map((value) => sweeps.with(at, { ...sweep, scratch: [...sweep.scratch, value] }))
  })
}

/** Buffers moved and operations done; null where a pass is not legal. */
function workOf(
  elements: Elements,
  sweeps: readonly Sweep[],
  abilities: Abilities
): { readonly moved: number; readonly operations: number } | null {
  let state = start(elements)
  let moved = 0
  let operations = 0
  for (const sweep of sweeps) {
    const cut = loadsOf(elements, state, offer(elements, state), sweep, abilities)
    if (!cut) return null
    moved += cut.reads.length + sweep.stores.length + sweep.scratch.length
    operations += cut.operations
    state = pass(elements, state, sweep)
  }
  return { moved, operations }
}

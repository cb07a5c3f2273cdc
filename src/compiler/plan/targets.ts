/** The Plan of each target. */
import type { Program } from '../check/program.js'
import { prepare, scheduled } from './make-plan.js'
import { levelOfBuffer, sameBuffer } from './order.js'
import { type Abilities, type Buffer, IDEAL, type Plan } from './plan.js'

export interface Plans {
  /** For a target that can do anything: the figures that `explain` gives. */
  readonly plan: Plan
  /** In the order of the abilities; of those targets alone whose passes can load what the program's have to. */
  readonly targets: readonly Plan[]
}

/** What is least without limits is least for any target whose limits it keeps: such targets share one search. */
export function makePlans(program: Program, abilities: readonly Abilities[]): Plans {
  const prepared = prepare(program)
  const plan = scheduled(prepared, IDEAL)
  const made = new Map<string, Plan>([[limitsOf(IDEAL), plan]])
  const planFor = (one: Abilities): Plan => {
    if (one.recomputes && keepsLimits(plan, one)) return plan
    const alike = made.get(limitsOf(one)) ?? scheduled(prepared, one)
    made.set(limitsOf(one), alike)
    return alike
  }
  const targets = abilities.map((one) => ({ ...planFor(one), abilities: one }))
  return { plan, targets: targets.filter(isLoadable) }
}

function isLoadable({ variants, abilities }: Plan): boolean {
  return variants.every(({ passes }) => passes.every((pass) => pass.loads.length <= abilities.maxLoads))
}

/** Of targets that can do the same. */
function limitsOf(abilities: Abilities): string {
  return JSON.stringify({ ...abilities, target: '' })
}

function keepsLimits({ program, variants }: Plan, abilities: Abilities): boolean {
  return variants.every(({ vectors, passes }) => {
    // What has one value a row, a column or a channel stands wherever a target likes.
    const ofElements = (buffers: readonly Buffer[]): Buffer[] =>
      buffers.filter((b) => levelOfBuffer(program, vectors, b) === 'element')
    return passes.every(({ loads, stores, reductions }) => {
      const stored = ofElements(stores.map((s) => s.to))
      return isWithin(ofElements(loads), stored, reductions.length, abilities)
    })
  })
}

function isWithin(loads: readonly Buffer[], stores: readonly Buffer[], reductions: number, limits: Abilities): boolean {
  const { reducesInPass, inPlace, maxBuffers, maxOutputs, maxReductions } = limits
  const fresh = inPlace ? stores.filter((to) => !loads.some((from) => sameBuffer(from, to))) : stores
  return (
    (reducesInPass || reductions === 0 || stores.length === 0) &&
    stores.length <= maxOutputs &&
    reductions <= maxReductions &&
    loads.length + fresh.length <= maxBuffers
  )
}

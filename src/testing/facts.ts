/** What a program does as a whole, as far as laws hang on it. */
import type { Node, Program } from '../compiler/check/program.js'
import { isReduction, isVector, reach } from '../compiler/plan/order.js'

export interface Facts {
  /** Something is gathered over a layer's elements, or over the model's. */
  readonly reduces: boolean
  /** Layers know of each other: by reductions, state or facts of the model. */
  readonly mixesLayers: boolean
  /** Elements know where they stand: in which row, column or channel, or by a random number of their own. */
  readonly knowsPlaces: boolean
  /** Numbers that the host hands to kernels, and that are the same for all layers of a step. */
  readonly hostScalars: readonly Node[]
}

const OF_THE_STEP: readonly string[] = ['config', 'step']

export function factsOf(program: Program): Facts {
  const roots = [
    program.weight,
    ...program.slots.flatMap((slot) => [slot.init, slot.next]),
    ...program.observations.map((o) => o.value)
  ]
  const nodes = reach(roots, () => true)
  return {
    reduces: nodes.some(isReduction),
    mixesLayers: nodes.some((node) => node.level === 'model'),
    knowsPlaces: nodes.some((node) => isVector(node) || node.op === 'noise'),
    hostScalars: [...new Set(nodes.filter((node) => node.place === 'device').flatMap((node) => node.args))].filter(
      ({ place, kind, level }) => place === 'host' && kind === 'number' && OF_THE_STEP.includes(level)
    )
  }
}

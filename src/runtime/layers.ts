/** The trainable tensors that an optimizer knows, and what they are called. */
import type { Variable } from '@tensorflow/tfjs-core'
import type { Layer, LayerInfo } from './program.js'
import type { Choice } from './settings.js'
import type { LayerState } from './state.js'

/** A layer, and what is found out about it once and used at each step. */
export interface TrackedLayer extends Layer, LayerState {
  info: LayerInfo
  readonly host: Float64Array
  /** null where it is to be found out (again). */
  choice: Choice | null
  /** Host scalars of the last step that it took part in. */
  scalars: Float64Array
}

/**
 * What layers are called: as their variable, but for the `_<digits>` that tfjs appends after a `/` to make the name of a
 * reloaded weight unique; that stays where a name would not be unique without.
 */
export function namesOf(variables: readonly Variable[]): string[] {
  const whole = variables.map((variable) => variable.name)
  const short = whole.map((name) => name.replace(/(\/[^/]*?)_\d+$/, '$1'))
  const users = new Map<string, number>()
  whole.forEach((name, i) => {
    for (const used of new Set([name, short[i]!])) users.set(used, (users.get(used) ?? 0) + 1)
  })
  return short.map((name, i) => (users.get(name) === 1 ? name : whole[i]!))
}

export function describe(variable: Variable, name: string, index: number): LayerInfo {
  const { shape, rank, size } = variable
  return Object.freeze({ name, shape: Object.freeze([...shape]), rank, size, index })
}

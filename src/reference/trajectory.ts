/** The reference as a trainer of its own: many steps in plain float64, for figures of other libraries. */
import type { Reference } from './reference.js'
import type { LayerInput, StepInput, StepResult } from './step.js'

/** A layer before its first step. */
export type LayerStart = Pick<LayerInput, 'name' | 'shape' | 'weight' | 'hypers' | 'masks'>

export interface Trajectory {
  /** Takes a step; null for a layer that has no gradient in it. Hyperparameters given here stand for this step. */
  step(gradients: readonly (ArrayLike<number> | null)[], hypers?: StepInput['hypers']): StepResult
}

/** Follows a model from its start. Weights and state are carried in float64, every bound is 0. */
export function trajectory(
  optimizer: Reference,
  layers: readonly LayerStart[],
  hypers: StepInput['hypers'] = {}
): Trajectory {
  const weights = layers.map((l): ArrayLike<number> => l.weight)
  const ages = layers.map(() => 0)
  const slots = layers.map((): LayerInput['slots'] | null => null)
  let modelState: Record<string, number> | null = null
  let t = 0

  return {
    step(gradients, now = {}) {
      t++
      const inputs = layers.map((layer, i): LayerInput => {
        if (gradients[i]) ages[i]!++
        return { ...layer, weight: weights[i]!, gradient: gradients[i] ?? null, age: ages[i]!, slots: slots[i]! }
      })
      const result = optimizer.step({ t, layers: inputs, hypers: { ...hypers, ...now }, modelState })
      result.layers.forEach((layer, i) => {
        if (!gradients[i]) return
        weights[i] = layer.weight.value
        slots[i] = numbersOf(layer.slots)
      })
      modelState = scalarsOf(result.modelState)
      return result
    }
  }
}

const numbersOf = (values: Readonly<Record<string, { value: Float64Array }>>): Record<string, Float64Array> =>
  Object.fromEntries(Object.entries(values).map(([name, v]) => [name, v.value]))

const scalarsOf = (values: Readonly<Record<string, { value: Float64Array }>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, v]) => [name, v.value[0]!]))

/** Which saved state belongs to which layer. */
import { util } from '@tensorflow/tfjs-core'
import { slotShape, type TensorSlot } from './state.js'
import type { SavedLayer } from './weights.js'

/** A layer that appears for the first time. */
export interface Appearing {
  readonly name: string
  readonly shape: readonly number[]
}

/**
 * Saved state for each of `layers`, null for one that starts afresh. By name and shape; where that leaves some on both
 * sides, all by position, if both sides agree one to one; else an error. So a layer that is frozen now, or new, is told
 * from a model whose layers were renamed, and nothing starts afresh by mistake.
 */
export function bindSaved(
  layers: readonly Appearing[],
  saved: readonly SavedLayer[],
  tensors: readonly TensorSlot[]
): (SavedLayer | null)[] {
  const fits = ({ shape }: Appearing, { slots }: SavedLayer): boolean =>
    slots.every((slot, i) => util.arraysEqual(slot.shape, slotShape(shape, tensors[i]!.over)))
  const whole = tensors.findIndex((slot) => slot.over === 'element')
  const byName = new Map(saved.map((one) => [one.name, one]))
  const found = layers.map((layer) => {
    const one = byName.get(layer.name)
    return one && fits(layer, one) ? one : null
  })
  const left = saved.length - found.filter((one) => one !== null).length
  if (left === 0 || !found.includes(null)) return found
  if (layers.length === saved.length && layers.every((layer, i) => fits(layer, saved[i]!))) return [...saved]
  throw new Error(
    `the saved state does not fit the layers, neither by name nor by position. ` +
      `Saved: ${list(saved.map((one) => ({ name: one.name, shape: one.slots[whole]?.shape })))}. ` +
      `Layers: ${list(layers)}.`
  )
}

function list(layers: readonly { readonly name: string; readonly shape?: readonly number[] | undefined }[]): string {
  const some = layers.slice(0, 20).map(({ name, shape }) => (shape ? `${name} [${shape}]` : name))
  return [...some, ...(layers.length > 20 ? [`and ${layers.length - 20} more`] : [])].join(', ')
}

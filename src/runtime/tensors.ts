/** How drivers that make fresh tensors put them in the place of old ones. */
import * as tf from '@tensorflow/tfjs-core'
import type { Layer, ModelState } from './program.js'

/** The weight, then slots. */
export function tensorsOf(layer: Layer): tf.Tensor[] {
  return [layer.variable, ...layer.slots]
}

/** Puts a fresh tensor in the place of one of `tensorsOf`. */
export function replaceTensor(layer: Layer, index: number, fresh: tf.Tensor): void {
  if (index === 0) {
    layer.variable.assign(fresh)
    fresh.dispose()
  } else {
    layer.slots[index - 1]!.dispose()
    layer.slots[index - 1] = tf.keep(fresh)
  }
}

/** The same for the state of a layer or of the model. */
export function replaceState(holder: Layer | ModelState, fresh: tf.Tensor): void {
  holder.cells?.dispose()
  holder.cells = tf.keep(fresh)
}

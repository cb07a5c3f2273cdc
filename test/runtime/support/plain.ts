/** A driver for tests of the class alone: a formula on plain arrays, a layer at a time, each step into fresh tensors. */
import * as tf from '@tensorflow/tfjs-core'
import type { Driver, Layer, Target } from '../../../src/runtime/index.js'

export interface PlainLayer {
  /** Copies; what stands here afterwards is the new value. */
  readonly w: Float32Array
  readonly slots: readonly Float32Array[]
  readonly cells: Float32Array
  readonly modelCells: Float32Array
  readonly g: Float32Array
  readonly scalars: Float64Array
  readonly variant: number
  readonly info: Layer['info']
}

/** The formula gives the layer's observations. */
export function plain(
  backend: string,
  formula: (layer: PlainLayer) => readonly number[] | undefined,
  own: Partial<Driver> = {}
): Target {
  return {
    backend,
    open() {
      let observed = new Map<Layer, readonly number[]>()
      return {
        kernel: 'ops',
        step({ layers, model }) {
          observed = new Map()
          const modelCells = copy(model.cells)
          for (const { layer, gradient, scalars, variant } of layers) {
            const w = copy(layer.variable)
            const slots = layer.slots.map(copy)
            const cells = copy(layer.cells)
            const seen = formula({ w, slots, cells, modelCells, g: copy(gradient), scalars, variant, info: layer.info })
            if (seen) observed.set(layer, seen)
            tf.tidy(() => layer.variable.assign(tf.tensor(w, layer.variable.shape, 'float32')))
            layer.slots = layer.slots.map((old, i) => replace(old, slots[i]!))
            if (layer.cells) layer.cells = replace(layer.cells, cells)
          }
          if (model.cells) model.cells = replace(model.cells, modelCells)
        },
        observations: async () => observed,
        dispose() {},
        ...own
      }
    }
  }
}

function copy(x: tf.Tensor | null): Float32Array {
  return x ? (x.dataSync() as Float32Array).slice() : new Float32Array(0)
}

function replace(old: tf.Tensor, values: Float32Array): tf.Tensor {
  const made = tf.keep(tf.tensor(values, old.shape, 'float32'))
  old.dispose()
  return made
}

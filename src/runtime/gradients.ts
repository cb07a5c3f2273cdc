/** What `applyGradients` is given: checked whole before anything changes, and made safe to read while weights are written. */
import * as tf from '@tensorflow/tfjs-core'
import { didYouMean, show } from './errors.js'
import type { TrackedLayer } from './layers.js'
import type { StepLayer } from './program.js'

/** tfjs-core has this type, but not at its root. */
export interface NamedTensor {
  name: string
  tensor: tf.Tensor
}

export type Gradients = tf.NamedTensorMap | NamedTensor[]

/** By variable, those that take part: a layer without a gradient or without elements is left out. */
export function checkGradients(gradients: Gradients): Map<tf.Variable, tf.Tensor> {
  if (typeof gradients !== 'object' || gradients === null) {
    throw new Error(
      `applyGradients takes a map from variable names to gradients, or an array of them; got ${show(gradients)}.`
    )
  }
  const found = new Map<tf.Variable, tf.Tensor>()
  const variables = tf.engine().registeredVariables
  const add = (name: string, gradient: tf.Tensor | null | undefined) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (!variable) {
      throw new Error(`there is no variable named "${name}"${didYouMean(name, Object.keys(variables))}`)
    }
    if (found.has(variable)) throw new Error(`there are two gradients for the variable "${name}".`)
    if (gradient === null || gradient === undefined) return
    checkGradient(variable, gradient)
    if (variable.size > 0) found.set(variable, gradient)
  }
  if (Array.isArray(gradients)) for (const { name, tensor } of gradients) add(name, tensor)
  else for (const name of Object.keys(gradients)) add(name, gradients[name])
  return found
}

function checkGradient(variable: tf.Variable, gradient: tf.Tensor): void {
  const { name, shape } = variable
  if (variable.dtype !== 'float32')
    throw new Error(`the variable "${name}" is ${variable.dtype}; only float32 can be trained.`)
  if (!(gradient instanceof tf.Tensor))
    throw new Error(`the gradient of "${name}" must be a tensor; got ${show(gradient)}.`)
  if (gradient.isDisposed) throw new Error(`the gradient of "${name}" was disposed.`)
  if (gradient.dtype !== 'float32')
    throw new Error(`the gradient of "${name}" is ${gradient.dtype}; it must be float32.`)
  if (!tf.util.arraysEqual(shape, gradient.shape)) {
    throw new Error(`the gradient of "${name}" has shape [${gradient.shape}], but the variable has [${shape}].`)
  }
}

/** Gradients that no kernel writes: one that is a weight or state of this step is copied. */
export function ownGradients(running: readonly (StepLayer & { readonly layer: TrackedLayer })[]): readonly StepLayer[] {
  const read = new Set<object>()
  for (const { gradient } of running) read.add(gradient.dataId)
  const written = new Set<object>()
  const write = ({ dataId }: tf.Tensor): void => {
    if (read.has(dataId)) written.add(dataId)
  }
  for (const { layer } of running) {
    write(layer.variable)
    layer.slots.forEach(write)
    if (layer.cells) write(layer.cells)
  }
  if (written.size === 0) return running
  return running.map((one) => (written.has(one.gradient.dataId) ? { ...one, gradient: tf.mul(one.gradient, 1) } : one))
}

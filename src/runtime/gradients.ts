/** What `applyGradients` is given: checked whole before anything changes, and made safe to read while weights are written. */
import * as tf from '@tensorflow/tfjs-core'
import { didYouMean, show } from './errors.js'
import type { StepLayer } from './program.js'

/** tfjs-core has this type, but not at its root. */
export interface NamedTensor {
  name: string
  tensor: tf.Tensor
}

export type Gradients = tf.NamedTensorMap | NamedTensor[]

/** The gradients of a step, and whose each is. */
export interface Given {
  readonly variables: readonly tf.Variable[]
  readonly gradients: readonly tf.Tensor[]
}

/**
 * Those that take part: a layer without a gradient or without elements is left out. `before` are the variables of the last
 * step; where they are the same, in the same order, it is they that are returned.
 */
export function checkGradients(gradients: Gradients, before: readonly tf.Variable[]): Given {
  if (typeof gradients !== 'object' || gradients === null) {
    throw new Error(
      `applyGradients takes a map from variable names to gradients, or an array of them; got ${show(gradients)}.`
    )
  }
  const found: tf.Variable[] = []
  const theirs: tf.Tensor[] = []
  const registered = tf.engine().registeredVariables
  const add = (name: string, gradient: tf.Tensor | null | undefined) => {
    const variable = registered[name]
    // What any object inherits is no variable.
    if (variable?.trainable === undefined) {
      throw new Error(`there is no variable named "${name}"${didYouMean(name, Object.keys(registered))}`)
    }
    if (gradient === null || gradient === undefined) return
    checkGradient(variable, gradient)
    if (variable.size === 0) return
    found.push(variable)
    theirs.push(gradient)
  }
  if (Array.isArray(gradients)) for (const { name, tensor } of gradients) add(name, tensor)
  else for (const name of Object.keys(gradients)) add(name, gradients[name])
  if (found.length === before.length && found.every((variable, i) => variable === before[i])) {
    return { variables: before, gradients: theirs }
  }
  if (new Set(found).size < found.length) {
    const twice = found.find((variable, i) => found.indexOf(variable) < i)!
    throw new Error(`there are two gradients for the variable "${twice.name}".`)
  }
  return { variables: found, gradients: theirs }
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

/** Gradients that no kernel writes: one that is a weight of this step, or state that others have, is copied. */
export function ownGradients(running: readonly StepLayer[], stateIsPrivate: boolean): readonly StepLayer[] {
  const written = new Set<object>()
  for (const { layer } of running) {
    written.add(layer.variable.dataId)
    if (stateIsPrivate) continue
    for (const slot of layer.slots) written.add(slot.dataId)
    if (layer.cells) written.add(layer.cells.dataId)
  }
  if (!running.some(({ gradient }) => written.has(gradient.dataId))) return running
  return running.map((one) => (written.has(one.gradient.dataId) ? { ...one, gradient: tf.mul(one.gradient, 1) } : one))
}

/** Finds a second copy of tfjs-core, which shares the engine with ours but not the list of classes that loading reads. */
import * as tf from '@tensorflow/tfjs-core'

/** Each copy sets its platform when it is imported; ours had done so when this was read. */
const platform = tf.env().platform

let warned = false

/** Warns once. A warning and no error: a program that sets a platform of its own looks the same. */
export function warnOfSecondCore(): void {
  const foreign = !(tf.engine().ENV instanceof tf.Environment)
  if (warned || !(foreign || tf.env().platform !== platform)) return
  warned = true
  console.warn(
    'optc: there seem to be two copies of @tensorflow/tfjs-core. Training works, but tf.loadLayersModel may not find ' +
      'compiled optimizers. See them with "npm ls @tensorflow/tfjs-core", and make them one with "npm dedupe", or with ' +
      "your bundler's alias or dedupe option. (If you set a platform of your own, there may be nothing wrong.)"
  )
}

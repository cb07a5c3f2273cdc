// The tensorflow backend, on the CPU, or with OPTC_TENSORFLOW=…/tfjs-node-gpu on a CUDA GPU. A step is timed until the
// device has done it.
import * as tf from '@tensorflow/tfjs'
import { openTensorFlow } from '../scripts/tensorflow.mjs'
import { sizeOf } from './cases.mjs'
import { compiled } from './compiled.mjs'
import { modelsOf, report } from './report.mjs'
import { sideBySide } from './side-by-side.mjs'

export async function bench(options) {
  const missing = await openTensorFlow()
  if (missing !== null) return console.log(`\ntensorflow backend: skipped, ${missing}`)
  const { binding, isUsingGpuDevice } = tf.backend()
  const setup = {
    ways: {
      compiled: { classes: await compiled('tensorflow'), kernel: 'tensorflow' },
      // The same, had TensorFlow no training kernels.
      'by vectors alone': { classes: await compiled('tensorflow', withoutKernels), kernel: 'tensorflow' }
    },
    copiesOf,
    done
  }
  const device = `TensorFlow ${binding.TF_Version} on ${isUsingGpuDevice ? 'a GPU' : 'the CPU'}`
  await report({ backend: 'tensorflow', device }, options, (tell) => sideBySide(setup, modelsOf(options), tell))
}

function withoutKernels(code) {
  const edited = code.replaceAll('inPlace: [{', 'unused: [{')
  if (edited === code) throw new Error('there is no training kernel in it')
  return edited
}

function copiesOf(shapes) {
  const from = shapes.map((shape) => tf.zeros(shape))
  return {
    bytes: 2 * 4 * sizeOf(shapes),
    ways: {
      async 'a copy by x + 0'() {
        const copies = tf.tidy(() => from.map((x) => tf.add(x, 0)))
        await done(copies.at(-1))
        tf.dispose(copies)
      }
    },
    dispose: () => tf.dispose(from)
  }
}

/** Operations run in order: who reads one number of the last waits for all. Asked for once the call has been timed. */
async function done(tensor) {
  await null
  tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), [0], [1]).dataSync())
}

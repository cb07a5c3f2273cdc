// The tensorflow backend, on the CPU, or with OPTC_TENSORFLOW=…/tfjs-node-gpu on a CUDA GPU: compiled optimizers beside
// TensorFlow.js's own, and LAMB beside the same formula in plain operations. A step is timed until the device has done it.
import * as tf from '@tensorflow/tfjs'
import { openTensorFlow } from '../scripts/tensorflow.mjs'
import { compiled } from './compiled.mjs'
import { lambInOperations } from './lamb-in-operations.mjs'
import { interleaved, ROUNDS } from './measure.mjs'
import { shapes as resnet50 } from './resnet50.mjs'

const MODELS = {
  '1 tensor of 4M weights': [[2000, 2000]],
  "ResNet-50's 161 tensors, 25.6M weights": resnet50,
  '200 tensors of 256 weights': Array.from({ length: 200 }, () => [16, 16])
}
const CASES = {
  Adam: { file: 'adam', stock: () => tf.train.adam(0.001, 0.9, 0.999, 1e-7), beside: 'tf.train.adam' },
  Momentum: { file: 'momentum', stock: () => tf.train.momentum(0.01, 0.9), beside: 'tf.train.momentum' },
  LAMB: { file: 'lamb', stock: lambInOperations, beside: 'tf ops' }
}

export async function bench() {
  const missing = await openTensorFlow()
  if (missing !== null) return console.log(`\ntensorflow backend: skipped, ${missing}`)
  const { binding, isUsingGpuDevice } = tf.backend()
  const where = `TensorFlow ${binding.TF_Version} on ${isUsingGpuDevice ? 'a GPU' : 'the CPU'}`
  console.log(`\ntensorflow backend (${where}), a step: medians of ${ROUNDS} interleaved runs`)
  for (const [label, shapes] of Object.entries(MODELS)) {
    console.log(`\n  ${label}`)
    const gradients = shapes.map((shape, i) => tf.randomUniform(shape, -1, 1, 'float32', i))
    for (const [name, how] of Object.entries(CASES)) await compare(name, how, shapes, gradients)
    tf.dispose(gradients)
  }
}

async function compare(name, { file, stock, beside }, shapes, gradients) {
  const { Optimizer } = await compiled(file, 'tensorflow')
  const contenders = {
    theirs: contender(stock(), shapes, gradients),
    ours: contender(new Optimizer(), shapes, gradients),
    // The same, had TensorFlow no training kernels.
    vectors: contender(new (await compiled(file, 'tensorflow', withoutKernels)).Optimizer(), shapes, gradients)
  }
  const copy = copyOf(shapes)
  const steps = Object.entries(contenders).map(([key, { step }]) => [key, step])
  const times = await interleaved({ ...Object.fromEntries(steps), copy: copy.run })
  const { kernel } = contenders.ours.optimizer
  if (kernel !== 'tensorflow') throw new Error(`the kernel that ran is ${kernel}`)
  const times2 = (time) => `${time.toFixed(1).padStart(7)} ms ${`${(times.theirs / time).toFixed(1)}x`.padStart(7)}`
  console.log(
    `    ${name.padEnd(9)} ${beside.padEnd(18)} ${times.theirs.toFixed(1).padStart(7)} ms · compiled ` +
      `${times2(times.ours)} · by vectors alone ${times2(times.vectors)} · a copy of the weights ${times.copy.toFixed(1)} ms`
  )
  for (const one of [...Object.values(contenders), copy]) one.dispose()
}

function withoutKernels(code) {
  const edited = code.replaceAll('inPlace: [{', 'unused: [{')
  if (edited === code) throw new Error('there is no training kernel in it')
  return edited
}

function contender(optimizer, shapes, gradients) {
  const variables = shapes.map((shape, i) => tf.tidy(() => tf.variable(tf.randomUniform(shape, -1, 1, 'float32', i))))
  const named = Object.fromEntries(variables.map((v, i) => [v.name, gradients[i]]))
  return {
    optimizer,
    step: () => {
      tf.tidy(() => optimizer.applyGradients(named))
      done(variables.at(-1))
    },
    dispose: () => {
      optimizer.dispose()
      tf.dispose(variables)
    }
  }
}

function copyOf(shapes) {
  const from = shapes.map((shape) => tf.zeros(shape))
  return {
    run: () => tf.tidy(() => done(from.map((x) => tf.add(x, 0)).at(-1))),
    dispose: () => tf.dispose(from)
  }
}

/** Operations run in order: who reads one number of the last waits for all. */
function done(tensor) {
  tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), [0], [1]).dataSync())
}

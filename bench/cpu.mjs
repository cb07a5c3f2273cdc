// The cpu backend: compiled optimizers, in WebAssembly and in JavaScript, beside TensorFlow.js's own and plain operations.
import * as tf from '@tensorflow/tfjs'
import { compiled } from './compiled.mjs'
import { lambInOperations } from './lamb-in-operations.mjs'
import { interleaved, ROUNDS } from './measure.mjs'
import { shapes as resnet50 } from './resnet50.mjs'

const MODELS = {
  '1 tensor of 4M weights': [[2000, 2000]],
  "ResNet-50's 161 tensors, 25.6M weights": resnet50
}
const CASES = {
  Adam: { file: 'adam', stock: () => tf.train.adam(0.001, 0.9, 0.999, 1e-7) },
  Momentum: { file: 'momentum', stock: () => tf.train.momentum(0.01, 0.9) },
  LAMB: { file: 'lamb', stock: lambInOperations }
}

export async function bench() {
  await tf.setBackend('cpu')
  console.log(`\ncpu backend, a step: medians of ${ROUNDS} interleaved runs`)
  for (const [label, shapes] of Object.entries(MODELS)) {
    console.log(`\n  ${label}`)
    const gradients = shapes.map((shape, i) => tf.randomUniform(shape, -1, 1, 'float32', i))
    for (const [name, { file, stock }] of Object.entries(CASES)) await compare(name, file, stock, shapes, gradients)
    tf.dispose(gradients)
  }
}

async function compare(name, file, stock, shapes, gradients) {
  const { Optimizer, plan } = await compiled(file, 'cpu')
  const contenders = {
    stock: contender(stock(), shapes, gradients),
    wasm: contender(new Optimizer(), shapes, gradients),
    js: contender(new Optimizer(), shapes, gradients)
  }
  withoutWebAssembly(contenders.js.step)
  contenders.wasm.step()
  const kernels = [contenders.wasm, contenders.js].map((c) => c.optimizer.kernel)
  if (kernels.join() !== 'cpu,cpu-js') throw new Error(`the kernels that ran are ${kernels}`)
  const copy = copyOf(shapes)
  const {
    stock: slow,
    wasm,
    js,
    plain
  } = await interleaved({
    stock: contenders.stock.step,
    wasm: contenders.wasm.step,
    js: contenders.js.step,
    plain: copy.run
  })
  const bytes = shapes.reduce((sum, shape) => {
    const variant = plan.variants[plan.conditions.length > 0 && shape.length > 1 ? plan.variants.length - 1 : 0]
    return sum + variant.bytesPerWeight * shape.reduce((x, y) => x * y, 1)
  }, 0)
  const ideal = (plain * bytes) / copy.bytes
  const line = (kernel, time) =>
    `${kernel} ${time.toFixed(1).padStart(7)} ms ${`${(slow / time).toFixed(1)}x`.padStart(7)} ${`${((100 * ideal) / time).toFixed(0)}%`.padStart(5)} of a copy`
  const beside = name === 'LAMB' ? 'tf ops' : `tf.train.${name.toLowerCase()}`
  console.log(
    `    ${name.padEnd(9)} ${beside.padEnd(18)} ${slow.toFixed(0).padStart(6)} ms · ${line('WASM', wasm)} · ${line('JavaScript', js)}`
  )
  for (const c of Object.values(contenders)) c.dispose()
}

function contender(optimizer, shapes, gradients) {
  const variables = shapes.map((shape, i) => tf.tidy(() => tf.variable(tf.randomUniform(shape, -1, 1, 'float32', i))))
  const named = Object.fromEntries(variables.map((v, i) => [v.name, gradients[i]]))
  return {
    optimizer,
    step: () => tf.tidy(() => optimizer.applyGradients(named)),
    dispose: () => {
      optimizer.dispose()
      tf.dispose(variables)
    }
  }
}

/** As a page whose policy forbids it: the driver is chosen at the first step. */
function withoutWebAssembly(firstStep) {
  const { WebAssembly } = globalThis
  globalThis.WebAssembly = undefined
  try {
    firstStep()
  } finally {
    globalThis.WebAssembly = WebAssembly
  }
}

/** Copies arrays of the shapes' sizes. */
function copyOf(shapes) {
  const arrays = shapes.map((shape) => {
    const size = shape.reduce((x, y) => x * y, 1)
    return [new Float32Array(size).fill(1), new Float32Array(size).fill(2)]
  })
  return {
    bytes: arrays.reduce((sum, [from]) => sum + 2 * from.byteLength, 0),
    run: () => {
      for (const [from, to] of arrays) to.set(from)
    }
  }
}

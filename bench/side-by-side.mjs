// What the benches of backends share: the models, the optimizers, and a line a pair, beside TensorFlow.js's own or plain
// operations and beside a copy of the same bytes.
import * as tf from '@tensorflow/tfjs'
import { compiled } from './compiled.mjs'
import { lambInOperations } from './lamb-in-operations.mjs'
import { interleaved, ROUNDS } from './measure.mjs'
import { shapes as resnet50 } from './resnet50.mjs'

const CASES = {
  Adam: { file: 'adam', stock: () => tf.train.adam(0.001, 0.9, 0.999, 1e-7), beside: 'tf.train.adam' },
  Momentum: { file: 'momentum', stock: () => tf.train.momentum(0.01, 0.9), beside: 'tf.train.momentum' },
  LAMB: { file: 'lamb', stock: lambInOperations, beside: 'tf ops' }
}

const tiny = (count) => Array.from({ length: count }, () => [256])

/** `huge`: how many million weights the one huge layer has, as far as the backend's memory goes with both optimizers. */
const models = (huge) => [
  { name: '1 tensor of 4M weights', shapes: [[2000, 2000]] },
  { name: "ResNet-50's 161 tensors, 25.6M weights", shapes: resnet50 },
  { name: '200 tensors of 256 weights', shapes: tiny(200) },
  { name: 'half in 1 tensor, half in 4000 of 256, 2M weights', shapes: [[1000, 1024], ...tiny(4000)], cases: ['Adam'] },
  { name: `1 tensor of ${huge}M weights`, shapes: [[1000 * huge, 1000]], cases: ['Adam'], rounds: 1 }
]

/**
 * Prints a step of each optimizer on each model.
 * @param target the target's name, which is also the backend's
 * @param title what runs it: a device's name, say
 * @param huge see `models`
 * @param ways by label: `kernel` that must run, and `first`, which takes the first step
 * @param copiesOf of shapes: `bytes` that each copy moves, `ways` to copy by label, `dispose`
 * @param done waits for the device; without it a step is over when the call returns
 */
export async function sideBySide({ target, title, huge, ways, copiesOf, done }) {
  console.log(`\n${title}, a step: medians of ${ROUNDS} interleaved runs`)
  for (const { name, shapes, cases = Object.keys(CASES), rounds } of models(huge)) {
    console.log(`\n  ${name}`)
    const gradients = shapes.map((shape, i) => tf.randomUniform(shape, -1, 1, 'float32', i))
    for (const one of cases) await compare(one, { target, ways, copiesOf, done, rounds }, shapes, gradients)
    tf.dispose(gradients)
  }
}

async function compare(name, { target, ways, copiesOf, done, rounds }, shapes, gradients) {
  const { file, stock, beside } = CASES[name]
  const { Optimizer, plan } = await compiled(file, target)
  const theirs = contender(stock(), shapes, gradients, done)
  const ours = {}
  for (const [label, { kernel, first = (step) => step() }] of Object.entries(ways)) {
    ours[label] = contender(new Optimizer(), shapes, gradients, done)
    first(ours[label].submit)
    const { kernel: ran, plan } = ours[label].optimizer
    if (ran !== kernel) throw new Error(`the kernel that ran is ${ran}, not ${kernel}: ${plan.reason}`)
  }
  const copies = copiesOf(shapes)
  const contenders = { theirs, ...ours }
  const steps = Object.entries(contenders).map(([label, { step }]) => [label, step])
  const times = await interleaved({ ...Object.fromEntries(steps), ...copies.ways }, rounds)
  const submits = done && (await interleaved(submitting(contenders), rounds, done))
  const bytes = shapes.reduce((sum, shape) => {
    const variant = plan.variants[plan.conditions.length > 0 && shape.length > 1 ? plan.variants.length - 1 : 0]
    return sum + variant.bytesPerWeight * tf.util.sizeFromShape(shape)
  }, 0)
  const lines = Object.keys(ways).map((label) => {
    const shares = Object.keys(copies.ways).map(
      (copy) => `${((100 * times[copy] * bytes) / copies.bytes / times[label]).toFixed(0).padStart(3)}% of ${copy}`
    )
    return `${label} ${ms(times[label])} ${ratio(times.theirs, times[label])} ${shares.join(', ')}${
      submits ? `, main thread ${ms(submits[label])} ${ratio(submits.theirs, submits[label])}` : ''
    }`
  })
  console.log(`    ${name.padEnd(9)} ${beside.padEnd(18)} ${ms(times.theirs)} · ${lines.join(' · ')}`)
  for (const one of [...Object.values(contenders), copies]) one.dispose()
}

const ms = (time) => `${(time < 10 ? time.toFixed(2) : time.toFixed(0)).padStart(5)} ms`
const ratio = (slow, fast) => `${(slow / fast).toFixed(1)}x`.padStart(6)

const submitting = (contenders) =>
  Object.fromEntries(Object.entries(contenders).map(([label, { submit }]) => [label, submit]))

function contender(optimizer, shapes, gradients, done) {
  const variables = shapes.map((shape, i) => tf.tidy(() => tf.variable(tf.randomUniform(shape, -1, 1, 'float32', i))))
  const named = Object.fromEntries(variables.map((v, i) => [v.name, gradients[i]]))
  const submit = () => tf.tidy(() => optimizer.applyGradients(named))
  const finished = async () => {
    submit()
    await done()
  }
  return {
    optimizer,
    submit,
    step: done ? finished : submit,
    dispose: () => {
      optimizer.dispose()
      tf.dispose(variables)
    }
  }
}

/** Copies arrays of JavaScript, of the shapes' sizes. */
export function copiesOfArrays(shapes) {
  const arrays = shapes.map((shape) => {
    const size = tf.util.sizeFromShape(shape)
    return [new Float32Array(size).fill(1), new Float32Array(size).fill(2)]
  })
  return {
    bytes: arrays.reduce((sum, [from]) => sum + 2 * from.byteLength, 0),
    ways: {
      'a copy': () => {
        for (const [from, to] of arrays) to.set(from)
      }
    },
    dispose() {}
  }
}

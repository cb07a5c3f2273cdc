// A step of compiled optimizers beside TensorFlow.js's own and beside a copy of the same bytes, on the backend that is
// current, in Node or in a page. What came out is told a record at a time; `report.mjs` says what stands in one.
import * as tf from '@tensorflow/tfjs'
import { OPTIMIZERS, sizeOf } from './cases.mjs'
import { interleaved } from './measure.mjs'

/**
 * @param setup
 *   `ways`, by label: `classes` (see compiled.mjs), the `kernel` that must run, and `first`, which takes the first step;
 *   `copiesOf` of shapes: `bytes` that each copy moves, `ways` to copy by label, `dispose`;
 *   `done`, of a weight: waits for the device (without it a step is over when the call returns);
 *   `place`, of a gradient: brings it to where a backward pass leaves it (else it is where TensorFlow.js puts new values);
 *   `refuse`, of the number of weights: why TensorFlow.js's own (`theirs`) or any (`all`) can't be stepped here
 * @param {{ model: string, shapes: number[][], optimizers: string[], rounds?: number }[]} models
 * @param {(record: object) => unknown} tell
 */
export async function sideBySide(setup, models, tell) {
  for (const { model, shapes, optimizers, rounds } of models) {
    const refused = setup.refuse?.(sizeOf(shapes)) ?? {}
    const gradients = refused.all ? [] : shapes.map((shape, i) => tf.randomUniform(shape, -1, 1, 'float32', i))
    for (const gradient of gradients) setup.place?.(gradient)
    for (const optimizer of optimizers) {
      const { beside } = OPTIMIZERS[optimizer]
      const found = refused.all
        ? { refused: refused.all }
        : await compare(optimizer, setup, { shapes, gradients, rounds, refused: refused.theirs })
      await tell({ model, optimizer, beside, ...found })
    }
    tf.dispose(gradients)
  }
}

async function compare(optimizer, { ways, copiesOf, done }, { shapes, gradients, rounds, refused }) {
  const { file, stock } = OPTIMIZERS[optimizer]
  const make = (one) => contender(one, shapes, gradients, done)
  const contenders = refused ? {} : { theirs: make(stock(tf)) }
  for (const [label, { classes, kernel, first = (step) => step() }] of Object.entries(ways)) {
    const ours = make(new classes[file].Optimizer())
    contenders[label] = ours
    first(ours.submit)
    const { kernel: ran, plan } = ours.optimizer
    if (ran !== kernel) throw new Error(`the kernel that ran is ${ran}, not ${kernel}: ${plan.reason}`)
  }
  const copies = copiesOf(shapes)
  const steps = Object.fromEntries(Object.entries(contenders).map(([label, { step }]) => [label, step]))
  const times = await interleaved({ ...steps, ...copies.ways }, rounds)
  for (const one of [...Object.values(contenders), copies]) one.dispose()

  const timeOf = (label) => ({ ms: times[label].done, ...(done && { mainThread: times[label].returned }) })
  const { bytes } = Object.values(ways)[0].classes[file]
  const moved = shapes.reduce((sum, shape) => sum + bytes[shape.length > 1 ? 1 : 0] * sizeOf([shape]), 0)
  return {
    theirs: refused ? { refused } : timeOf('theirs'),
    ours: Object.fromEntries(Object.keys(ways).map((label) => [label, timeOf(label)])),
    copies: Object.fromEntries(
      Object.keys(copies.ways).map((label) => [label, (times[label].done * moved) / copies.bytes])
    )
  }
}

function contender(optimizer, shapes, gradients, done) {
  const variables = shapes.map((shape, i) => tf.tidy(() => tf.variable(tf.randomUniform(shape, -1, 1, 'float32', i))))
  const named = Object.fromEntries(variables.map((v, i) => [v.name, gradients[i]]))
  const submit = () => tf.tidy(() => optimizer.applyGradients(named))
  const finished = () => {
    submit()
    return done(variables.at(-1))
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
    const size = sizeOf([shape])
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

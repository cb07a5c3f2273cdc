/**
 * `tf.train.*` where it means the same. It has float32 only, so it is compared a step at a time: the reference starts from
 * its weights and its state, and it must land within the bound of plain TensorFlow.js operations, as our own kernels must.
 * After the first step, which starts from the same numbers, the compiled class and `tf.train.*` are compared directly.
 */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { expect, test } from 'vitest'
import { type LayerInput, tables } from '../../src/reference/index.js'
import { randomOf } from '../../src/testing/choices.js'
import { subjectOf } from '../../src/testing/subject.js'

interface Same {
  readonly source: string
  readonly options: Record<string, number | boolean>
  readonly theirs: () => tf.Optimizer
  /** What they call our slots. */
  readonly slots: Record<string, string>
  /** How much more their step may differ, relative to its length; only Adam's does. */
  readonly more?: (t: number) => number
}

const shipped = (file: string): string => readFileSync(new URL(`../../optimizers/${file}.opt`, import.meta.url), 'utf8')

// Each has a hyperparameter that is no float32 number.
const [RATE, MU, BETA1, BETA2, EPSILON] = [0.07, 0.85, 0.83, 0.999, 1e-4]

/**
 * tf.train.adam keeps the powers of both β as float32 products, so its corrections 1 − β^t are off, at step 1 by the
 * rounding of β itself over 1 − β. What they are is a matter of two roundings; this is how far they are off.
 */
function adamsCorrections(t: number): number {
  return [BETA1, BETA2]
    .map((beta) => {
      let power = Math.fround(beta)
      for (let i = 1; i < t; i++) power = Math.fround(power * Math.fround(beta))
      return Math.abs(Math.fround(1 - power) / (1 - beta ** t) - 1)
    })
    .reduce((a, b) => a + b)
}

const cases: Record<string, Same> = {
  SGD: { source: shipped('sgd'), options: { learningRate: RATE }, theirs: () => tf.train.sgd(RATE), slots: {} },
  Momentum: {
    source: shipped('momentum'),
    options: { learningRate: RATE, momentum: MU },
    theirs: () => tf.train.momentum(RATE, MU),
    slots: { v: 'momentum' }
  },
  Nesterov: {
    source: shipped('momentum'),
    options: { learningRate: RATE, momentum: MU, nesterov: true },
    theirs: () => tf.train.momentum(RATE, MU, true),
    slots: { v: 'momentum' }
  },
  Adam: {
    source: shipped('adam'),
    options: { learningRate: RATE, beta1: BETA1, beta2: BETA2, epsilon: EPSILON },
    theirs: () => tf.train.adam(RATE, BETA1, BETA2, EPSILON),
    slots: { m: 'm', v: 'v' },
    more: adamsCorrections
  },
  // Ours has ε outside of the root, so this is theirs in our language.
  AdaGrad: {
    source: `optimizer AdaGrad {
      hyper learningRate as lr = 0.01 in (0, inf)
      state s = 0.1
      step(w, g) { s := s + g²  w := w - lr * g / √(s + 1e-7) }
    }`,
    options: { learningRate: RATE },
    theirs: () => tf.train.adagrad(RATE, 0.1),
    slots: { s: 'accumulator' }
  }
}

const SHAPES = [[3, 4], [5], []]
const STEPS = 5

test.each(Object.entries(cases))('tf.train: %s', async (_, { source, options, theirs, slots, more = () => 0 }) => {
  const { reference, Optimizer } = await subjectOf(source, { targets: ['ops'] })
  const random = randomOf(11)
  const draw = (shape: number[]): Float32Array =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1)
  const starts = SHAPES.map(draw)
  const variables = (): tf.Variable[] => starts.map((w, i) => tf.variable(tf.tensor(w.slice(), SHAPES[i]!)))
  const [own, other] = [variables(), variables()]
  const [ours, their] = [new Optimizer(options), theirs()]
  const apply = (optimizer: tf.Optimizer, to: tf.Variable[], gradients: Float32Array[]): void => {
    optimizer.applyGradients(to.map(({ name, shape }, i) => ({ name, tensor: tf.tensor(gradients[i]!, shape) })))
  }
  const stateOf = async (i: number): Promise<LayerInput['slots']> => {
    const weights = await their.getWeights()
    const of = (key: string): Float32Array | undefined =>
      weights
        .find(({ name }) => name === `${other[i]!.name}/${key}`)
        ?.tensor.dataSync()
        .slice() as Float32Array | undefined
    const found = Object.entries(slots).map(([name, key]) => [name, of(key)] as const)
    return found.every(([, values]) => values) ? (Object.fromEntries(found) as LayerInput['slots']) : null
  }

  for (let t = 1; t <= STEPS; t++) {
    const gradients = SHAPES.map(draw)
    const layers: LayerInput[] = []
    for (const [i, shape] of SHAPES.entries()) {
      const weight = other[i]!.dataSync().slice()
      layers.push({
        name: `${i}`,
        shape,
        weight,
        gradient: gradients[i]!,
        age: t,
        slots: t === 1 ? null : await stateOf(i)
      })
    }
    apply(their, other, gradients)
    const expected = reference.step({ t, hypers: options, layers, modelState: null }, tables.ops)
    if (t === 1) apply(ours, own, gradients)
    for (const [i, { weight }] of expected.layers.entries()) {
      const before = layers[i]!.weight
      const after = other[i]!.dataSync()
      const first = own[i]!.dataSync()
      weight.value.forEach((x, j) => {
        const allowed = weight.bound[j]! + more(t) * Math.abs(x - before[j]!)
        expect(Math.abs(after[j]! - x)).toBeLessThanOrEqual(allowed)
        if (t === 1) expect(Math.abs(after[j]! - first[j]!)).toBeLessThanOrEqual(weight.bound[j]! + allowed)
      })
      const state = await stateOf(i)
      for (const [name, bounded] of Object.entries(expected.layers[i]!.slots)) {
        bounded.value.forEach((x, j) => {
          expect(Math.abs(state![name]![j]! - x)).toBeLessThanOrEqual(bounded.bound[j]!)
        })
      }
    }
  }
})

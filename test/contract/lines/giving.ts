/** The ways in which an optimizer is given gradients. They all come to the same, to the bit. */
import * as tf from '@tensorflow/tfjs'
import type { Compiled } from '../../../src/testing/session.js'
import {
  asMap,
  bitsOf,
  everything,
  type Give,
  gradientsOf,
  type Line,
  makeVariables,
  memory,
  must,
  mustAllDiffer,
  mustBeEqual,
  mustHoldNoMore,
  outcome,
  type Place,
  partOf,
  steps,
  type Variables
} from '../line.js'
import { fitFor, inputs, outcomeOfModel, targets } from '../small-model.js'

const STEPS = 3

const asArray: Give = (optimizer, gradients) =>
  optimizer.applyGradients(Object.entries(gradients).map(([name, tensor]) => ({ name, tensor })))

/** By a loss whose gradients are the given ones. */
const minimizing =
  (list: (variables: Variables) => tf.Variable[] | undefined): Give =>
  (optimizer, gradients, variables) => {
    const sums = () => Object.entries(gradients).map(([name, g]) => tf.sum(tf.mul(variables[name]!, g)))
    const asked = optimizer.iterations % 2 === 0
    const cost = optimizer.minimize(() => tf.addN(sums()) as tf.Scalar, asked, list(variables))
    must(asked ? cost?.rank === 0 : cost === null, 'it gives the cost if asked to, and not otherwise')
    cost?.dispose()
  }

async function mustBeAsMap(place: Place, give: Give): Promise<void> {
  const work = (give: Give) => (optimizer: Compiled, variables: Variables) => {
    steps(optimizer, variables, 1, STEPS, give)
    must(optimizer.iterations === STEPS, `it counted ${optimizer.iterations} steps`)
  }
  mustBeEqual('beside a map', await outcome(place, work(give)), await outcome(place, work(asMap)))
}

export const GIVING: readonly Line[] = [
  {
    says: '`applyGradients` takes a map of named tensors: each weight and state changes, the gradients do not.',
    by: ['EveryKind', 'Adam'],
    async check(place) {
      const start = makeVariables()
      const before = await bitsOf(start)
      tf.dispose(start)
      await outcome(place, async (optimizer, variables) => {
        const gradients = gradientsOf(variables, 1)
        const given = await bitsOf(gradients)
        optimizer.applyGradients(gradients)
        mustAllDiffer('a step', before, await bitsOf(variables))
        const first = await everything(optimizer, variables)
        optimizer.applyGradients(gradients)
        mustAllDiffer('another step', withoutConstants(first), await everything(optimizer, variables))
        mustBeEqual('gradients', given, await bitsOf(gradients))
        tf.dispose(gradients)
      })
    }
  },
  {
    says: '`applyGradients` takes an array of named tensors, with the same result to the bit.',
    by: ['EveryKind'],
    check: (place) => mustBeAsMap(place, asArray)
  },
  {
    says: '`minimize` without a list trains every trainable variable that the loss depends on, with the same result.',
    by: ['Adam'],
    check: (place) =>
      mustBeAsMap(
        place,
        minimizing(() => undefined)
      )
  },
  {
    says: '`minimize` with a list of variables trains these, with the same result, and no other.',
    by: ['Adam'],
    async check(place) {
      await mustBeAsMap(
        place,
        minimizing((variables) => Object.values(variables))
      )
      await outcome(place, async (optimizer, variables) => {
        const before = await bitsOf(variables)
        steps(
          optimizer,
          variables,
          1,
          STEPS,
          minimizing((all) => [all['first/bias']!])
        )
        const after = await bitsOf(variables)
        const { 'first/bias': trained, ...rest } = after
        mustBeEqual('weights that were not listed', { ...before, 'first/bias': '' }, { ...rest, 'first/bias': '' })
        must(trained !== before['first/bias'], 'the listed weight must change')
      })
    }
  },
  {
    says: '`tf.tidy` around a step frees nothing that the optimizer needs, and changes nothing.',
    by: ['EveryKind'],
    check: (place) => mustBeAsMap(place, (optimizer, gradients) => tf.tidy(() => optimizer.applyGradients(gradients)))
  },
  {
    says: '`fit` takes the same steps as `minimize` by hand, to the bit.',
    by: ['Adam'],
    async check(place) {
      const byFit = await outcomeOfModel(place, async (model) => {
        const losses = await fitFor(model, 2)
        const before = memory()
        losses.push(...(await fitFor(model, 2)))
        mustHoldNoMore('after two more epochs', before)
        must(losses.at(-1)! < losses[0]!, `losses did not fall: ${losses}`)
        return undefined
      })
      const byHand = await outcomeOfModel(place, async (model) => {
        const [x, y] = [inputs(), targets()]
        for (let step = 0; step < 8; step++) {
          tf.tidy(() => {
            const part = (all: tf.Tensor): tf.Tensor => tf.slice(all, [(step % 2) * 4, 0], [4, -1])
            model.optimizer.minimize(() => {
              const predicted = model.apply(part(x), { training: true }) as tf.Tensor
              return tf.mean(tf.metrics.meanSquaredError(part(y), predicted)) as tf.Scalar
            })
          })
        }
        tf.dispose([x, y])
        return undefined
      })
      mustBeEqual('fit', byFit, byHand)
    }
  },
  {
    says: 'Gradients that share one buffer, or that are themselves a weight, are read as they were before the step.',
    by: ['EveryKind', 'Adam'],
    async check(place) {
      const shapes = { a: [2, 3], b: [6], c: [6] }
      const values = Float32Array.from([1, -2, 3, 0.5, 0.25, -4])
      const work = (share: boolean) => (optimizer: Compiled, variables: Variables) => {
        for (let t = 0; t < STEPS; t++) {
          tf.tidy(() => {
            const own = (tensor: tf.Tensor) => (share ? tensor : tf.add(tensor, 0))
            const a = tf.tensor(values, [2, 3])
            const { b: weight } = variables as { b: tf.Variable }
            // The gradient of c is another layer's weight, which the same step changes.
            const given = { a, b: own(tf.reshape(a, [6])), c: own(weight) }
            optimizer.applyGradients(given)
          })
        }
      }
      const shared = await outcome(place, work(true), shapes)
      mustBeEqual('beside buffers of their own', shared, await outcome(place, work(false), shapes))
      must(Object.keys(partOf(shared, 'a', 'b', 'c')).length > 3, 'there must be state of each')
    }
  }
]

/** What Adam or EveryKind holds and need not change: a copy of the weight at the start. */
function withoutConstants(held: Awaited<ReturnType<typeof everything>>): typeof held {
  return Object.fromEntries(Object.entries(held).filter(([name]) => !name.endsWith('/start')))
}

/** Who else holds what an optimizer works on, and what it gives back. */
import * as tf from '@tensorflow/tfjs'
import type { Compiled } from '../../../src/testing/session.js'
import { save } from '../../support/saving.js'
import {
  bitsOf,
  everything,
  gradientsOf,
  type Held,
  type Line,
  type Memory,
  makeVariables,
  memory,
  memoryWithDevice,
  must,
  mustAllDiffer,
  mustBeEqual,
  mustHoldNoMore,
  outcome,
  type Place,
  SHAPES,
  steps,
  type Variables
} from '../line.js'
import { dispose, fitFor, load, outcomeOfModel } from '../small-model.js'
import { successorOf } from './going-on.js'

export const MEMORY: readonly Line[] = [
  {
    says: 'Clones, reshapes and gradients that the user holds never change, whether of weights or of state.',
    by: ['EveryKind', 'Adam'],
    async check(place) {
      await outcome(place, async (optimizer, variables) => {
        steps(optimizer, variables, 1, 1)
        const held: Record<string, tf.Tensor> = { ...gradientsOf(variables, 2) }
        for (const [name, variable] of Object.entries(variables)) {
          held[`clone of ${name}`] = tf.clone(variable)
          held[`reshape of ${name}`] = tf.reshape(variable, [variable.size, 1])
        }
        for (const { name, tensor } of await optimizer.getWeights()) held[`state ${name}`] = tf.clone(tensor)
        const before = await bitsOf(held)
        const weights = await bitsOf(variables)
        for (let t = 0; t < 3; t++) {
          const gradients = Object.fromEntries(Object.keys(variables).map((name) => [name, held[name]!]))
          optimizer.applyGradients(gradients)
        }
        mustBeEqual('what is held', before, await bitsOf(held))
        mustAllDiffer('weights, meanwhile', weights, await bitsOf(variables))
        tf.dispose(held)
      })
    }
  },
  {
    says: 'Two optimizers train the same weights in turn, each with state of its own.',
    by: ['EveryKind'],
    async check(place) {
      /** In turn; `fresh` puts new optimizers with the same state in their place at each step. */
      const inTurn = async (fresh: boolean): Promise<Held> => {
        const variables = makeVariables()
        let pair = [new place.Optimizer({}), new place.Optimizer({ learningRate: 0.03 })]
        for (let t = 1; t <= 3; t++) {
          if (fresh) {
            const next = [new place.Optimizer({}), new place.Optimizer({ learningRate: 0.03 })]
            for (const [i, one] of pair.entries()) {
              await next[i]!.setWeights(await one.getWeights())
              one.dispose()
            }
            pair = next
          }
          steps(pair[t % 2 === 0 ? 1 : 0]!, variables, t, t)
        }
        const [one, two] = pair as [Compiled, Compiled]
        must(one.iterations === 2 && two.iterations === 1, `they counted ${one.iterations} and ${two.iterations} steps`)
        const held = { ...(await everything(one, variables)), ...renamed(await everything(two, variables)) }
        for (const optimizer of pair) optimizer.dispose()
        tf.dispose(variables)
        return held
      }
      mustBeEqual('beside optimizers that never meet', await inTurn(false), await inTurn(true))
    }
  },
  {
    says: 'Variables, model and optimizer may be disposed in any order, and twice; what is left goes on, and all is given back.',
    by: ['Adam'],
    async check(place) {
      const { Optimizer } = place
      const empty = memory()
      const begun = (): { optimizer: Compiled; variables: Variables } => {
        const variables = makeVariables()
        const optimizer = new Optimizer({})
        steps(optimizer, variables, 1, 2)
        return { optimizer, variables }
      }
      {
        const { optimizer, variables } = begun()
        optimizer.dispose()
        optimizer.dispose()
        const next = new Optimizer({})
        steps(next, variables, 1, 1)
        tf.dispose(variables)
        next.dispose()
        mustHoldNoMore('the optimizer first', empty)
      }
      {
        const { optimizer, variables } = begun()
        const { 'first/kernel': kernel, ...rest } = variables as Record<string, tf.Variable>
        kernel!.dispose()
        steps(optimizer, rest, 3, 4)
        must(
          (await optimizer.getWeights()).every(({ name }) => !name.startsWith('first/kernel')),
          'its state must go'
        )
        tf.dispose(rest)
        optimizer.dispose()
        mustHoldNoMore('a variable first', empty)
      }
      {
        const { optimizer, variables } = begun()
        tf.dispose(variables)
        optimizer.dispose()
        mustHoldNoMore('all variables first', empty)
      }
      {
        const { optimizer, variables } = begun()
        // One that is loaded, and never used.
        const idle = await successorOf(place, optimizer)
        tf.dispose(variables)
        optimizer.dispose()
        await idle.getWeights()
        idle.dispose()
        mustHoldNoMore('an optimizer that was loaded and never used', empty)
      }
      for (const optimizerFirst of [true, false]) {
        await outcomeOfModel(place, async (model) => {
          await fitFor(model, 1)
          const again = await load(place, await save(model))
          await fitFor(again, 1)
          const { optimizer } = again
          if (optimizerFirst) optimizer.dispose()
          dispose(again)
          return undefined
        })
        mustHoldNoMore(`a loaded model ${optimizerFirst ? 'after' : 'before'} its optimizer`, empty)
      }
    }
  },
  {
    says: 'Nothing is leaked in 10,000 steps: tensors, buffers, bytes, and bytes of the device.',
    by: ['Adam'],
    check: (place) => mustNotLeak(place, { kernel: [3, 5] }, 10_000)
  },
  {
    says: 'Nothing is leaked by steps with state of weights, layers and the model, nor by saves and observations among them.',
    by: ['EveryKind'],
    check: (place) => mustNotLeak(place, SHAPES, 200)
  }
]

function renamed(held: Held): Held {
  return Object.fromEntries(Object.entries(held).map(([name, bits]) => [`second: ${name}`, bits]))
}

async function mustNotLeak({ Optimizer, kernel }: Place, shapes: typeof SHAPES, count: number): Promise<void> {
  const variables = makeVariables(shapes)
  const gradients = gradientsOf(variables, 1)
  const optimizer = new Optimizer({ learningRate: 1e-6 })
  const look = async (): Promise<Memory> => {
    await optimizer.observations()
    optimizer.getConfig()
    // A queue of commands is memory too.
    for (const { tensor } of await optimizer.getWeights()) await tensor.data()
    return memoryWithDevice()
  }
  optimizer.applyGradients(gradients)
  optimizer.applyGradients(gradients)
  await look()
  optimizer.applyGradients(gradients)
  const stepped = await look()
  for (let part = 1; part <= 10; part++) {
    while (optimizer.iterations < (part * count) / 10) optimizer.applyGradients(gradients)
    mustHoldNoMore(`after ${optimizer.iterations} steps`, stepped, await look())
  }
  must(optimizer.kernel === kernel, `it ran as ${optimizer.kernel}`)
  for (const variable of Object.values(variables)) {
    must((await variable.data()).every(Number.isFinite), 'weights must stay numbers')
  }
  optimizer.dispose()
  tf.dispose([variables, gradients])
}

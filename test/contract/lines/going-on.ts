/** Training that goes on elsewhere: on another backend, in another optimizer, from a saved model. */
import * as tf from '@tensorflow/tfjs'
import type { Compiled } from '../../../src/testing/session.js'
import { save } from '../../support/saving.js'
import {
  everything,
  type Held,
  type Line,
  makeVariables,
  must,
  mustAllDiffer,
  mustBeEqual,
  outcome,
  type Place,
  steps,
  weightsIn
} from '../line.js'
import { fitFor, load, outcomeOfModel } from '../small-model.js'

/** A new optimizer that goes on where another stands. */
export async function successorOf({ Optimizer }: Place, optimizer: Compiled): Promise<Compiled> {
  const next = new Optimizer({})
  await next.setWeights(await optimizer.getWeights())
  return next
}

export const GOING_ON: readonly Line[] = [
  {
    says: '`tf.setBackend` in the middle of training, and back: state follows, equal to the bit at the moment of the switch.',
    by: ['EveryKind', 'Adam'],
    inBrowser: 'in Node, TensorFlow.js itself can not take a tensor from webgpu to another backend',
    async check({ Optimizer, backend, other, kernel }) {
      const variables = makeVariables()
      const optimizer = new Optimizer({})
      const kernels: (string | null)[] = []
      const move = async (to: string) => {
        const before = await everything(optimizer, variables)
        await tf.setBackend(to)
        mustBeEqual(`at the switch to ${to}`, before, await everything(optimizer, variables))
        steps(optimizer, variables, optimizer.iterations + 1, optimizer.iterations + 2)
        kernels.push(optimizer.kernel)
        mustAllDiffer('trained on', weightsIn(before), await everything(optimizer, variables))
      }
      steps(optimizer, variables, 1, 2)
      await move(other)
      await move(backend)
      must(kernels[1] === kernel, `back on ${backend} it ran as ${kernels[1]}`)
      must(kernel === 'ops' || kernels[0] !== kernel, `on ${other} it ran as ${kernels[0]}`)
      must(optimizer.iterations === 6, `it counted ${optimizer.iterations} steps`)
      await optimizer.observations()
      optimizer.dispose()
      tf.dispose(variables)
    }
  },
  {
    says: '`getWeights` into the `setWeights` of a new optimizer: it goes on, equal to the bit on one backend.',
    by: ['EveryKind', 'Adam'],
    async check(place) {
      const through = (change: (optimizer: Compiled) => Promise<Compiled>) =>
        outcome(place, async (optimizer, variables) => {
          steps(optimizer, variables, 1, 3)
          const next = await change(optimizer)
          steps(next, variables, 4, 6)
          const held = await everything(next, variables)
          if (next !== optimizer) next.dispose()
          finals.push(held)
        })
      const finals: Held[] = []
      await through(async (optimizer) => optimizer)
      await through((optimizer) => successorOf(place, optimizer))
      mustBeEqual('beside training that never stopped', finals[0]!, finals[1]!)
    }
  },
  {
    says: 'Steps between which nobody looks come to the same, to the bit, as steps after each of which all is read.',
    by: ['EveryKind', 'Adam'],
    async check(place) {
      const training = (looks: boolean) =>
        outcome(place, async (optimizer, variables) => {
          const others = Object.fromEntries(Object.entries(variables).slice(1))
          for (let t = 1; t <= 6; t++) {
            steps(optimizer, t === 3 ? others : variables, t, t)
            if (looks) await everything(optimizer, variables)
          }
        })
      mustBeEqual('beside training that was watched', await training(false), await training(true))
    }
  },
  {
    says: '`model.save` with the optimizer, and `tf.loadLayersModel`: `fit` goes on, equal to the bit on one backend.',
    by: ['Adam'],
    async check(place) {
      const whole = await outcomeOfModel(place, async (model) => void (await fitFor(model, 5)))
      const parts = await outcomeOfModel(place, async (model) => {
        await fitFor(model, 2)
        const again = await load(place, await save(model))
        await fitFor(again, 3)
        return again
      })
      mustBeEqual('beside training that never stopped', whole, parts)
    }
  }
]

/** Which layers take part in a step. */
import * as tf from '@tensorflow/tfjs'
import type { Compiled } from '../../../src/testing/session.js'
import {
  everything,
  type Held,
  type Line,
  makeVariables,
  must,
  mustAllDiffer,
  mustBeEqual,
  outcome,
  partOf,
  SHAPES,
  steps,
  type Variables,
  weightsIn
} from '../line.js'
import { fitFor, outcomeOfModel, trained } from '../small-model.js'

/** All but some, and, of the array form, entries that are there without a tensor. */
const without =
  (...names: string[]) =>
  (optimizer: Compiled, gradients: Record<string, tf.Tensor>, variables: Variables): void => {
    const entries = Object.keys(variables).map((name) => ({
      name,
      tensor: (names.includes(name) ? null : gradients[name]!) as tf.Tensor
    }))
    optimizer.applyGradients(entries)
  }

export const LAYERS: readonly Line[] = [
  {
    says: 'Frozen layers: their weights and state stay as they are, to the bit, and go on from there when thawed.',
    by: ['Adam'],
    async check(place) {
      await outcomeOfModel(place, async (model) => {
        const freeze = (frozen: boolean) => {
          model.layers[0]!.trainable = !frozen
          model.compile({ optimizer: model.optimizer, loss: 'meanSquaredError' })
        }
        const ofFirst = (held: Held) => partOf(held, 'first')
        await fitFor(model, 1)
        const before = await trained(model)
        freeze(true)
        await fitFor(model, 2)
        const frozen = await trained(model)
        mustBeEqual('of the frozen layer', ofFirst(before), ofFirst(frozen))
        mustAllDiffer('the other layer', weightsIn(partOf(before, 'second')), frozen)
        freeze(false)
        await fitFor(model, 1)
        mustAllDiffer('the thawed layer', weightsIn(ofFirst(frozen)), await trained(model))
        return undefined
      })
    }
  },
  {
    says: 'A gradient that is missing for some steps leaves its weight and state as they are, to the bit.',
    by: ['EveryKind'],
    async check(place) {
      const missing = 'first/bias'
      await outcome(place, async (optimizer, variables) => {
        steps(optimizer, variables, 1, 2)
        const before = await everything(optimizer, variables)
        steps(optimizer, variables, 3, 4, without(missing))
        const after = await everything(optimizer, variables)
        mustBeEqual('of the layer without a gradient', partOf(before, missing), partOf(after, missing))
        mustAllDiffer('the others', weightsIn(partOf(before, 'first/kernel', 'scale')), after)
        steps(optimizer, variables, 5, 5)
        const again = await everything(optimizer, variables)
        must(again[`weight ${missing}`] !== before[`weight ${missing}`], 'it must be trained again')
      })
    }
  },
  {
    says: 'Variables that come later start with state of their own, and leave that of the others alone, to the bit.',
    by: ['EveryKind'],
    async check(place) {
      const { scale, ...first } = SHAPES
      const late = { scale: scale!, late: [7] }
      // As if they had been there all the time, and had no gradient yet.
      const whole = await outcome(
        place,
        (optimizer, variables) => {
          steps(optimizer, variables, 1, 2, without(...Object.keys(late)))
          steps(optimizer, variables, 3, 5)
        },
        { ...first, ...late }
      )
      const all = makeVariables({ ...first, ...late })
      const starts = Object.fromEntries(Object.keys(late).map((name) => [name, tf.clone(all[name]!)]))
      tf.dispose(all)
      const { Optimizer } = place
      const optimizer = new Optimizer({})
      const variables: Record<string, tf.Variable> = { ...makeVariables(first) }
      steps(optimizer, variables, 1, 2)
      for (const [name, start] of Object.entries(starts)) variables[name] = tf.variable(start, true, name)
      steps(optimizer, variables, 3, 5)
      mustBeEqual('beside layers that waited', await everything(optimizer, variables), whole)
      optimizer.dispose()
      tf.dispose([variables, starts])
    }
  }
]

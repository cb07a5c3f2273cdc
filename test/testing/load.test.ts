import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { load, specifierOf } from '../../src/testing/load.js'

test('printed code runs with the modules that are loaded here', async () => {
  const core = specifierOf('core', tf)
  const { same, twice } = await load(`
    import * as tf from '${core}'
    import { Tensor } from '${core}/anything'
    export const same = Tensor
    export const twice = (x) => tf.add(x, x)
  `)
  expect(same).toBe(tf.Tensor)
  expect(twice).toBeTypeOf('function')
})

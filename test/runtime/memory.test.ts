import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it } from 'vitest'
import { LAMB } from './support/lamb.js'
import { gradientsFor, load, save, smallModel, train, variables } from './support/models.js'
import { Whole } from './support/whole.js'

tf.serialization.registerClass(Whole)
afterEach(() => tf.disposeVariables())

const memory = () => {
  const { numTensors, numDataBuffers, numBytes } = tf.memory()
  return { numTensors, numDataBuffers, numBytes }
}

describe('nothing is leaked', () => {
  it.each([
    ['LAMB', () => new LAMB()],
    ['one of everything', () => new Whole({ rate: 1e-4 })]
  ])('in 1,000 steps, saves and observations, and dispose gives all back: %s', async (_, make) => {
    const of = variables({ a: [4, 3], b: [3], c: [] })
    const g = gradientsFor(of)
    const before = memory()
    const optimizer = make()
    expect(memory()).toEqual(before)
    optimizer.applyGradients(g)
    const stepped = memory()
    for (let i = 1; i < 1000; i++) optimizer.applyGradients(g)
    expect(memory()).toEqual(stepped)
    for (let i = 0; i < 3; i++) {
      await optimizer.getWeights()
      await optimizer.saveIterations()
      await optimizer.observations()
      optimizer.getConfig()
      expect(memory()).toEqual(stepped)
      optimizer.applyGradients(g)
    }
    for (let i = 0; i < 3; i++) {
      await optimizer.setWeights(await optimizer.getWeights())
      expect(memory()).toEqual(stepped)
      optimizer.applyGradients(g)
      expect(memory()).toEqual(stepped)
    }
    optimizer.dispose()
    optimizer.dispose()
    expect(memory()).toEqual(before)
  })

  it('in fit, save and load', async () => {
    const before = memory()
    const model = smallModel()
    const optimizer = new Whole({ rate: 1e-4 })
    model.compile({ optimizer, loss: 'meanSquaredError' })
    await train(model, 1)
    const stepped = memory()
    await train(model, 20)
    expect(memory()).toEqual(stepped)
    const saved = await save(model)
    expect(memory()).toEqual(stepped)

    const again = await load(saved)
    await train(again, 2)
    const second = again.optimizer
    await save(again)
    again.dispose()
    second.dispose()
    expect(memory()).toEqual(stepped)
    model.dispose()
    optimizer.dispose()
    expect(memory()).toEqual(before)
  })

  it('by an optimizer that is loaded and never used', async () => {
    const of = variables({ a: [4] })
    const first = new Whole()
    first.applyGradients(gradientsFor(of))
    const weights = await first.getWeights()
    const before = memory()
    const second = new Whole()
    await second.setWeights(weights)
    await second.getWeights()
    second.dispose()
    expect(memory()).toEqual(before)
  })
})

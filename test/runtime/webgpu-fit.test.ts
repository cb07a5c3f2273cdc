/** A compiled class on the webgpu backend, as a user trains with it. */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { expect, it } from 'vitest'
import type { Compiled, CompiledClass } from '../../src/testing/session.js'
import { subjectOf } from '../../src/testing/subject.js'
import { describeWebGpu } from '../support/webgpu.js'
import { watchDevice } from './support/webgpu.js'

const classOf = async (name: string): Promise<CompiledClass> =>
  (await subjectOf(readFileSync(`optimizers/${name}.opt`, 'utf8'), { targets: ['webgpu'], path: `${name}.opt` }))
    .Optimizer

interface Trained {
  readonly losses: number[]
  readonly weights: number[][]
  readonly kernel: string | null
}

/** Some epochs of a small network; the same each time. */
async function train(optimizer: Compiled): Promise<Trained> {
  const init = (seed: number) => tf.initializers.glorotUniform({ seed })
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, inputShape: [3], activation: 'tanh', kernelInitializer: init(1) }),
      tf.layers.dense({ units: 1, kernelInitializer: init(2) })
    ]
  })
  const x = tf.randomNormal([16, 3], 0, 1, 'float32', 3)
  const y = tf.tidy(() => tf.tanh(tf.sum(x, 1, true)))
  model.compile({ optimizer, loss: 'meanSquaredError' })
  const memory: number[] = []
  const callbacks = {
    onEpochEnd: () => {
      const { numTensors, numDataBuffers, numBytes } = tf.memory()
      memory.push(numTensors, numDataBuffers, numBytes)
    }
  }
  const { history } = await model.fit(x, y, { epochs: 4, batchSize: 8, shuffle: false, verbose: 0, callbacks })
  // From the second epoch on nothing more is held.
  for (let i = 6; i < memory.length; i++) expect(memory[i]).toBe(memory[i - 3])
  const weights = await Promise.all(model.getWeights().map(async (w) => [...(await w.data())]))
  const { kernel } = optimizer
  optimizer.dispose()
  model.dispose()
  tf.dispose([x, y])
  return { losses: history.loss as number[], weights, kernel }
}

describeWebGpu('a compiled optimizer on webgpu', () => {
  watchDevice()

  it.each(['lamb', 'clipped-adamw'])(
    '%s trains through fit, twice the same bit for bit, and leaves nothing',
    async (name) => {
      const Optimizer = await classOf(name)
      const before = tf.memory().numTensors
      const first = await train(new Optimizer({ learningRate: 0.1 }))
      expect(first.kernel).toBe('webgpu')
      expect(first.losses.at(-1)).toBeLessThan(first.losses[0]!)
      expect(tf.memory().numTensors).toBe(before)
      expect(await train(new Optimizer({ learningRate: 0.1 }))).toEqual(first)
    }
  )
})

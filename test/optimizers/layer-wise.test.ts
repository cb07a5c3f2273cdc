/** The layer-wise part of LAMB matters: without it, other ratios and another loss. */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import type { CompiledOptimizer } from '../../src/runtime/index.js'
import { subjectOf } from '../../src/testing/subject.js'

type Compiled = CompiledOptimizer & { observations(): Promise<Record<string, { trustRatio: number }>> }

test('LAMB with `adapt: () => false`', async () => {
  const source = readFileSync(new URL('../../optimizers/lamb.opt', import.meta.url), 'utf8')
  const { Optimizer } = await subjectOf(source, { path: 'lamb.opt', targets: ['cpu'] })
  const LAMB = Optimizer as unknown as new (options?: object) => Compiled

  const train = async (options: object) => {
    const initial = (seed: number) => tf.initializers.glorotUniform({ seed })
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 8, inputShape: [4], activation: 'tanh', kernelInitializer: initial(1) }),
        tf.layers.dense({ units: 1, kernelInitializer: initial(2) })
      ]
    })
    const optimizer = new LAMB({ learningRate: 0.02, ...options })
    model.compile({ optimizer, loss: 'meanSquaredError' })
    const x = tf.randomNormal([64, 4], 0, 1, 'float32', 3)
    const y = tf.sum(tf.square(x), 1, true)
    const { history } = await model.fit(x, y, { epochs: 10, batchSize: 16, shuffle: false, verbose: 0 })
    expect(optimizer.kernel).toBe('cpu')
    const ratios = Object.values(await optimizer.observations()).map((o) => o.trustRatio)
    return { losses: history.loss as number[], ratios }
  }

  const adapted = await train({})
  const plain = await train({ adapt: () => false })
  expect(plain.ratios).toEqual([1, 1, 1, 1])
  // Kernels have a ratio of their own each; biases have none.
  expect(adapted.ratios[0]).not.toBe(adapted.ratios[2])
  expect([adapted.ratios[1], adapted.ratios[3]]).toEqual([1, 1])
  expect(adapted.losses.at(-1)).toBeLessThan(adapted.losses[0]!)
  expect(plain.losses.at(-1)).toBeLessThan(plain.losses[0]!)
  expect(Math.abs(adapted.losses.at(-1)! - plain.losses.at(-1)!)).toBeGreaterThan(0.01 * plain.losses.at(-1)!)
})

/** The class's promises, kept by every optimizer of the library on the drivers that it is compiled for. */
import { readdirSync, readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it } from 'vitest'
import type { CompiledOptimizer } from '../../src/runtime/index.js'
import { subjectOf } from '../../src/testing/subject.js'
import { GOLDEN } from '../support/library.js'
import { save } from '../support/saving.js'
import { gradientsFor, load, smallModel, train, variables, weightsOf } from './support/models.js'

type Class = (new (options?: object) => CompiledOptimizer) & { className: string; fromConfig: never }

const library = new URL('../../optimizers/', import.meta.url)
const files = readdirSync(library).filter((file) => file.endsWith('.opt') && file !== 'std.opt')
const source = (path: string) => readFileSync(new URL(path, library), 'utf8')

const memory = () => {
  const { numTensors, numDataBuffers, numBytes } = tf.memory()
  return { numTensors, numDataBuffers, numBytes }
}

afterEach(() => tf.disposeVariables())

describe.each(['cpu', 'ops'])('on %s', (target) => {
  describe.each(files)('%s', async (file) => {
    const { Optimizer } = await subjectOf(source(file), { path: file, targets: [target] })
    const Compiled = Optimizer as unknown as Class

    it('holds on to nothing', async () => {
      const of = variables({ a: [40, 3], b: [3], c: [] })
      const before = memory()
      const optimizer = new Compiled()
      const step = () => {
        const gradients = gradientsFor(of)
        optimizer.applyGradients(gradients)
        tf.dispose(gradients)
      }
      step()
      const stepped = memory()
      for (let i = 1; i < (GOLDEN.includes(file.slice(0, -4)) ? 1000 : 20); i++) step()
      expect(memory()).toEqual(stepped)
      await optimizer.getWeights()
      await optimizer.observations()
      expect(memory()).toEqual(stepped)
      await optimizer.setWeights(await optimizer.getWeights())
      step()
      expect(memory()).toEqual(stepped)
      optimizer.dispose()
      expect(memory()).toEqual(before)
      expect(optimizer.kernel).toBe(target)
    })

    it('trains on after saving and loading as if nothing had happened', async () => {
      tf.serialization.registerClass(Compiled as never)
      const compiled = () => {
        // Random numbers go by the names of layers.
        const model = smallModel(['first', 'second'])
        model.compile({ optimizer: new Compiled(), loss: 'meanSquaredError' })
        return model
      }
      const whole = compiled()
      await train(whole, 6)
      const first = compiled()
      await train(first, 2)
      const again = await load(await save(first))
      await train(again, 4)
      expect(weightsOf(again)).toEqual(weightsOf(whole))
      expect((again.optimizer as CompiledOptimizer).kernel).toBe(target)
    })

    it('never changes a tensor that somebody holds', async () => {
      const of = variables({ a: [40, 3], b: [3] })
      const optimizer = new Compiled()
      const given = gradientsFor(of)
      optimizer.applyGradients(given)
      const held = [
        ...Object.values(of).map((v) => v.clone()),
        ...(await optimizer.getWeights()).map(({ tensor }) => tensor.clone()),
        ...Object.values(given)
      ]
      const before = held.map((tensor) => [...tensor.dataSync()])
      for (let i = 0; i < 3; i++) optimizer.applyGradients(given)
      expect(held.map((tensor) => [...tensor.dataSync()])).toEqual(before)
    })
  })
})

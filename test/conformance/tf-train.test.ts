/** What TensorFlow.js tests its own optimizers for, asked of the compiled ones on every backend; and where it is wrong. */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { KernelName } from '../../src/runtime/program.js'
import { importPrinted } from '../../src/testing/compiled.js'
import type { Compiled, CompiledClass } from '../../src/testing/session.js'
import { optimizersIn } from '../../src/testing/subject.js'
import { printedFrom } from '../contract/optimizers.js'
import { describeBrowser, usePage } from '../support/browser.js'
import type { Contract } from '../support/page/contract.js'
import { shipped } from '../support/shipped.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { openWasm } from '../support/wasm.js'
import { describeWebGpu } from '../support/webgpu.js'
import { ASKED, mustDoAsAsked, squares, variable } from './asked.js'
import { showDifferences } from './difference.js'

declare const contract: Contract

afterEach(() => tf.disposeVariables())

/** By name: brings a class to life there, and asks it. */
type Ask = (asked: string, code: string, name: string) => Promise<void>

/** To be called in a `describe`. Keeps what was found, for docs/backends.md. */
function doesAsAsked(kernel: KernelName, ask: Ask): void {
  const found: Record<string, string> = {}
  it.each(Object.entries(ASKED))('%s', async (asked, { file }) => {
    found[asked] = 'fails'
    const path = `optimizers/${file}.opt`
    const source = readFileSync(path, 'utf8')
    const [name] = optimizersIn(source)
    await ask(asked, printedFrom(source, path, kernel), name!)
    found[asked] = 'holds'
  })
  it('docs/backends.md says what was found', async () => {
    await expect(`${JSON.stringify(found, null, 2)}\n`).toMatchFileSnapshot(`../golden/tfjs/asked-${kernel}.json`)
  })
}

function on(backend: string, kernel: KernelName): void {
  beforeAll(() => tf.setBackend(backend))
  doesAsAsked(kernel, async (asked, code, name) => {
    const { [name]: Optimizer } = await importPrinted(code)
    await mustDoAsAsked(ASKED[asked]!, Optimizer as CompiledClass, kernel)
  })
}
describe('on cpu', () => on('cpu', 'cpu'))
describe('by operations', () => on('cpu', 'ops'))
describe('on wasm', () => {
  beforeAll(openWasm)
  on('wasm', 'wasm')
})
describeBrowser('on webgl', () => {
  const here = usePage({ entry: 'test/support/page/contract.ts', expected: /stall due to ReadPixels/ })
  doesAsAsked('webgl', (...which) => here.page.evaluate((which) => contract.ask('webgl', ...which), which))
})
describeWebGpu('on webgpu', () => on('webgpu', 'webgpu'))
describeTensorFlow('on tensorflow', () => on('tensorflow', 'tensorflow'))

it('a configuration comes back as it was', async () => {
  for (const { file, options } of Object.values(ASKED)) {
    const { Optimizer } = await shipped(file, {})
    const numbers = Object.fromEntries(Object.entries(options).filter(([, value]) => typeof value !== 'function'))
    const config = new Optimizer(numbers).getConfig()
    const { fromConfig } = Optimizer as unknown as typeof tf.SGDOptimizer
    expect(fromConfig(Optimizer as never, config).getConfig()).toEqual(config)
    expect(config).toMatchObject(numbers)
  }
})

describe('where TensorFlow.js differs', () => {
  beforeAll(() => tf.setBackend('cpu'))

  /** The weight after steps of these gradients, from 0. */
  function stepped(optimizer: tf.Optimizer, ...gradients: number[]): number {
    const x = variable([0])
    for (const g of gradients) tf.tidy(() => optimizer.applyGradients([{ name: x.name, tensor: tf.tensor1d([g]) }]))
    const [value] = x.dataSync()
    x.dispose()
    optimizer.dispose()
    return value!
  }
  const compiled = async (file: string, options: Record<string, unknown>): Promise<Compiled> =>
    new (await shipped(file, {})).Optimizer(options)

  showDifferences('tf-train', [
    {
      says: "`tf.train.adadelta` divides by the mean of before the step, so that the first step is `learningRate * g`, whatever g's size. `Adadelta` is the paper's: it divides by the mean of after it.",
      async shows() {
        expect(stepped(tf.train.adadelta(0.1, 0.95), 2)).toBeCloseTo(-0.2, 6)
        const paper = (0.1 * 2 * Math.sqrt(1e-6)) / Math.sqrt(0.05 * 4 + 1e-6)
        expect(stepped(await compiled('adadelta', { learningRate: 0.1, decay: 0.95 }), 2)).toBeCloseTo(-paper, 8)
      }
    },
    {
      says: '`tf.train.rmsprop(…, centered)` takes ε away under the root: where the gradient is small, or hardly changes, the weight becomes NaN. `RMSPropCentered` adds ε after the root, of a variance that is never below 0.',
      async shows() {
        expect(stepped(tf.train.rmsprop(0.1, 0.9, 0, 1e-7, true), 1e-4)).toBeNaN()
        const ours = await compiled('rmsprop-centered', { learningRate: 0.1, decay: 0.9 })
        expect(stepped(ours, 1e-4)).toBeCloseTo(-0.1 / Math.sqrt(0.1 - 0.01), 3)
      }
    },
    {
      says: '`tf.train.adagrad` and `tf.train.rmsprop` add ε inside of the root, adagrad one that can not be set, so that small gradients all but vanish. `AdaGrad` and `RMSProp` add it outside; `RMSPropTF` with `initialMean: 0` is theirs.',
      async shows() {
        expect(stepped(tf.train.adagrad(0.1, 0), 1e-6)).toBeCloseTo(-0.1 * (1e-6 / Math.sqrt(1e-12 + 1e-7)), 6)
        expect(stepped(await compiled('adagrad', { learningRate: 0.1 }), 1e-6)).toBeCloseTo(-0.1, 4)
        const mean = Math.sqrt(0.1) * 1e-6
        expect(stepped(tf.train.rmsprop(0.1, 0.9), 1e-6)).toBeCloseTo(-0.1 * (1e-6 / Math.sqrt(mean ** 2 + 1e-7)), 6)
        const ours = await compiled('rmsprop', { learningRate: 0.1, decay: 0.9 })
        expect(stepped(ours, 1e-6)).toBeCloseTo(-0.1 * (1e-6 / (mean + 1e-8)), 4)
        const tensorflow = { learningRate: 0.1, decay: 0.9, initialMean: 0, epsilon: 1e-7 }
        const [same, theirs] = [await compiled('rmsprop-tf', tensorflow), tf.train.rmsprop(0.1, 0.9)]
        expect(stepped(same, 1e-6, 1e-3, -2)).toBeCloseTo(stepped(theirs, 1e-6, 1e-3, -2), 6)
      }
    },
    {
      says: '`tf.train.adamax` adds ε to u, `Adamax` to |g|; its `decay` is a `learningRate` that is a function of the step. It can not be saved: its `getWeights` throws.',
      async shows() {
        const [beta1, beta2, epsilon] = [0.8, 0.5, 0.01]
        const step = (m: number, u: number, t: number) => (0.1 / (1 - beta1 ** t)) * (m / u)
        const means = [0.2, 0.8 * 0.2 + 0.2]
        const theirs = tf.train.adamax(0.1, beta1, beta2, epsilon)
        expect(stepped(theirs, 1, 1)).toBeCloseTo(-step(means[0]!, 1.01, 1) - step(means[1]!, 1.01, 2), 6)
        const half = await compiled('adamax', { learningRate: 0.1, beta1, beta2, epsilon })
        expect(stepped(half, 1, 0)).toBeCloseTo(-step(0.2, 1.01, 1) - step(0.16, 0.505, 2), 6)
        expect(stepped(tf.train.adamax(0.1, beta1, beta2, epsilon), 1, 0)).toBeCloseTo(
          -step(0.2, 1.01, 1) - step(0.16, 0.51, 2),
          6
        )
        await expect(tf.train.adamax(0.1).getWeights()).rejects.toThrow('not implemented')
      }
    },
    {
      says: '`tf.train.adam` multiplies powers of β up in float32, so that its first steps are off by 6e-6 of their length with the default β2; `Adam` takes them in float64, once a step.',
      async shows() {
        const off = (optimizer: tf.Optimizer) => Math.abs(stepped(optimizer, 1) / -0.1 - 1)
        expect(off(tf.train.adam(0.1, 0.9, 0.999, 1e-12))).toBeGreaterThan(5e-6)
        expect(off(await compiled('adam', { learningRate: 0.1, epsilon: 1e-12 }))).toBeLessThan(2e-7)
      }
    },
    {
      says: '`tf.train.*` keep state by position in the list of gradients: when one is missing, a layer goes on with the state of another. Compiled optimizers keep it by variable.',
      async shows() {
        const velocityOf = (optimizer: tf.Optimizer): number => {
          const [a, b] = [variable([0]), variable([0])]
          const step = (x: tf.Variable, g: number) =>
            tf.tidy(() => optimizer.applyGradients({ [x.name]: tf.tensor1d([g]) }))
          step(a, 100)
          step(b, 1)
          const [value] = b.dataSync()
          tf.dispose([a, b])
          optimizer.dispose()
          return value!
        }
        expect(velocityOf(tf.train.momentum(0.1, 0.5))).toBeCloseTo(-5.1, 5)
        expect(velocityOf(await compiled('momentum', { learningRate: 0.1, momentum: 0.5 }))).toBeCloseTo(-0.1, 6)
      }
    },
    {
      says: '`tf.train.*` leak a tensor with every `getWeights`, and so with every `model.save`, and their state with every `setWeights`.',
      async shows() {
        const grown = async (optimizer: tf.Optimizer): Promise<number[]> => {
          const x = variable([1])
          optimizer.minimize(squares(x))
          await optimizer.getWeights()
          const before = tf.memory().numTensors
          const saved = await optimizer.getWeights()
          const between = tf.memory().numTensors
          await optimizer.setWeights(saved)
          const after = tf.memory().numTensors
          tf.dispose([x, saved.map(({ tensor }) => tensor)])
          optimizer.dispose()
          return [between - before, after - between]
        }
        for (const theirs of [tf.train.adam(), tf.train.momentum(0.1, 0.5), tf.train.rmsprop(0.1)]) {
          const [bySaving, byLoading] = await grown(theirs)
          expect(bySaving).toBe(1)
          expect(byLoading).toBeGreaterThan(0)
        }
        for (const file of ['adam', 'momentum', 'rmsprop'])
          expect(await grown(await compiled(file, {}))).toEqual([0, 0])
      }
    }
  ])
})

import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type OpsKernels, type OpsVariant, ops, opsCbrt, opsSign } from '../../src/runtime/ops.js'
import type { CompiledProgram, Driver, Layer, StepLayer } from '../../src/runtime/program.js'

beforeEach(async () => {
  await tf.setBackend('cpu')
})
afterEach(() => tf.disposeVariables())

const plain = (run: OpsVariant['passes'][number]['run'], loads: number[], stores: number[]): OpsVariant => ({
  passes: [{ segment: 0, loads, stores, run }],
  shares: []
})

function driverOf(kernels: OpsKernels): Driver {
  const driver = ops(kernels).open({} as CompiledProgram)
  if (typeof driver === 'string') throw new Error(driver)
  return driver
}

let made = 0
function layerOf(weight: tf.Tensor, slots: readonly tf.Tensor[] = [], cells: readonly number[] = []): Layer {
  const variable = tf.variable(weight, true, `layer${made++}`)
  const { shape, rank, size } = variable
  return {
    variable,
    info: { name: variable.name, shape, rank, size, index: 0 },
    age: 0,
    slots: [...slots],
    cells: cells.length > 0 ? tf.tensor1d([...cells]) : null,
    host: new Float64Array(0)
  }
}

const taking = (layer: Layer, gradient: tf.Tensor, scalars: readonly number[] = [], variant = 0): StepLayer => ({
  layer,
  gradient,
  variant,
  scalars: Float64Array.from(scalars)
})

function step(
  driver: Driver,
  layers: readonly StepLayer[],
  model: { cells: tf.Tensor | null } = { cells: null }
): void {
  driver.step({ layers, scalars: layers[0]!.scalars, model, inPlace: true })
}

const sgd: OpsKernels = { variants: [plain((s, w, g) => [tf.sub(w, tf.mul(s.h[0]!, g))], [0, 1], [0])], barriers: [] }

describe('shapes', () => {
  test.each([[[]], [[1]], [[3]], [[2, 3]], [[1, 2, 1, 2, 1, 2]]])('%j keeps its shape', (shape) => {
    const layer = layerOf(tf.ones(shape))
    const before = layer.variable.dataId
    step(driverOf(sgd), [taking(layer, tf.ones(shape), [0.25])])
    expect(layer.variable.shape).toEqual(shape)
    expect(new Set(layer.variable.dataSync())).toEqual(new Set([0.75]))
    expect(layer.variable.dataId).not.toBe(before)
  })

  test('a value that is the same for all elements fills the tensor', () => {
    const layer = layerOf(tf.ones([2, 2]), [tf.zeros([2, 2])])
    const kernels = { variants: [plain((s, w) => [s.h[0]!, s.sum(w)], [0], [0, 2])], barriers: [] }
    step(driverOf(kernels), [taking(layer, tf.ones([2, 2]), [7])])
    expect([...layer.variable.dataSync()]).toEqual([7, 7, 7, 7])
    expect([...layer.slots[0]!.dataSync()]).toEqual([4, 4, 4, 4])
    expect(layer.slots[0]!.shape).toEqual([2, 2])
  })
})

describe('memory', () => {
  test('nothing is shared: not with the gradient, not between slots, not with what the user kept', () => {
    const layer = layerOf(tf.tensor1d([1, 2]), [tf.zeros([2]), tf.zeros([2])])
    const kept = layer.variable.clone()
    const gradient = tf.tensor1d([3, 4])
    const stored = (g: tf.Tensor) => {
      const x = tf.mul(g, 2)
      return [g, x, x]
    }
    const kernels = { variants: [plain((_s, g) => stored(g), [1], [0, 2, 3])], barriers: [] }
    step(driverOf(kernels), [taking(layer, gradient)])
    const ids = [layer.variable, ...layer.slots, gradient, kept].map((x) => x.dataId)
    expect(new Set(ids).size).toBe(5)
    expect([...layer.slots[1]!.dataSync()]).toEqual([6, 8])
    expect([...kept.dataSync()]).toEqual([1, 2])
  })

  test('steps leave as many tensors, buffers and bytes as they found', () => {
    const layers = [[2, 3], [4]].map((shape) => layerOf(tf.ones(shape), [tf.zeros(shape)], [1]))
    const model = { cells: tf.tensor1d([1]) as tf.Tensor }
    const variant: OpsVariant = {
      passes: [
        { segment: 0, loads: [1], stores: [3], run: (s, g) => [tf.mul(g, 2), s.sum(g)] },
        {
          segment: 1,
          loads: [0, 2, 3],
          stores: [0, 2],
          run: (s, w, m, scratch) => [tf.sub(w, tf.mul(s.model[2]!, m)), tf.add(m, scratch)]
        }
      ],
      shares: [(s) => [s.cells[1]!]],
      state: (s) => [tf.add(s.cells[0]!, 1)],
      observed: (s) => [s.cells[1]!, 5]
    }
    const driver = driverOf({
      variants: [variant],
      barriers: [{ reduces: ['sum'], finish: (s) => [tf.mul(s.model[1]!, s.h[0]!)] }],
      state: (s) => [tf.add(s.model[0]!, s.model[1]!)]
    })
    const gradients = layers.map((layer) => tf.ones(layer.variable.shape))
    const one = () =>
      step(
        driver,
        layers.map((layer, i) => taking(layer, gradients[i]!, [0.5])),
        model
      )
    const base = tf.memory()
    one()
    const { numTensors, numDataBuffers, numBytes } = tf.memory()
    expect(numTensors).toBe(base.numTensors + 1)
    for (let i = 0; i < 20; i++) one()
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers, numBytes })
    driver.dispose()
    driver.dispose()
    expect(tf.memory()).toMatchObject({ numTensors: base.numTensors, numBytes: base.numBytes })
  })
})

describe('levels', () => {
  test('a reduction over the model gathers all layers before the next pass of any', () => {
    const layers = [tf.tensor1d([3]), tf.tensor1d([4])].map((w) => layerOf(w))
    const variant: OpsVariant = {
      passes: [
        { segment: 0, loads: [0], stores: [], run: (s, w) => [s.sum(tf.square(w)), s.max(w)] },
        { segment: 1, loads: [0], stores: [0], run: (s, w) => [tf.div(w, s.model[2]!)] }
      ],
      shares: [(s) => [s.cells[0]!, s.cells[1]!]],
      observed: (s) => [s.model[1]!]
    }
    const driver = driverOf({
      variants: [variant],
      barriers: [{ reduces: ['sum', 'max'], finish: (s) => [tf.sqrt(s.model[0]!)] }]
    })
    step(
      driver,
      layers.map((layer) => taking(layer, tf.tensor1d([0])))
    )
    expect(layers.map(({ variable }) => variable.dataSync()[0])).toEqual([Math.fround(0.6), Math.fround(0.8)])
    return driver.observations().then((seen) => {
      expect(layers.map((layer) => [...Array.from(seen.get(layer)!)])).toEqual([[4], [4]])
    })
  })

  test('state of a layer and of the model: what was found in the step, then what it became', () => {
    const layer = layerOf(tf.tensor1d([1]), [], [10])
    const model = { cells: tf.tensor1d([100]) as tf.Tensor }
    const driver = driverOf({
      variants: [
        {
          ...plain((s, w) => [tf.add(w, tf.add(s.cells[0]!, s.model[0]!))], [0], [0]),
          state: (s) => [tf.mul(s.cells[0]!, 2)]
        }
      ],
      barriers: [],
      state: () => [7]
    })
    step(driver, [taking(layer, tf.tensor1d([0]))], model)
    step(driver, [taking(layer, tf.tensor1d([0]))], model)
    expect(layer.variable.dataSync()[0]).toBe(1 + 110 + 27)
    expect(layer.cells!.dataSync()[0]).toBe(40)
    expect(model.cells.dataSync()[0]).toBe(7)
  })

  test('observations are those of the layers of the last step', async () => {
    const [a, b] = [layerOf(tf.tensor1d([1])), layerOf(tf.tensor1d([2]))]
    const driver = driverOf({
      variants: [{ ...plain((s, w) => [w, s.sum(w)], [0], [0]), observed: (s) => [s.cells[0]!, 0.5] }],
      barriers: []
    })
    expect(await driver.observations()).toEqual(new Map())
    step(driver, [taking(a, tf.tensor1d([0])), taking(b, tf.tensor1d([0]))])
    expect(await driver.observations()).toEqual(
      new Map([
        [a, Float32Array.of(1, 0.5)],
        [b, Float32Array.of(2, 0.5)]
      ])
    )
    const read = driver.observations()
    step(driver, [taking(b, tf.tensor1d([0]))])
    expect((await read).size).toBe(2)
    expect([...(await driver.observations()).keys()]).toEqual([b])
  })
})

test('the cube root is within a few units in the last place', () => {
  const x = Float32Array.of(0, 1, -8, 27, 3e38, -1e-38, 1e-44, 0.3, Infinity)
  const root = opsCbrt(tf.tensor1d(x)).dataSync()
  for (const [i, value] of x.entries()) {
    const exact = Math.cbrt(value)
    // Four roundings of Newton's step, and 2^-24 once more for what it leaves of the guess.
    if (Number.isFinite(value)) expect(Math.abs(root[i]! - exact)).toBeLessThanOrEqual(5 * 2 ** -24 * Math.abs(exact))
    else expect(root[i]).toBe(value)
  }
})

async function useWasm(): Promise<void> {
  const folder = dirname(
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  )
  setWasmPaths(`${folder}/`)
  await tf.setBackend('wasm')
}

test('the sign is that of the smallest numbers too, on every backend', async () => {
  const x = Float32Array.of(-1e-8, 1e-38, -3, 0, Infinity, Number.NaN)
  const signs = [-1, 1, -1, 0, 1, Number.NaN]
  expect([...opsSign(tf.tensor1d(x)).dataSync()]).toEqual(signs)
  await useWasm()
  expect([...opsSign(tf.tensor1d(x)).dataSync()]).toEqual(signs)
})

test('a sum keeps its digits on a backend that adds one by one', async () => {
  await useWasm()
  const n = 2 ** 22 + 5
  const layer = layerOf(tf.fill([n], 0.1))
  const driver = driverOf({
    variants: [{ ...plain((s, w) => [w, s.sum(w)], [0], [0]), observed: (s) => [s.cells[0]!] }],
    barriers: []
  })
  step(driver, [taking(layer, layer.variable)])
  const sum = (await driver.observations()).get(layer)![0]!
  const exact = n * Math.fround(0.1)
  const depth = 32 + 2 * Math.ceil(Math.log2(n))
  const u = 2 ** -24
  expect(Math.abs(sum - exact)).toBeLessThanOrEqual(((depth * u) / (1 - depth * u)) * exact)
})

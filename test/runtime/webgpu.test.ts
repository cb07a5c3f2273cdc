/**
 * The webgpu driver on plans written by hand. Numbers are small integers and powers of two wherever float32 then has every
 * result exactly, whatever the order of its sums.
 */
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Driver } from '../../src/runtime/program.js'
import { prelude } from '../../src/runtime/webgpu-device.js'
import { everythingPlan, lambPlan, reducePlan, sgdPlan, widePlan } from '../support/plans.js'
import { describeWebGpu } from '../support/webgpu.js'
import { disposeLayer, driverOf, gradientOf, layerOf, open, stepOf, watchDevice } from './support/webgpu.js'

const range = (n: number, f: (i: number) => number): Float32Array => Float32Array.from({ length: n }, (_, i) => f(i))
const read = async (x: tf.Tensor): Promise<number[]> => [...(await x.data())]

describeWebGpu('the webgpu driver', () => {
  watchDevice()
  let sgd: Driver
  let reduce: Driver
  let lamb: Driver
  beforeAll(() => {
    sgd = driverOf(sgdPlan())
    reduce = driverOf(reducePlan())
    lamb = driverOf(lambPlan())
  })
  afterAll(() => {
    for (const driver of [sgd, reduce, lamb]) driver.dispose()
  })

  const TAILS = [1, 2, 3, 4, 5, 17, 1023, 1024, 1025, 4099, 70_000]
  it.each(TAILS.map((n) => [n]).concat([[], [2, 3, 1, 2, 1], [3, 1, 5, 7, 1, 1]] as never))(
    'reaches every element of a layer of shape %s',
    async (...shape) => {
      const n = tf.util.sizeFromShape(shape)
      const w = range(n, (i) => i % 1000)
      const g = range(n, (i) => (i % 7) - 3)
      const layer = layerOf(w, shape)
      const gradient = gradientOf(layer, g)
      stepOf(sgd, [[layer, gradient]], [0.5])
      expect(await read(layer.variable)).toEqual([...w].map((x, i) => x - 0.5 * g[i]!))
      expect(await read(gradient)).toEqual([...g])
      disposeLayer(layer)
      gradient.dispose()
    }
  )

  it.each(TAILS)('reduces a layer of %i elements', async (n) => {
    const g = range(n, (i) => ((i * 37) % 101) - 50)
    const layer = layerOf(
      range(n, () => 0),
      [n]
    )
    const gradient = gradientOf(layer, g)
    stepOf(reduce, [[layer, gradient]], [0])
    expect([...(await reduce.observations()).get(layer)!]).toEqual([
      g.reduce((x, y) => x + y),
      Math.max(...g),
      Math.min(...g)
    ])
    disposeLayer(layer)
    gradient.dispose()
  })

  it('steps each layer by its own numbers, whoever else there is', async () => {
    const layers = [3, 8, 5].map((n) =>
      layerOf(
        range(n, () => 0),
        [n]
      )
    )
    const gradients = layers.map((layer) =>
      gradientOf(
        layer,
        range(layer.info.size, () => 1)
      )
    )
    const step = (who: number[], lr: number): void =>
      stepOf(
        sgd,
        who.map((i) => [layers[i]!, gradients[i]!]),
        [lr]
      )
    step([0, 1, 2], 1)
    step([1, 2], 10)
    step([2], 100)
    step([0, 2], 1000)
    const moved = await Promise.all(layers.map(async ({ variable }) => [...new Set(await read(variable))]))
    expect(moved).toEqual([[-1001], [-11], [-1111]])
    for (const layer of layers) disposeLayer(layer)
    tf.dispose(gradients)
  })

  it('takes a layer of more than a dispatch has room for', async () => {
    const { device } = tf.backend() as unknown as { device: GPUDevice }
    const most = 3
    const { limits } = device
    const limit = (value: object): object => Object.defineProperty(device, 'limits', { value, configurable: true })
    limit({ maxComputeWorkgroupsPerDimension: most })
    const dispatched = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups')
    try {
      const n = 4 * 64 * 256 * most + 4099
      const w = range(n, (i) => i % 1000)
      const g = range(n, (i) => ((i * 37) % 101) - 50)
      const layer = layerOf(w, [n])
      const gradient = gradientOf(layer, g)
      stepOf(reduce, [[layer, gradient]], [2])
      expect(Math.max(...dispatched.mock.calls.map(([parts]) => parts))).toBe(most)
      const after = await layer.variable.data()
      expect(after.every((x, i) => x === w[i]! - 2 * g[i]!)).toBe(true)
      expect([...(await reduce.observations()).get(layer)!]).toEqual([g.reduce((x, y) => x + y), 50, -50])
      disposeLayer(layer)
      gradient.dispose()
    } finally {
      dispatched.mockRestore()
      limit(limits)
    }
  })

  it('keeps state of every level, and observes', async () => {
    const sizes = [5, 8, 20_000]
    const model = { cells: tf.keep(tf.zeros([1])) }
    const driver = driverOf(everythingPlan())
    const ws = sizes.map((n) => range(n, (i) => (i % 5) - 2))
    const gs = sizes.map((n) => range(n, (i) => (i % 5000 === 0 ? 1 : 0)))
    const layers = ws.map((w) => layerOf(w, [w.length], { slots: 1, cells: 2 }))
    const gradients = layers.map((layer, i) => gradientOf(layer, gs[i]!))
    const a = sizes.map(() => 0)
    let b = 0
    for (let step = 1; step <= 2; step++) {
      stepOf(
        driver,
        layers.map((layer, i) => [layer, gradients[i]!]),
        [0.5],
        { model }
      )
      const totals = gs.map((g) => g.reduce((x, y) => x + y))
      const S = ws.reduce((sum, w, i) => sum + w.reduce((s, x, k) => s + x * gs[i]![k]!, 0), 0)
      const M = Math.max(...totals)
      b += S * M
      for (const [i, w] of ws.entries()) {
        a[i]! += totals[i]!
        for (let k = 0; k < w.length; k++) w[k] = w[k]! - 0.5 * S * 2 * gs[i]![k]! + a[i]! + M
      }
      const observed = await driver.observations()
      for (const [i, layer] of layers.entries()) {
        expect([...observed.get(layer)!]).toEqual([totals[i], S, Math.max(...ws[i]!), 7])
        expect(await read(layer.cells!)).toEqual([a[i], 2 * step])
        expect(await read(layer.slots[0]!)).toEqual([...gs[i]!].map((x) => step * x))
        expect(await read(layer.variable)).toEqual([...ws[i]!])
      }
      expect(await read(model.cells)).toEqual([b])
    }
    driver.dispose()
    for (const layer of layers) disposeLayer(layer)
    tf.dispose([model.cells, ...gradients])
  })

  /** LAMB on noise: what rounds differently when the order of a sum changes. The bytes of weights and state. */
  async function lambTwice(n: number): Promise<Buffer> {
    const layer = layerOf(
      range(n, (i) => Math.sin(i)),
      [n],
      { slots: 2 }
    )
    const gradient = gradientOf(
      layer,
      range(n, (i) => Math.cos(3 * i))
    )
    for (let t = 0; t < 2; t++) stepOf(lamb, [[layer, gradient]], [0.01, 0.9, 0.1, 0.99, 0.01, 1e-6])
    const values = await Promise.all([layer.variable, ...layer.slots].map((x) => x.data()))
    disposeLayer(layer)
    gradient.dispose()
    return Buffer.concat(values.map((x) => Buffer.from(Float32Array.from(x).buffer)))
  }
  it.each([1000, 100_001, 200_000])('two runs on %i elements are equal bit for bit', async (n) => {
    expect((await lambTwice(n)).equals(await lambTwice(n))).toBe(true)
  })

  // A sum of n may lose γ(D) · Σ|x|, with D(n) = 32 + 2⌈log₂ n⌉ roundings of 2⁻²³ each.
  const bound = (n: number): number => (32 + 2 * Math.ceil(Math.log2(n))) * 2 ** -23
  it.each([
    ['all equal', 10_000_000, (): number => Math.fround(0.1)],
    ['one large', 10_000_000, (i: number): number => (i === 7_654_321 ? 2 ** 24 : 1)],
    ['all equal, no multiple of 4', 3_000_001, (): number => Math.fround(0.1)]
  ])('a sum keeps its accuracy: %s', async (_, n, value) => {
    const g = range(n, value)
    const layer = layerOf(new Float32Array(n), [n])
    const gradient = gradientOf(layer, g)
    stepOf(reduce, [[layer, gradient]], [0])
    const exact = g.reduce((x, y) => x + y, 0)
    const [sum] = (await reduce.observations()).get(layer)!
    expect(Math.abs(sum! - exact)).toBeLessThanOrEqual(bound(n) * exact)
    disposeLayer(layer)
    gradient.dispose()
  })

  it('collects from any number of workgroups', async () => {
    const { device } = tf.backend() as unknown as { device: GPUDevice }
    const n = 10_007
    const values = range(n, (i) => ((i * 37) % 101) - 50)
    const entry = `
      @compute @workgroup_size(64) fn all(@builtin(local_invocation_index) id: u32) {
        let found = vec3f(collect_sum(id, layer.at, layer.size), collect_max(id, layer.at, layer.size), collect_min(id, layer.at, layer.size));
        cells[3u * id] = found.x;
        cells[3u * id + 1u] = found.y;
        cells[3u * id + 2u] = found.z;
      }`
    const module = device.createShaderModule({ code: prelude(1, 0) + entry })
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'all' } })
    const usage = 128 | 64 | 8 | 4
    const [layer, cells, staging] = [
      device.createBuffer({ size: 256, usage: usage & ~128 }),
      device.createBuffer({ size: 4 * (192 + n), usage: usage & ~64 }),
      device.createBuffer({ size: 4 * 192, usage: 1 | 8 })
    ]
    device.queue.writeBuffer(layer, 0, new Uint32Array([n, 0, 0, 0, 192]))
    device.queue.writeBuffer(cells, 4 * 192, values)
    const entries = [layer, cells].map((buffer, binding) => ({ binding, resource: { buffer } }))
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
    pass.dispatchWorkgroups(1)
    pass.end()
    encoder.copyBufferToBuffer(cells, 0, staging, 0, 4 * 192)
    device.queue.submit([encoder.finish()])
    await staging.mapAsync(1)
    const found = new Float32Array(staging.getMappedRange().slice(0))
    const of = (k: number): number[] => Array.from({ length: 64 }, (_, id) => found[3 * id + k]!)
    expect(of(0).reduce((x, y) => x + y)).toBe(values.reduce((x, y) => x + y))
    expect(Math.max(...of(1))).toBe(Math.max(...values))
    expect(Math.min(...of(2))).toBe(Math.min(...values))
    // Each invocation has its own 64th.
    for (const id of [0, 7, 63]) expect(of(0)[id]).toBe(values.filter((_, i) => i % 64 === id).reduce((x, y) => x + y))
    for (const buffer of [layer, cells, staging]) buffer.destroy()
  })

  it('leaves what a caller holds as it was', async () => {
    const layer = layerOf([1, 2, 3, 4, 5], [5], { slots: 2 })
    const gradient = gradientOf(layer, [1, 1, 1, 1, 1])
    const scalars = [0.5, 0.5, 0.5, 0.5, 0.5, 1]
    const step = (): void => stepOf(lamb, [[layer, gradient]], scalars)
    step()
    const held = [tf.clone(layer.variable), tf.reshape(layer.slots[0]!, [5, 1])]
    const array = await layer.variable.data()
    const before = [...array]
    const slot = await read(layer.slots[0]!)
    step()
    expect(await read(held[0]!)).toEqual(before)
    expect([...array]).toEqual(before)
    expect(await read(held[1]!)).toEqual(slot)
    expect(await read(layer.variable)).not.toEqual(before)
    expect(await read(layer.slots[0]!)).not.toEqual(slot)
    disposeLayer(layer)
    tf.dispose([gradient, ...held])
  })

  it('writes in place what nobody else holds, and fresh arrays where asked to', async () => {
    const layer = layerOf([1, 2, 3, 4], [4])
    const gradient = gradientOf(layer, [1, 1, 1, 1])
    const id = layer.variable.dataId
    stepOf(sgd, [[layer, gradient]], [1])
    expect(layer.variable.dataId).toBe(id)
    stepOf(sgd, [[layer, gradient]], [1], { inPlace: false })
    expect(layer.variable.dataId).not.toBe(id)
    expect(await read(layer.variable)).toEqual([-1, 0, 1, 2])
    disposeLayer(layer)
    gradient.dispose()
  })

  it('a read that is under way while a step runs does not stay behind as the value', async () => {
    const layer = layerOf([1, 2, 3, 4], [4])
    const gradient = gradientOf(layer, [1, 1, 1, 1])
    stepOf(sgd, [[layer, gradient]], [1])
    const under = layer.variable.data()
    stepOf(sgd, [[layer, gradient]], [1])
    expect([...(await under)]).toEqual([0, 1, 2, 3])
    expect(await read(layer.variable)).toEqual([-1, 0, 1, 2])
    disposeLayer(layer)
    gradient.dispose()
  })

  it("does not write a buffer that is the user's own", async () => {
    const { device } = tf.backend() as unknown as { device: GPUDevice }
    const buffer = device.createBuffer({ size: 16, usage: 128 | 4 | 8 })
    device.queue.writeBuffer(buffer, 0, new Float32Array([1, 2, 3, 4]))
    const mine = tf.tensor({ buffer, zeroCopy: true }, [4])
    const layer = layerOf([0, 0, 0, 0], [4])
    layer.variable.assign(mine)
    const gradient = gradientOf(layer, [1, 1, 1, 1])
    mine.dispose()
    stepOf(sgd, [[layer, gradient]], [1])
    const again = tf.tensor({ buffer, zeroCopy: true }, [4])
    expect(await read(again)).toEqual([1, 2, 3, 4])
    expect(await read(layer.variable)).toEqual([0, 1, 2, 3])
    disposeLayer(layer)
    tf.dispose([gradient, again])
    buffer.destroy()
  })

  it('runs passes that together touch more buffers than a stage may bind', async () => {
    const driver = driverOf(widePlan())
    const layer = layerOf([1, 2, 3, 4, 5], [5], { slots: 8 })
    const gradient = gradientOf(layer, [1, 1, 1, 1, 2])
    for (let t = 0; t < 2; t++) stepOf(driver, [[layer, gradient]], [])
    expect(await Promise.all(layer.slots.map(read))).toEqual(
      layer.slots.map((_, i) => [1, 1, 1, 1, 2].map((x) => 2 * (i + 1) * x))
    )
    expect(await read(layer.variable)).toEqual([9, 10, 11, 12, 13])
    driver.dispose()
    disposeLayer(layer)
    gradient.dispose()
  })

  it('holds on to nothing', async () => {
    const memory = (): number[] => {
      const { numTensors, numDataBuffers, numBytes, numBytesInGPU } = tf.memory() as tf.MemoryInfo & {
        numBytesInGPU: number
      }
      return [numTensors, numDataBuffers, numBytes, numBytesInGPU]
    }
    const start = memory()
    const model = { cells: tf.keep(tf.zeros([1])) }
    const layers = [5, 20_000].map((n) => layerOf(new Float32Array(n), [n], { slots: 1, cells: 2 }))
    const gradients = layers.map((layer) => gradientOf(layer, new Float32Array(layer.info.size)))
    const driver = driverOf(everythingPlan())
    const step = (inPlace: boolean): void =>
      stepOf(
        driver,
        layers.map((layer, i) => [layer, gradients[i]!] as const),
        [1],
        { model, inPlace }
      )
    step(true)
    const first = memory()
    for (let t = 0; t < 5; t++) {
      step(true)
      step(false)
      await driver.observations()
    }
    expect(memory()).toEqual(first)
    driver.dispose()
    layers.forEach(disposeLayer)
    tf.dispose([model.cells, ...gradients])
    expect(memory()).toEqual(start)
  })

  it('finishes what tfjs has begun, in its order', async () => {
    const layer = layerOf([1, 2, 3, 4], [4])
    const ones = gradientOf(layer, [1, 1, 1, 1])
    for (let t = 0; t < 3; t++) {
      tf.tidy(() => stepOf(sgd, [[layer, tf.mul(layer.variable, tf.add(ones, 1))]], [0.5]))
    }
    expect(await read(layer.variable)).toEqual([0, 0, 0, 0])
    disposeLayer(layer)
    ones.dispose()
  })
})

describeWebGpu('where the webgpu driver can not run', () => {
  it.each(['submitQueue', 'uploadToGPU', 'tensorMap', 'bufferManager', 'device'])(
    'says that %s is missing',
    async (name) => {
      const whole = tf.backend()
      tf.registerBackend(`no ${name}`, () => Object.create(whole, { [name]: { value: undefined } }))
      await tf.setBackend(`no ${name}`)
      try {
        expect(open(sgdPlan())).toMatch(new RegExp(`^This TensorFlow.js webgpu backend has no ${name}(\\(\\))?\\.$`))
      } finally {
        await tf.setBackend('webgpu')
      }
    }
  )
})

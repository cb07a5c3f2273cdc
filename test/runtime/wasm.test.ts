/** The wasm driver: whose memory it works on, when it copies, what it leaves alone, and when operations run instead. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Passes } from '../../src/runtime/passes.js'
import type { CompiledProgram } from '../../src/runtime/program.js'
import { wasm } from '../../src/runtime/wasm.js'
import type { CompiledClass } from '../../src/testing/session.js'
import { shipped } from '../support/shipped.js'
import { openWasm } from '../support/wasm.js'
import { addressOf, afterItGrew, backend, EVERY_SIZE, memory, taking, trained, whileItGrows } from './support/heap.js'
import { numbers, step, variable, worksInPlace } from './support/memory.js'

const OPTIONS = { targets: ['wasm', 'ops'] }
type Planned = InstanceType<CompiledClass> & { readonly plan: { readonly reason: string | null } }

let LAMB: CompiledClass
beforeAll(async () => {
  await openWasm()
  LAMB = (await shipped('lamb', OPTIONS)).Optimizer
})
afterEach(() => {
  tf.disposeVariables()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

worksInPlace('wasm', OPTIONS)

async function tensorsOf(w: tf.Variable, optimizer: tf.Optimizer): Promise<tf.Tensor[]> {
  return [w, ...(await optimizer.getWeights()).slice(1).map(({ tensor }) => tensor)]
}

it('works where the tensors lie, from the first step on, and leaves no memory taken', async () => {
  const w = variable(numbers(10, 1))
  const optimizer = new LAMB({})
  const g = tf.tensor(numbers(10, 2))
  const before = addressOf(w)
  step(optimizer, [w, g])
  const addresses = (await tensorsOf(w, optimizer)).map(addressOf)
  expect(addresses).toHaveLength(3)
  expect(addresses[0]).toBe(before)
  const { numTensors, numBytes } = tf.memory()
  const size = memory().buffer.byteLength
  for (let i = 0; i < 100; i++) step(optimizer, [w, g])
  expect((await tensorsOf(w, optimizer)).map(addressOf)).toEqual(addresses)
  expect(tf.memory()).toMatchObject({ numTensors, numBytes })
  expect(memory().buffer.byteLength).toBe(size)
  expect(g.dataSync()).toEqual(numbers(10, 2))
  optimizer.dispose()
  tf.dispose(g)
})

it('what passes leave each other takes the memory of one layer, not of all', () => {
  const optimizer = new LAMB({})
  const model = [300, 200, 100].map((size): [tf.Variable, tf.Tensor] => [
    tf.tidy(() => tf.variable(tf.tensor(numbers(size, 1), [size / 10, 10]))),
    tf.tensor(numbers(size, 2), [size / 10, 10])
  ])
  const stepAll = () => step(optimizer, ...model)
  stepAll()
  const made = vi.spyOn(backend(), 'makeOutput')
  stepAll()
  expect(made.mock.calls.map(([shape]) => shape).filter(([size]) => size === 300)).toHaveLength(1)
  expect(made.mock.calls.map(([shape]) => shape).filter(([size]) => size === 200 || size === 100)).toEqual([])
})

it('a product after a step is of the weights and the state after it, though XNNPACK had packed those before', async () => {
  const w = tf.tidy(() => tf.variable(tf.tensor(numbers(12, 1), [4, 3])))
  const [x, g] = [tf.tensor(numbers(8, 2), [2, 4]), tf.tensor(numbers(12, 3), [4, 3])]
  const optimizer = new LAMB({ learningRate: 1 })
  step(optimizer, [w, g])
  const state = (await optimizer.getWeights()).slice(1).map(({ tensor }) => tensor)
  expect(state).toHaveLength(2)
  const products = () => [w, ...state].map((y) => tf.tidy(() => tf.matMul(x, y as tf.Tensor2D).dataSync()))
  products()
  step(optimizer, [w, g])
  const after = products()
  const fresh = [w, ...state].map((y) =>
    tf.tidy(() => tf.matMul(x, tf.tensor(y.dataSync().slice(), [4, 3])).dataSync())
  )
  expect(after).toEqual(fresh)
  optimizer.dispose()
  tf.dispose([x, g])
})

it('with inPlace: false leaves the memory of the step before as it was, with the same result', () => {
  const [a, b] = [variable(numbers(2001, 1)), variable(numbers(2001, 1))]
  const [inPlace, fresh] = [new LAMB({}), new LAMB({ inPlace: false })]
  for (let i = 0; i < 3; i++) {
    const g = tf.tensor(numbers(2001, i))
    const before = addressOf(b)
    step(inPlace, [a, g])
    step(fresh, [b, g])
    expect(addressOf(b)).not.toBe(before)
    tf.dispose(g)
  }
  expect(b.dataSync()).toEqual(a.dataSync())
  inPlace.dispose()
  fresh.dispose()
})

// A vector that begins in a tensor and ends behind it: there the allocator keeps its books, or another tensor begins.
it('touches nothing behind a tensor', async () => {
  const sizes = [1, 2, 3, 5, 6, 7, 17, 255, 1023, 1025]
  const fenced = sizes.map((size) => [variable(numbers(size, size)), tf.tensor([1, 2, 3, 4, 5])] as const)
  const optimizer = new LAMB({ adapt: true })
  const pairs = fenced.map(([w]): [tf.Variable, tf.Tensor] => [w, tf.tensor(numbers(w.size, 2), w.shape)])
  step(optimizer, ...pairs)
  const slots = (await optimizer.getWeights()).slice(1).map(({ tensor }) => tensor)
  const behind = (): string[] =>
    [...fenced.map(([w]) => w), ...slots].map((t) => {
      const end = addressOf(t) + 4 * t.size
      return [...new Uint8Array(memory().buffer, end, (16 - ((4 * t.size) % 16)) % 16)].join()
    })
  const before = behind()
  expect(new Set(before.map((bytes) => bytes.length)).size).toBeGreaterThan(2)
  for (let i = 0; i < 3; i++) step(optimizer, ...pairs)
  expect(optimizer.kernel).toBe('wasm')
  expect(behind()).toEqual(before)
  for (const [, fence] of fenced) expect([...fence.dataSync()]).toEqual([1, 2, 3, 4, 5])
  optimizer.dispose()
})

it.each([
  ['at every allocation of a step, in place', {}, whileItGrows],
  ['at every allocation of a step, into fresh memory', { inPlace: false }, whileItGrows],
  ['between steps', {}, afterItGrew]
])('is right when the heap grows %s', (_, options, around) => {
  const adapt = { ...options, adapt: true }
  expect(trained(LAMB, adapt, around)).toBe(trained(LAMB, adapt))
})

it('frees all that it takes of the heap', () => {
  const taken = vi.spyOn(backend().wasm, '_malloc')
  const freed = vi.spyOn(backend().wasm, '_free')
  trained(LAMB, { adapt: true })
  const addresses = taken.mock.results.map(({ value }) => value as number)
  expect(freed.mock.calls.map(([address]) => address).sort()).toEqual(addresses.sort())
  vi.restoreAllMocks()
})

it('is right above 2 GiB', () => {
  const below = trained(LAMB, {})
  const above = (address: number): boolean => address >= 2 ** 31
  taking(EVERY_SIZE, above, () => {
    const probe = tf.tensor([1])
    expect(above(addressOf(probe))).toBe(true)
    tf.dispose(probe)
    expect(trained(LAMB, {})).toBe(below)
  })
})

it('state moves along when the backend is changed, and back', async () => {
  const { Optimizer } = await shipped('lamb', { targets: ['wasm', 'cpu', 'ops'] })
  const w = variable(numbers(1025, 1))
  const optimizer = new Optimizer({})
  const seen: (string | null)[] = []
  for (const name of ['wasm', 'cpu', 'wasm', 'wasm']) {
    const before = (await tensorsOf(w, optimizer)).map((t) => t.dataSync().slice())
    await tf.setBackend(name)
    expect((await tensorsOf(w, optimizer)).map((t) => t.dataSync())).toEqual(before)
    const g = tf.tensor(numbers(1025, 2))
    step(optimizer, [w, g])
    seen.push(optimizer.kernel)
    tf.dispose(g)
  }
  expect(seen).toEqual(['wasm', 'cpu', 'wasm', 'wasm'])
  optimizer.dispose()
})

describe('operations run instead, and the plan says why', () => {
  const kernelOf = (): [string | null, string | null] => {
    const w = variable([1, 2, 3])
    const g = tf.ones([3])
    const optimizer = new LAMB({}) as Planned
    step(optimizer, [w, g])
    const { kernel, plan } = optimizer
    optimizer.dispose()
    tf.dispose(g)
    return [kernel, plan.reason]
  }

  it('where WebAssembly refuses the kernels', () => {
    expect(kernelOf()).toEqual(['wasm', null])
    const Module = class {
      constructor() {
        throw new Error('no SIMD')
      }
    }
    vi.stubGlobal('WebAssembly', Object.create(WebAssembly, { Module: { value: Module } }))
    expect(kernelOf()).toEqual(['ops', "The kernels can't be used here: no SIMD."])
  })

  const used = ({ asm }: Backend['wasm']) => ({
    asm,
    _malloc: () => 0,
    _free: () => {},
    tfjs: { registerTensor: () => {}, disposeData: () => {} }
  })
  // Hidden while the driver is chosen only: tfjs itself goes on.
  const hidden: [string, (real: Backend) => object][] = [
    ['dataIdMap', (real) => ({ ...real, dataIdMap: undefined })],
    ['makeOutput', (real) => ({ dataIdMap: real.dataIdMap, wasm: real.wasm })],
    ['the memory', (real) => ({ dataIdMap: real.dataIdMap, makeOutput: () => {}, wasm: { asm: {} } })],
    ['wasm', (real) => ({ dataIdMap: real.dataIdMap, makeOutput: () => {} })],
    ...['_malloc', '_free'].map((name): [string, (real: Backend) => object] => [
      name,
      ({ dataIdMap, wasm }) => ({ dataIdMap, makeOutput: () => {}, wasm: { ...used(wasm), [name]: undefined } })
    ]),
    ...['registerTensor', 'disposeData'].map((name): [string, (real: Backend) => object] => [
      name,
      ({ dataIdMap, wasm }) => {
        const { tfjs, ...rest } = used(wasm)
        return { dataIdMap, makeOutput: () => {}, wasm: { ...rest, tfjs: { ...tfjs, [name]: undefined } } }
      }
    ])
  ]
  it.each(hidden)('where %s is not there', (_, hide) => {
    const real = backend()
    const open = vi.spyOn(tf.engine(), 'backend', 'get')
    open.mockReturnValue(hide(real) as tf.KernelBackend)
    expect(wasm(NOTHING).open({ slots: [] } as unknown as CompiledProgram)).toBe(ELSEWHERE)
  })

  it.each(['id', 'memoryOffset', 'refCount'])('where a tensor has no %s', (name) => {
    const { dataIdMap } = backend()
    const get = dataIdMap.get.bind(dataIdMap)
    const records = vi.spyOn(dataIdMap, 'get')
    records.mockImplementation((id) => ({ ...get(id), [name]: undefined }))
    const said = wasm(NOTHING).open({ slots: [] } as unknown as CompiledProgram)
    records.mockRestore()
    expect(said).toBe(ELSEWHERE)
  })

  it('where tensors lie in other memory', () => {
    const asm = { memory: new WebAssembly.Memory({ initial: 16 }) }
    const other = Object.create(backend().wasm, { asm: { value: asm } })
    vi.spyOn(backend(), 'wasm', 'get').mockReturnValue(other)
    expect(kernelOf()).toEqual(['ops', ELSEWHERE])
  })
})

const ELSEWHERE = 'This TensorFlow.js wasm backend keeps its values elsewhere.'
const NOTHING: Passes = { variants: [], model: { count: 0, at: 0, barriers: [] }, module: '' }

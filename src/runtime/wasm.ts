/**
 * The driver of the wasm backend: kernels run inside the heap in which TensorFlow.js keeps its tensors, so that nothing is
 * copied. The heap may grow at any allocation, which detaches views of it but moves nothing: a step takes hold of all
 * tensors first, and makes its views afterwards.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type Vector, viewOf } from './matrices.js'
import {
  buffersIn,
  instantiate,
  numbersIn,
  openPasses,
  type Pass,
  type Passes,
  type Segment,
  sizeOf,
  vectorsIn
} from './passes.js'
import type { CompiledProgram, Driver, Target } from './program.js'
import { tensorSlots } from './state.js'

type Steps = Segment<number, number>

interface TensorRecord {
  readonly id: number
  readonly memoryOffset: number
  readonly refCount: number
}

/** What is used of tfjs's wasm backend, none of it public. */
interface Backend {
  readonly dataIdMap: { get(id: object): TensorRecord }
  readonly wasm: {
    readonly asm?: { readonly memory?: WebAssembly.Memory }
    readonly wasmMemory?: WebAssembly.Memory
    _malloc(bytes: number): number
    _free(address: number): void
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void
      disposeData(id: number): void
    }
  }
  makeOutput(shape: readonly number[], dtype: string): tf.TensorInfo
}

export function wasm(passes: Passes): Target {
  return {
    backend: 'wasm',
    open(program) {
      const backend = tf.backend() as unknown as Backend
      const memory = memoryOf(backend)
      if (!memory) return 'This TensorFlow.js wasm backend keeps its values elsewhere.'
      try {
        return openWasm(passes, program, backend, memory)
      } catch (error) {
        return `The kernels can't be used here: ${error instanceof Error ? error.message : String(error)}.`
      }
    }
  }
}

/** The heap, if tensors lie in it as this driver expects. */
function memoryOf(backend: Backend): WebAssembly.Memory | null {
  if (typeof backend.dataIdMap?.get !== 'function' || typeof backend.makeOutput !== 'function') return null
  const memory = backend.wasm?.asm?.memory ?? backend.wasm?.wasmMemory
  if (!(memory instanceof WebAssembly.Memory)) return null
  const { _malloc, _free, tfjs } = backend.wasm
  const used = [_malloc, _free, tfjs?.registerTensor, tfjs?.disposeData]
  if (used.some((f) => typeof f !== 'function')) return null
  const liesThere = tf.tidy(() => {
    const probe = tf.tensor1d([0.5, 2])
    const record = backend.dataIdMap.get(probe.dataId)
    if (typeof record?.id !== 'number' || typeof record.memoryOffset !== 'number' || record.refCount !== 1) return false
    const [x, y] = new Float32Array(memory.buffer, addressIn(record), 2)
    return x === 0.5 && y === 2
  })
  return liesThere ? memory : null
}

/** Above 2 GiB, tfjs may have it as the negative number of the same bits. */
function addressIn({ memoryOffset }: { readonly memoryOffset: number }): number {
  return memoryOffset >>> 0
}

const FULL = 'the heap of the wasm backend is full.'

function allocate({ wasm }: Backend, bytes: number): number {
  const address = wasm._malloc(bytes) >>> 0
  if (address === 0) throw new Error(FULL)
  return address
}

/** Kernels work on whole vectors; what is left behind the last one goes through a vector of ours, for its neighbours are not. */
const LANES = 4

function openWasm(all: Passes, program: CompiledProgram, backend: Backend, memory: WebAssembly.Memory): Driver {
  const kernels = instantiate(all.module, memory)
  const count = numbersIn(all)
  const slots = tensorSlots(program.slots)
  const width = buffersIn(all, 2 + slots.length)
  const wide = width + vectorsIn(all)

  function make(shape: readonly number[]): tf.Tensor {
    const tensor = tf.engine().makeTensorFromTensorInfo(backend.makeOutput(shape, 'float32'))
    if (address(tensor) === 0) throw new Error(FULL)
    return tensor
  }
  const address = (tensor: tf.Tensor): number => addressIn(backend.dataIdMap.get(tensor.dataId))

  /**
   * XNNPACK keeps weights as it has packed them, by the number of the tensor, until that is disposed: a product after the
   * step would go on with the weights from before it. So the number is disposed and given to the same memory again.
   */
  function forgetDerived({ id, memoryOffset }: TensorRecord, size: number): void {
    backend.wasm.tfjs.disposeData(id)
    backend.wasm.tfjs.registerTensor(id, size, memoryOffset)
  }

  /** Room for numbers, two lists of addresses, and four elements a buffer; kept while the driver is. */
  const at = allocate(backend, 8 * count + 8 * wide + 4 * LANES * width)
  let c = new Float64Array()
  let lists = new Uint32Array()
  let heap = new Float32Array()

  function settle(): void {
    if (heap.buffer === memory.buffer) return
    c = new Float64Array(memory.buffer, at, count)
    lists = new Uint32Array(memory.buffer, at + 8 * count, 2 * wide)
    heap = new Float32Array(memory.buffer)
    const tails = at + 8 * count + 8 * wide
    for (let i = 0; i < width; i++) lists[wide + i] = tails + 4 * LANES * i
  }

  /** What lies behind the last whole vector of a tensor, to our vector of that buffer or back. */
  function copyTail(which: readonly number[], isBack: boolean, first: number, length: number): void {
    for (const i of which) {
      const theirs = lists[i]! / 4 + first
      const ours = lists[wide + i]! / 4
      if (isBack) heap.copyWithin(theirs, ours, ours + length)
      else heap.copyWithin(ours, theirs, theirs + length)
    }
  }

  /**
   * A pass that knows of rows, columns or channels, matrix by matrix. What it reads behind the last element it writes back,
   * and the allocator always keeps more than that at the heap's end.
   */
  function cross(
    { kernel }: Pass,
    { buffers, vectors, matrices }: Parameters<Steps>[0],
    overs: readonly Vector[]
  ): void {
    const [batch, colSize, rowSize] = matrices
    for (let matrix = 0; matrix < batch; matrix++) {
      const rows = matrix * colSize
      const starts = { element: rows * rowSize, row: rows, col: matrix * rowSize, channel: 0 }
      for (const [i, buffer] of buffers.entries()) lists[i] = buffer + 4 * starts[slots[i - 2]?.over ?? 'element']
      for (const [i, vector] of vectors.entries()) lists[width + i] = vector + 8 * starts[overs[i]!]
      kernels[kernel]!(rowSize, at + 8 * count, at, rows * rowSize, colSize)
    }
    lists.set(buffers)
  }

  /** A pass over rows, columns or channels. */
  function sweep(
    pass: Pass,
    { buffers, vectors, numbers, matrices }: Parameters<Steps>[0],
    overs: readonly Vector[]
  ): void {
    const sizeOver = (over: Vector): number => sizeOf(viewOf(matrices, over))
    const b = buffers.map((buffer, i) => {
      const over = slots[i - 2]?.over ?? 'element'
      return over === 'element' ? new Float32Array() : new Float32Array(memory.buffer, buffer, sizeOver(over))
    })
    const v = vectors.map((vector, i) => new Float64Array(memory.buffer, vector, sizeOver(overs[i]!)))
    pass.run!(sizeOver(pass.over!), b, numbers, v, matrices)
  }

  function link(passes: readonly Pass[]): Steps {
    const variant = all.variants.find((v) => v.passes.some((pass) => passes.includes(pass)))
    const overs = (variant?.vectors ?? []).map(([over]) => over)
    return (run) => {
      const { size, buffers, numbers } = run
      const rest = size % LANES
      const first = size - rest
      const list = at + 8 * count
      for (let i = 0; i < buffers.length; i++) lists[i] = buffers[i]!
      for (const pass of passes) {
        const { loads, stores, totals, before, finish, kernel } = pass
        before?.(numbers)
        if (pass.run) {
          sweep(pass, run, overs)
          finish?.(numbers)
          continue
        }
        for (let i = 0; i < numbers.length; i++) c[i] = numbers[i]!
        if (pass.vectors) cross(pass, run, overs)
        else {
          if (first > 0) kernels[kernel]!(first, list, at, 0, 1)
          if (rest > 0) {
            copyTail(loads, false, first, rest)
            kernels[kernel]!(rest, list + 4 * wide, at, first, 1)
            copyTail(stores, true, first, rest)
          }
        }
        for (const i of totals) numbers[i] = c[i]!
        finish?.(numbers)
      }
    }
  }

  const driver = openPasses<number, number>(all, {
    kernel: 'wasm',
    link,
    read: address,
    own(tensor) {
      const record = backend.dataIdMap.get(tensor.dataId)
      if (record.refCount !== 1) return null
      forgetDerived(record, tensor.size)
      return addressIn(record)
    },
    copy(tensor) {
      const fresh = make(tensor.shape)
      const [from, buffer] = [address(tensor), address(fresh)]
      new Uint8Array(memory.buffer).copyWithin(buffer, from, from + 4 * tensor.size)
      return { fresh, buffer }
    },
    scratch: (size) => address(make([size])),
    vector(size, start) {
      const vector = address(make([2 * (size + LANES)]))
      new Float64Array(memory.buffer, vector, size).fill(start)
      return vector
    },
    floats: (buffer, size) => new Float32Array(memory.buffer, buffer, size),
    settle
  })
  const { wasm } = backend
  return {
    ...driver,
    dispose() {
      driver.dispose()
      wasm._free(at)
    }
  }
}

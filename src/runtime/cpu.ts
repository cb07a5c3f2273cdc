/**
 * The driver of the cpu backend: kernels over the live arrays of tensors, in place. Kernels are WebAssembly, which works on
 * blocks that are copied into its memory and out of it, or, where that is refused, the same passes in JavaScript.
 */
import * as tf from '@tensorflow/tfjs-core'

export { noise as cpuNoise } from './noise.js'

import { type Vector, viewOf } from './matrices.js'
import {
  buffersIn,
  instantiate,
  type Lender,
  numbersIn,
  openPasses,
  type Pass,
  type Passes,
  type PassFunction,
  type Run,
  type Segment,
  sizeOf,
  vectorsIn
} from './passes.js'
import type { CompiledProgram, Target } from './program.js'
import { type TensorSlot, tensorSlots } from './state.js'

type Buffers = readonly Float32Array[]

/** The passes over elements in JavaScript, by name. */
export type CpuKernels = Readonly<Record<string, PassFunction>>

/** What is used of tfjs's cpu backend, none of it public. */
interface Backend {
  readonly data: { get(id: object): { readonly values: ArrayLike<number>; readonly refCount: number } }
}

export function cpu(passes: Passes, kernels: CpuKernels): Target {
  return {
    backend: 'cpu',
    open(program) {
      const backend = tf.backend() as unknown as Backend
      if (understands(backend)) return openPasses(passes, { ...lend(backend), ...choose(passes, kernels, program) })
      return 'This TensorFlow.js cpu backend keeps its values elsewhere.'
    }
  }
}

function understands(backend: Backend): boolean {
  if (typeof backend.data?.get !== 'function') return false
  return tf.tidy(() => {
    const probe = tf.tensor1d([1, 2])
    const record = backend.data.get(probe.dataId)
    return record?.values instanceof Float32Array && record.values === probe.dataSync() && record.refCount === 1
  })
}

/** Memory that a driver made, and for what: whoever gets such an array from `dataSync()` may make another tensor of it. */
const owners = new WeakMap<ArrayBufferLike, object>()

type Lending = Omit<Lender<Float32Array, Float64Array>, keyof Linking>
type Linking = Pick<Lender<Float32Array, Float64Array>, 'kernel' | 'reason' | 'link'>
type Steps = Segment<Float32Array, Float64Array>

function lend(backend: Backend): Lending {
  return {
    read: (tensor) => floats(backend.data.get(tensor.dataId).values),
    own(tensor) {
      const { values, refCount } = backend.data.get(tensor.dataId)
      if (refCount !== 1 || !(values instanceof Float32Array)) return null
      return owners.get(values.buffer) === tensor.dataId ? values : null
    },
    copy(tensor) {
      const buffer = new Float32Array(backend.data.get(tensor.dataId).values)
      const fresh = tf.tensor(buffer, tensor.shape, 'float32')
      owners.set(buffer.buffer, fresh.dataId)
      return { fresh, buffer }
    },
    scratch: (size) => new Float32Array(size),
    vector: (size, start) => new Float64Array(size).fill(start),
    floats: (buffer) => buffer,
    settle: copyOwnedGradients
  }
}

/** A float32 tensor may keep integers. */
function floats(values: ArrayLike<number>): Float32Array {
  return values instanceof Float32Array ? values : new Float32Array(values)
}

/** A gradient may have been made of an array that is now written: it is one of ours. */
function copyOwnedGradients(runs: readonly Run<Float32Array, Float64Array>[]): void {
  for (const { buffers } of runs) if (owners.has(buffers[1]!.buffer)) buffers[1] = buffers[1]!.slice()
}

/** Decided once, before the first step: WebAssembly may be missing, or forbidden by the page's policy. */
function choose(passes: Passes, kernels: CpuKernels, { slots }: CompiledProgram): Linking {
  try {
    return { kernel: 'cpu', link: inWebAssembly(passes, tensorSlots(slots)) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const reason = `WebAssembly can't be used here (${why}), so kernels run in JavaScript.`
    return { kernel: 'cpu-js', link: (some) => inJavaScript(some, kernels), reason }
  }
}

function inJavaScript(passes: readonly Pass[], kernels: CpuKernels): Steps {
  return (run) => {
    for (const pass of passes) sweep(pass, pass.run ?? kernels[pass.kernel]!, run)
  }
}

function sweep(
  { over, before, finish }: Pass,
  kernel: PassFunction,
  { size, buffers, numbers, vectors, matrices }: Parameters<Steps>[0]
): void {
  before?.(numbers)
  kernel(over ? sizeOf(viewOf(matrices, over)) : size, buffers, numbers, vectors, matrices)
  finish?.(numbers)
}

/** Elements that are in WebAssembly's memory at a time: few enough to stay in the cache, enough to pay for the calls. */
const BLOCK = 8192

/** Kernels work on whole vectors of four: of float64 numbers, none but ours may stand behind the last. */
const WIDE = BLOCK + 4

/**
 * Memory holds the addresses of blocks, the numbers, then a block a buffer and a vector. A layer that fits goes through all
 * passes of a segment while it is there; a larger one through each, block by block. Of rows and columns there is always what
 * a block meets.
 */
function inWebAssembly(all: Passes, slots: readonly TensorSlot[]): Linking['link'] {
  const kept = 2 + slots.length
  const width = buffersIn(all, kept)
  const count = numbersIn(all)
  const at = 8 * Math.ceil((width + vectorsIn(all)) / 2)
  const first = 16 * Math.ceil((at + 8 * count) / 16)
  const wide = first + 4 * BLOCK * width
  const addresses = [
    ...Array.from({ length: width }, (_, i) => first + 4 * BLOCK * i),
    ...Array.from({ length: vectorsIn(all) }, (_, i) => wide + 8 * WIDE * i)
  ]
  const pages = Math.ceil((wide + 8 * WIDE * vectorsIn(all)) / 65536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const kernels = instantiate(all.module, memory)
  const list = new Uint32Array(memory.buffer, 0, addresses.length)
  list.set(addresses)
  const c = new Float64Array(memory.buffer, at, count)
  const blocks = addresses.slice(0, width).map((address) => new Float32Array(memory.buffer, address, BLOCK))
  const lines = addresses.slice(width).map((address) => new Float64Array(memory.buffer, address, WIDE))

  /** Made again only for another length: what small layers cost is little but what is made for them. */
  const heads = [...blocks]
  const headOf = (i: number, length: number): Float32Array => {
    if (heads[i]!.length !== length) heads[i] = blocks[i]!.subarray(0, length)
    return heads[i]!
  }
  const copyIn = (which: readonly number[], buffers: Buffers, from: number, to: number): void => {
    for (const i of which) {
      const buffer = buffers[i]!
      blocks[i]!.set(buffer.length === to - from ? buffer : buffer.subarray(from, to))
    }
  }
  const copyOut = (which: readonly number[], buffers: Buffers, from: number, to: number): void => {
    for (const i of which) buffers[i]!.set(headOf(i, to - from), from)
  }
  const overOf = (i: number): Vector | null => {
    const over = slots[i - 2]?.over ?? 'element'
    return over === 'element' ? null : over
  }
  const elements = (which: readonly number[]): number[] => which.filter((i) => overOf(i) === null)

  /** A pass that knows of rows, columns or channels, over all rows of a matrix, or as many as a block holds. */
  function cross(pass: Pass, run: Parameters<Steps>[0], loads: readonly number[], fits: boolean): void {
    const { buffers, vectors, matrices } = run
    const [batch, colSize, rowSize] = matrices
    const [reads, gathers] = pass.vectors!
    const overs = all.variants.find((v) => v.passes.includes(pass))!.vectors!
    const some = pass.loads.flatMap((i) => (overOf(i) === null ? [] : [[i, overOf(i)!] as const]))
    const length = Math.min(rowSize, BLOCK)
    const height = Math.max(1, Math.floor(BLOCK / rowSize))
    for (let matrix = 0; matrix < batch; matrix++) {
      for (let top = 0; top < colSize; top += height) {
        const rows = Math.min(height, colSize - top)
        for (let left = 0; left < rowSize; left += length) {
          const n = Math.min(length, rowSize - left)
          const row = matrix * colSize + top
          const from = row * rowSize + left
          const starts = { row, col: matrix * rowSize + left, channel: left }
          const meets = (over: Vector): [number, number] => [starts[over], starts[over] + (over === 'row' ? rows : n)]
          for (const [i, over] of some) blocks[i]!.set(buffers[i]!.subarray(...meets(over)))
          for (const i of [...reads, ...gathers]) lines[i]!.set(vectors[i]!.subarray(...meets(overs[i]![0])))
          if (fits) for (const i of loads) list[i] = addresses[i]! + 4 * from
          else copyIn(loads, buffers, from, from + rows * n)
          if (fits) for (const i of pass.stores) list[i] = addresses[i]! + 4 * from
          kernels[pass.kernel]!(n, 0, at, from, rows)
          if (!fits) copyOut(pass.stores, buffers, from, from + rows * n)
          for (const i of gathers) {
            const [begin, end] = meets(overs[i]![0])
            vectors[i]!.set(lines[i]!.subarray(0, end - begin), begin)
          }
        }
      }
    }
    list.set(addresses)
  }

  return (passes, isLast) => {
    const made = new Set<number>()
    const enter: number[] = []
    for (const { over, loads, stores } of passes) {
      if (over) continue
      for (const i of elements(loads)) if (!made.has(i) && !enter.includes(i)) enter.push(i)
      for (const i of stores) made.add(i)
    }
    const leave = [...made].filter((i) => !isLast || i < kept)
    const loadsOf = passes.map((pass) => elements(pass.loads))

    return (run) => {
      const { size, buffers, numbers } = run
      const fits = size <= BLOCK
      if (fits) copyIn(enter, buffers, 0, size)
      for (const [i, pass] of passes.entries()) {
        if (pass.run) {
          sweep(pass, pass.run, run)
          continue
        }
        const { stores, totals, before, finish, kernel } = pass
        const loads = loadsOf[i]!
        before?.(numbers)
        c.set(numbers)
        if (pass.vectors) cross(pass, run, loads, fits)
        else {
          for (let from = 0; from < size; from += BLOCK) {
            const to = Math.min(size, from + BLOCK)
            if (!fits) copyIn(loads, buffers, from, to)
            kernels[kernel]!(to - from, 0, at, from, 1)
            if (!fits) copyOut(stores, buffers, from, to)
          }
        }
        for (const i of totals) numbers[i] = c[i]!
        finish?.(numbers)
      }
      if (fits) copyOut(leave, buffers, 0, size)
    }
  }
}

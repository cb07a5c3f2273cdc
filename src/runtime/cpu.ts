/**
 * The driver of the cpu backend: kernels over the live arrays of tensors, in place. Kernels are WebAssembly, which works on
 * blocks that are copied into its memory and out of it, or, where that is refused, the same passes in JavaScript.
 */
import * as tf from '@tensorflow/tfjs-core'

export { noise as cpuNoise } from './noise.js'

import { type Matrices, viewOf } from './matrices.js'
import {
  buffersIn,
  instantiate,
  type Lender,
  type Numbers,
  numbersIn,
  openPasses,
  type Pass,
  type Passes,
  type Run,
  type Segment,
  sizeOf,
  type Vectors
} from './passes.js'
import type { CompiledProgram, Target } from './program.js'
import { tensorSlots } from './state.js'

type Buffers = readonly Float32Array[]

/** The passes in JavaScript, by name. */
export type CpuKernels = Readonly<
  Record<string, (n: number, b: Buffers, c: Numbers, v: Vectors, matrices: Matrices) => void>
>

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

/** Arrays that a driver made, and for what: whoever gets such an array from `dataSync()` may make another tensor of it. */
const owners = new WeakMap<ArrayLike<number>, object>()

type Lending = Omit<Lender<Float32Array>, keyof Linking>
type Linking = Pick<Lender<Float32Array>, 'kernel' | 'reason' | 'link'>

function lend(backend: Backend): Lending {
  return {
    read: (tensor) => floats(backend.data.get(tensor.dataId).values),
    own(tensor, inPlace, replace) {
      const { values, refCount } = backend.data.get(tensor.dataId)
      if (inPlace && refCount === 1 && owners.get(values) === tensor.dataId) return values as Float32Array
      const copy = new Float32Array(values)
      const fresh = tf.tensor(copy, tensor.shape, 'float32')
      owners.set(copy, fresh.dataId)
      replace(fresh)
      return copy
    },
    scratch: (size) => new Float32Array(size),
    floats: (buffer) => buffer,
    settle: copyWrittenGradients
  }
}

/** A float32 tensor may keep integers. */
function floats(values: ArrayLike<number>): Float32Array {
  return values instanceof Float32Array ? values : new Float32Array(values)
}

/** A gradient may have been made of an array that is now written. */
function copyWrittenGradients(runs: readonly Run<Float32Array>[]): void {
  const written = new Set(runs.flatMap(({ plan, buffers }) => plan.stores.map((i) => buffers[i]!.buffer)))
  for (const { buffers } of runs) if (written.has(buffers[1]!.buffer)) buffers[1] = buffers[1]!.slice()
}

/** Decided once, before the first step: WebAssembly may be missing, or forbidden by the page's policy. */
function choose(passes: Passes, kernels: CpuKernels, { slots }: CompiledProgram): Linking {
  const { module } = passes
  const inPlain = { kernel: 'cpu-js', link: (some: readonly Pass[]) => inJavaScript(some, kernels) } as const
  if (module === undefined) return { ...inPlain, reason: 'Kernels that know rows and columns run in JavaScript.' }
  try {
    return { kernel: 'cpu', link: inWebAssembly(passes, module, 2 + tensorSlots(slots).length) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const reason = `WebAssembly can't be used here (${why}), so kernels run in JavaScript.`
    return { ...inPlain, reason }
  }
}

function inJavaScript(passes: readonly Pass[], kernels: CpuKernels): Segment<Float32Array> {
  return ({ size, buffers, numbers, vectors, matrices }) => {
    for (const { over, before, kernel, finish } of passes) {
      before?.(numbers)
      kernels[kernel]!(over ? sizeOf(viewOf(matrices, over)) : size, buffers, numbers, vectors, matrices)
      finish?.(numbers)
    }
  }
}

/** Elements that are in WebAssembly's memory at a time: few enough to stay in the cache, enough to pay for the calls. */
const BLOCK = 8192

/**
 * Memory holds the addresses of blocks, the numbers, then a block a buffer. A layer that fits goes through all passes of a
 * segment while it is there; a larger one through each, block by block.
 */
function inWebAssembly(all: Passes, module: string, kept: number): Linking['link'] {
  const width = buffersIn(all, kept)
  const count = numbersIn(all)
  const at = 8 * Math.ceil(width / 2)
  const first = 16 * Math.ceil((at + 8 * count) / 16)
  const addresses = Array.from({ length: width }, (_, i) => first + 4 * BLOCK * i)
  const pages = Math.ceil((first + 4 * BLOCK * width) / 65536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const kernels = instantiate(module, memory)
  new Uint32Array(memory.buffer).set(addresses)
  const c = new Float64Array(memory.buffer, at, count)
  const blocks = addresses.map((address) => new Float32Array(memory.buffer, address, BLOCK))

  const copyIn = (which: readonly number[], buffers: Buffers, from: number, to: number): void => {
    for (const i of which) blocks[i]!.set(buffers[i]!.subarray(from, to))
  }
  const copyOut = (which: readonly number[], buffers: Buffers, from: number, to: number): void => {
    for (const i of which) buffers[i]!.set(to - from === BLOCK ? blocks[i]! : blocks[i]!.subarray(0, to - from), from)
  }

  return (passes, isLast) => {
    const made = new Set<number>()
    const enter: number[] = []
    for (const { loads, stores } of passes) {
      for (const i of loads) if (!made.has(i) && !enter.includes(i)) enter.push(i)
      for (const i of stores) made.add(i)
    }
    const leave = [...made].filter((i) => !isLast || i < kept)

    return ({ size, buffers, numbers }) => {
      const fits = size <= BLOCK
      if (fits) copyIn(enter, buffers, 0, size)
      for (const { loads, stores, totals, before, finish, kernel } of passes) {
        before?.(numbers)
        c.set(numbers)
        for (let from = 0; from < size; from += BLOCK) {
          const to = Math.min(size, from + BLOCK)
          if (!fits) copyIn(loads, buffers, from, to)
          kernels[kernel]!(to - from, 0, at, from)
          if (!fits) copyOut(stores, buffers, from, to)
        }
        for (const i of totals) numbers[i] = c[i]!
        finish?.(numbers)
      }
      if (fits) copyOut(leave, buffers, 0, size)
    }
  }
}

/**
 * The driver of the cpu backend: kernels over the live arrays of tensors, in place. Kernels are WebAssembly, which works on
 * blocks that are copied into its memory and out of it, or, where that is refused, the same passes in JavaScript.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Driver, Layer, Step, StepLayer, Target } from './program.js'

/** What is the same for all elements of a layer: host scalars, numbers of the model, numbers of the layer. */
type Numbers = Float64Array
type Buffers = Float32Array[]

export interface CpuPass {
  readonly segment: number
  /** Buffers: 0 the weight, 1 the gradient, then slots, then scratch. */
  readonly loads: readonly number[]
  readonly stores: readonly number[]
  /** Numbers that it gathers. */
  readonly totals: readonly number[]
  /** Numbers that are computed before and after it. */
  readonly before?: (c: Numbers) => void
  readonly finish?: (c: Numbers) => void
  readonly run: (n: number, b: Buffers, c: Numbers) => void
  /** The export of the WebAssembly module that does the same. */
  readonly wasm: string
}

/** Numbers of a layer or of the model. */
interface CpuNumbers {
  /** How many, with all that stand before them. */
  readonly count: number
  /** Where the device state begins. */
  readonly at: number
  readonly start?: (c: Numbers) => void
  /** State after the step. */
  readonly state?: (c: Numbers) => number[]
}

/** The kernels of a layer for one assignment of the host conditions. */
export interface CpuVariant extends CpuNumbers {
  readonly scratch: number
  readonly passes: readonly CpuPass[]
  /** What the layer adds to the reductions of each barrier. */
  readonly shares: readonly ((c: Numbers) => number[])[]
  readonly observed?: (c: Numbers) => number[]
}

export interface CpuModel extends CpuNumbers {
  readonly barriers: readonly {
    readonly reduces: readonly (readonly ['sum' | 'max' | 'min', number])[]
    readonly finish?: (c: Numbers) => void
  }[]
}

export interface CpuKernels {
  readonly variants: readonly CpuVariant[]
  readonly model: CpuModel
  /** The module's bytes, in base64. */
  readonly wasm: string
}

/** What is used of tfjs's cpu backend, none of it public. */
interface Backend {
  readonly data: { get(id: object): { readonly values: ArrayLike<number>; readonly refCount: number } }
}

export function cpu(kernels: CpuKernels): Target {
  return {
    backend: 'cpu',
    open() {
      const backend = tf.backend() as unknown as Backend
      return understands(backend)
        ? openCpu(kernels, backend)
        : 'this TensorFlow.js cpu backend keeps its values elsewhere.'
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

/** A layer on its way through a step. */
interface Run {
  readonly layer: Layer
  readonly variant: CpuVariant
  /** Its segments, from the first. */
  readonly segments: readonly Segment[]
  readonly size: number
  readonly numbers: Numbers
  readonly buffers: Buffers
  /** `over layer` state. */
  readonly cells: Float32Array | null
}

/** Passes that run one behind the other, and how to run them. */
type Segment = (size: number, buffers: Buffers, numbers: Numbers) => void

function openCpu(kernels: CpuKernels, backend: Backend): Driver {
  const { compile, reason } = chooseCompiler(kernels)
  const last = kernels.model.barriers.length
  const segments = new Map(
    kernels.variants.map((variant) => [
      variant,
      Array.from({ length: last + 1 }, (_, s) =>
        compile(
          variant.passes.filter((p) => p.segment === s),
          s === last
        )
      )
    ])
  )
  let observed: readonly { readonly layer: Layer; readonly values: readonly number[] }[] = []

  function begin(one: StepLayer, inPlace: boolean): Run {
    const { layer } = one
    const variant = kernels.variants[one.variant]!
    const numbers = startNumbers(variant, one.scalars)
    const cells = ownCells(backend, layer, inPlace, variant, numbers)
    const stores = new Set(variant.passes.flatMap((p) => p.stores))
    const [weight, ...slots] = [layer.variable, ...layer.slots].map((tensor, i) =>
      stores.has(i === 0 ? 0 : i + 1)
        ? own(backend, tensor, inPlace, (fresh) => replace(layer, i, fresh))
        : floats(backend.data.get(tensor.dataId).values)
    )
    const scratch = Array.from({ length: variant.scratch }, () => new Float32Array(layer.info.size))
    const gradient = floats(backend.data.get(one.gradient.dataId).values)
    const buffers = [weight!, gradient, ...slots, ...scratch]
    return { layer, variant, segments: segments.get(variant)!, size: layer.info.size, numbers, buffers, cells }
  }

  function step({ layers, scalars, model, inPlace }: Step): void {
    const shared = startNumbers(kernels.model, scalars)
    const cells = ownCells(backend, model, inPlace, kernels.model, shared)
    const runs = layers.map((layer) => begin(layer, inPlace))
    separate(runs)
    for (let s = 0; s <= last; s++) {
      for (const { numbers, segments, size, buffers } of runs) {
        numbers.set(shared.subarray(scalars.length), scalars.length)
        segments[s]!(size, buffers, numbers)
      }
      if (s < last) meet(kernels.model.barriers[s]!, s, runs, shared)
    }
    for (const { variant, numbers, cells } of runs) if (cells) cells.set(variant.state!(numbers))
    if (cells) cells.set(kernels.model.state!(shared))
    observed = runs.map(({ layer, variant, numbers }) => ({ layer, values: variant.observed?.(numbers) ?? [] }))
  }

  return {
    kernel: reason === undefined ? 'cpu' : 'cpu-js',
    ...(reason === undefined ? {} : { reason }),
    step,
    observations: async () => new Map(observed.map(({ layer, values }) => [layer, values])),
    dispose() {
      observed = []
    }
  }
}

function startNumbers({ count, start }: CpuNumbers, scalars: Float64Array): Numbers {
  const numbers = new Float64Array(count)
  numbers.set(scalars)
  start?.(numbers)
  return numbers
}

/** Reductions over the model, in the order of the layers. */
function meet(
  { reduces, finish }: CpuModel['barriers'][number],
  index: number,
  runs: readonly Run[],
  shared: Numbers
): void {
  for (const { variant, numbers } of runs) {
    const shares = variant.shares[index]!(numbers)
    for (const [i, [op, at]] of reduces.entries()) {
      shared[at] = op === 'sum' ? shared[at]! + shares[i]! : Math[op](shared[at]!, shares[i]!)
    }
  }
  finish?.(shared)
}

/** Arrays that a driver made, so that nobody else was handed them. */
const ours = new WeakSet<object>()

/** A tensor's array, to be written: the live one if it is ours and nobody shares it, else a copy's, that takes its place. */
function own(backend: Backend, tensor: tf.Tensor, inPlace: boolean, replace: (fresh: tf.Tensor) => void): Float32Array {
  const { values, refCount } = backend.data.get(tensor.dataId)
  if (inPlace && refCount === 1 && ours.has(values)) return values as Float32Array
  const copy = new Float32Array(values)
  ours.add(copy)
  replace(tf.tensor(copy, tensor.shape, 'float32'))
  return copy
}

/** State of a layer or of the model: read into its numbers, and ready to be written. */
function ownCells(
  backend: Backend,
  owner: { cells: tf.Tensor | null },
  inPlace: boolean,
  { at, state }: CpuNumbers,
  numbers: Numbers
): Float32Array | null {
  if (!owner.cells) return null
  numbers.set(backend.data.get(owner.cells.dataId).values, at)
  if (!state) return null
  return own(backend, owner.cells, inPlace, (fresh) => {
    owner.cells!.dispose()
    owner.cells = tf.keep(fresh)
  })
}

/** The weight, then slots. */
function replace(layer: Layer, index: number, fresh: tf.Tensor): void {
  if (index === 0) {
    layer.variable.assign(fresh)
    fresh.dispose()
  } else {
    layer.slots[index - 1]!.dispose()
    layer.slots[index - 1] = tf.keep(fresh)
  }
}

/** A float32 tensor may keep integers. */
function floats(values: ArrayLike<number>): Float32Array {
  return values instanceof Float32Array ? values : new Float32Array(values)
}

/** Gradients that lie in memory which this step writes are copied first. */
function separate(runs: readonly Run[]): void {
  const written = new Set<ArrayBufferLike>()
  for (const { variant, buffers } of runs) {
    for (const pass of variant.passes) for (const i of pass.stores) written.add(buffers[i]!.buffer)
  }
  for (const { buffers } of runs) if (written.has(buffers[1]!.buffer)) buffers[1] = buffers[1]!.slice()
}

type Compile = (passes: readonly CpuPass[], isLast: boolean) => Segment

/** Decided once, before the first step: WebAssembly may be missing, or forbidden by the page's policy. */
function chooseCompiler(kernels: CpuKernels): { readonly compile: Compile; readonly reason?: string } {
  try {
    return { compile: inWebAssembly(kernels) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return {
      compile: inJavaScript,
      reason: `WebAssembly is not to be had here (${why}), so kernels run in JavaScript.`
    }
  }
}

const inJavaScript: Compile = (passes) => (size, buffers, numbers) => {
  for (const { before, run, finish } of passes) {
    before?.(numbers)
    run(size, buffers, numbers)
    finish?.(numbers)
  }
}

/** Elements that are in WebAssembly's memory at a time: few enough to stay in the cache, enough to pay for the calls. */
const BLOCK = 8192

type WasmKernel = (n: number, b: number, c: number) => void

/**
 * Memory holds the addresses of blocks, the numbers, then a block a buffer. A layer that fits goes through all passes of a
 * segment while it is there; a larger one through each, block by block.
 */
function inWebAssembly({ variants, model, wasm }: CpuKernels): Compile {
  const width = 1 + Math.max(...variants.flatMap((v) => v.passes.flatMap((p) => [...p.loads, ...p.stores])))
  const count = Math.max(model.count, ...variants.map((v) => v.count))
  const at = 8 * Math.ceil(width / 2)
  const first = 16 * Math.ceil((at + 8 * count) / 16)
  const addresses = Array.from({ length: width }, (_, i) => first + 4 * BLOCK * i)
  const memory = new WebAssembly.Memory({ initial: Math.ceil((first + 4 * BLOCK * width) / 65536) })
  const bytes = Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0))
  const imports = { Math, js: { memory } } as unknown as WebAssembly.Imports
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
  new Uint32Array(memory.buffer).set(addresses)
  const c = new Float64Array(memory.buffer, at, count)
  const blocks = addresses.map((address) => new Float32Array(memory.buffer, address, BLOCK))

  const copyIn = (i: number, buffers: Buffers, from: number, to: number): void => {
    const all = buffers[i]!
    blocks[i]!.set(to - from === all.length ? all : all.subarray(from, to))
  }
  const copyOut = (i: number, buffers: Buffers, from: number, to: number): void => {
    buffers[i]!.set(to - from === BLOCK ? blocks[i]! : blocks[i]!.subarray(0, to - from), from)
  }
  const call = (pass: CpuPass, numbers: Numbers, sweep: () => void): void => {
    pass.before?.(numbers)
    c.set(numbers)
    sweep()
    for (const i of pass.totals) numbers[i] = c[i]!
    pass.finish?.(numbers)
  }

  return (passes, isLast) => {
    const kernels = passes.map((pass) => exports[pass.wasm] as WasmKernel)
    const slots = Math.max(...variants.map((v) => width - v.scratch))
    const made = new Set<number>()
    const enter = new Set<number>()
    for (const { loads, stores } of passes) {
      for (const i of loads) if (!made.has(i)) enter.add(i)
      for (const i of stores) made.add(i)
    }
    const leave = [...made].filter((i) => !isLast || i < slots)

    return (size, buffers, numbers) => {
      if (size <= BLOCK) {
        for (const i of enter) copyIn(i, buffers, 0, size)
        for (const [p, pass] of passes.entries()) call(pass, numbers, () => kernels[p]!(size, 0, at))
        for (const i of leave) copyOut(i, buffers, 0, size)
        return
      }
      for (const [p, pass] of passes.entries()) {
        call(pass, numbers, () => {
          for (let from = 0; from < size; from += BLOCK) {
            const to = Math.min(size, from + BLOCK)
            for (const i of pass.loads) copyIn(i, buffers, from, to)
            kernels[p]!(to - from, 0, at)
            for (const i of pass.stores) copyOut(i, buffers, from, to)
          }
        })
      }
    }
  }
}

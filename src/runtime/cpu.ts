/**
 * The driver of the cpu backend: kernels over the live arrays of tensors, in place. Kernels are WebAssembly, which works on
 * blocks that are copied into its memory and out of it, or, where that is refused, the same passes in JavaScript.
 */
import * as tf from '@tensorflow/tfjs-core'

export { noise as cpuNoise } from './noise.js'

import { type Matrices, matricesOf, viewOf } from './matrices.js'
import type { CompiledProgram, Driver, Layer, Step, StepLayer, Target } from './program.js'
import { tensorSlots } from './state.js'

/** What is the same for all elements of a layer: host scalars, numbers of the model, numbers of the layer. */
type Numbers = Float64Array
type Buffers = Float32Array[]
/** Values of rows or columns that passes keep for later ones. */
type Vectors = Float64Array[]

export interface CpuPass {
  readonly segment: number
  /** What it sweeps over; elements unless said otherwise. */
  readonly over?: 'row' | 'col'
  /** Buffers: 0 the weight, 1 the gradient, then slots, then scratch. */
  readonly loads: readonly number[]
  readonly stores: readonly number[]
  /** Numbers that it gathers. */
  readonly totals: readonly number[]
  /** Numbers that are computed before and after it. */
  readonly before?: (c: Numbers) => void
  readonly finish?: (c: Numbers) => void
  readonly run: (n: number, b: Buffers, c: Numbers, v: Vectors, matrices: Matrices) => void
  /** The export of the WebAssembly module that does the same. */
  readonly wasm?: string
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
  /** What each has one value of, and what stands there before the first pass. */
  readonly vectors?: readonly (readonly ['row' | 'col', number])[]
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
  /** The module's bytes, in base64. Left out where there are rows and columns. */
  readonly wasm?: string
}

/** What is used of tfjs's cpu backend, none of it public. */
interface Backend {
  readonly data: { get(id: object): { readonly values: ArrayLike<number>; readonly refCount: number } }
}

export function cpu(kernels: CpuKernels): Target {
  return {
    backend: 'cpu',
    open(program) {
      const backend = tf.backend() as unknown as Backend
      if (understands(backend)) return openCpu(kernels, program, backend)
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

/** A variant, ready to run. */
interface Plan {
  readonly variant: CpuVariant
  /** Buffers that it writes. */
  readonly stores: readonly number[]
  readonly segments: readonly Segment[]
}

/** Runs passes one behind the other. */
type Segment = (run: Pick<Run, 'size' | 'buffers' | 'numbers' | 'vectors' | 'matrices'>) => void

/** A layer on its way through a step. */
interface Run {
  readonly layer: Layer
  readonly plan: Plan
  readonly size: number
  readonly numbers: Numbers
  readonly buffers: Buffers
  readonly vectors: Vectors
  readonly matrices: Matrices
  /** `over layer` state. */
  readonly cells: Float32Array | null
}

function openCpu(kernels: CpuKernels, program: CompiledProgram, backend: Backend): Driver {
  /** Where scratch begins among buffers. */
  const kept = 2 + tensorSlots(program.slots).length
  const { compile, reason } = chooseCompiler(kernels, kept)
  const { model, variants } = kernels
  const last = model.barriers.length
  const plans = variants.map((variant): Plan => {
    const { passes } = variant
    const segments = Array.from({ length: last + 1 }, (_, s) =>
      compile(
        passes.filter((p) => p.segment === s),
        s === last
      )
    )
    return { variant, stores: [...new Set(passes.flatMap((p) => p.stores))], segments }
  })
  let observed: readonly Run[] = []

  const valuesOf = (tensor: tf.Tensor): Float32Array => floats(backend.data.get(tensor.dataId).values)

  function begin({ layer, gradient, variant, scalars }: StepLayer, inPlace: boolean): Run {
    const plan = plans[variant]!
    const { size } = layer.info
    const numbers = startNumbers(plan.variant, scalars)
    const cells = ownCells(backend, layer, inPlace, plan.variant, numbers)
    const [weight, ...slots] = [layer.variable, ...layer.slots].map((tensor, i) =>
      plan.stores.includes(i === 0 ? 0 : i + 1)
        ? own(backend, tensor, inPlace, (fresh) => replace(layer, i, fresh))
        : valuesOf(tensor)
    )
    const scratch = Array.from({ length: plan.variant.scratch }, () => new Float32Array(size))
    const matrices = matricesOf(layer.info.shape)
    const vectors = (plan.variant.vectors ?? []).map(([over, start]) =>
      new Float64Array(sizeOf(viewOf(matrices, over))).fill(start)
    )
    const buffers = [weight!, valuesOf(gradient), ...slots, ...scratch]
    return { layer, plan, size, numbers, cells, buffers, vectors, matrices }
  }

  function step({ layers, scalars, model: state, inPlace }: Step): void {
    const shared = startNumbers(model, scalars)
    const cells = ownCells(backend, state, inPlace, model, shared)
    const runs = layers.map((layer) => begin(layer, inPlace))
    copyWrittenGradients(runs)
    for (let s = 0; s <= last; s++) {
      const ofModel = shared.subarray(scalars.length)
      for (const run of runs) {
        run.numbers.set(ofModel, scalars.length)
        run.plan.segments[s]!(run)
      }
      if (s < last) meet(model.barriers[s]!, s, runs, shared)
    }
    for (const { plan, numbers, cells } of runs) cells?.set(plan.variant.state!(numbers))
    cells?.set(model.state!(shared))
    observed = runs
  }

  return {
    kernel: reason === undefined ? 'cpu' : 'cpu-js',
    ...(reason === undefined ? {} : { reason }),
    step,
    observations: async () =>
      new Map(observed.map(({ layer, plan, numbers }) => [layer, plan.variant.observed?.(numbers) ?? []])),
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
  barrier: number,
  runs: readonly Run[],
  shared: Numbers
): void {
  for (const { plan, numbers } of runs) {
    const shares = plan.variant.shares[barrier]!(numbers)
    for (const [i, [op, at]] of reduces.entries()) {
      shared[at] = op === 'sum' ? shared[at]! + shares[i]! : Math[op](shared[at]!, shares[i]!)
    }
  }
  finish?.(shared)
}

/** Arrays that a driver made, and for what: whoever gets such an array from `dataSync()` may make another tensor of it. */
const owners = new WeakMap<ArrayLike<number>, object>()

/** A tensor's array, to be written: the live one if nobody else was handed it, else a copy, which takes its place. */
function own(backend: Backend, tensor: tf.Tensor, inPlace: boolean, replace: (fresh: tf.Tensor) => void): Float32Array {
  const { values, refCount } = backend.data.get(tensor.dataId)
  if (inPlace && refCount === 1 && owners.get(values) === tensor.dataId) return values as Float32Array
  const copy = new Float32Array(values)
  const fresh = tf.tensor(copy, tensor.shape, 'float32')
  owners.set(copy, fresh.dataId)
  replace(fresh)
  return copy
}

/** State of a layer or of the model: read into its numbers, and ready to be written. */
function ownCells(
  backend: Backend,
  owner: { cells: tf.Tensor | null },
  inPlace: boolean,
  { at }: CpuNumbers,
  numbers: Numbers
): Float32Array | null {
  if (!owner.cells) return null
  numbers.set(backend.data.get(owner.cells.dataId).values, at)
  return own(backend, owner.cells, inPlace, (fresh) => {
    owner.cells!.dispose()
    owner.cells = tf.keep(fresh)
  })
}

/** Puts a tensor in the place of the weight (0) or a slot. */
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

function copyWrittenGradients(runs: readonly Run[]): void {
  const written = new Set(runs.flatMap(({ plan, buffers }) => plan.stores.map((i) => buffers[i]!.buffer)))
  for (const { buffers } of runs) if (written.has(buffers[1]!.buffer)) buffers[1] = buffers[1]!.slice()
}

type Compile = (passes: readonly CpuPass[], isLast: boolean) => Segment

/** Decided once, before the first step: WebAssembly may be missing, or forbidden by the page's policy. */
function chooseCompiler(kernels: CpuKernels, kept: number): { readonly compile: Compile; readonly reason?: string } {
  const { wasm } = kernels
  if (wasm === undefined)
    return { compile: inJavaScript, reason: 'Kernels that know rows and columns run in JavaScript.' }
  try {
    return { compile: inWebAssembly({ ...kernels, wasm }, kept) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { compile: inJavaScript, reason: `WebAssembly can't be used here (${why}), so kernels run in JavaScript.` }
  }
}

const inJavaScript: Compile =
  (passes) =>
  ({ size, buffers, numbers, vectors, matrices }) => {
    for (const { over, before, run, finish } of passes) {
      before?.(numbers)
      run(over ? sizeOf(viewOf(matrices, over)) : size, buffers, numbers, vectors, matrices)
      finish?.(numbers)
    }
  }

const sizeOf = ([batch, colSize, rowSize]: Matrices): number => batch * colSize * rowSize

/** Elements that are in WebAssembly's memory at a time: few enough to stay in the cache, enough to pay for the calls. */
const BLOCK = 8192

type WasmKernel = (n: number, b: number, c: number, first: number) => void

/**
 * Memory holds the addresses of blocks, the numbers, then a block a buffer. A layer that fits goes through all passes of a
 * segment while it is there; a larger one through each, block by block.
 */
function inWebAssembly({ variants, model, wasm }: CpuKernels & { readonly wasm: string }, kept: number): Compile {
  const width = kept + Math.max(...variants.map((v) => v.scratch))
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

  const copyIn = (which: readonly number[], buffers: Buffers, from: number, to: number): void => {
    for (const i of which) blocks[i]!.set(buffers[i]!.subarray(from, to))
  }
  const copyOut = (which: readonly number[], buffers: Buffers, from: number, to: number): void => {
    for (const i of which) buffers[i]!.set(to - from === BLOCK ? blocks[i]! : blocks[i]!.subarray(0, to - from), from)
  }

  return (passes, isLast) => {
    const kernels = passes.map((pass) => exports[pass.wasm!] as WasmKernel)
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
      for (const [p, { loads, stores, totals, before, finish }] of passes.entries()) {
        before?.(numbers)
        c.set(numbers)
        for (let from = 0; from < size; from += BLOCK) {
          const to = Math.min(size, from + BLOCK)
          if (!fits) copyIn(loads, buffers, from, to)
          kernels[p]!(to - from, 0, at, from)
          if (!fits) copyOut(stores, buffers, from, to)
        }
        for (const i of totals) numbers[i] = c[i]!
        finish?.(numbers)
      }
      if (fits) copyOut(leave, buffers, 0, size)
    }
  }
}

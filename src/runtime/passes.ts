/**
 * Steps of kernels that work on memory, passes and the numbers between them: the same where tensors are arrays of JavaScript
 * (cpu) and where they lie in a heap of WebAssembly (wasm). What differs is in a `Lender`.
 */
import type * as tf from '@tensorflow/tfjs-core'
import { type Matrices, matricesOf, type Vector, viewOf } from './matrices.js'
import type { Driver, KernelName, Layer, Step, StepLayer } from './program.js'
import { replaceState, replaceTensor } from './tensors.js'

/** What is the same for all elements of a layer: host scalars, numbers of the model, numbers of the layer. */
export type Numbers = Float64Array
/** Values of rows, columns or channels that passes keep for later ones. */
export type Vectors = readonly Float64Array[]

export interface Pass {
  readonly segment: number
  /** What it sweeps over; elements unless said otherwise. */
  readonly over?: Vector
  /** What has no elements is done in JavaScript on all targets: it costs next to nothing. */
  readonly run?: PassFunction
  /** Where it sweeps over elements and knows of rows, columns or channels: the vectors that it loads, and that it gathers. */
  readonly vectors?: readonly [loads: readonly number[], gathers: readonly number[]]
  /** Buffers: 0 the weight, 1 the gradient, then slots, then scratch. */
  readonly loads: readonly number[]
  readonly stores: readonly number[]
  /** Numbers that it gathers. */
  readonly totals: readonly number[]
  /** Numbers that are computed before and after it. */
  readonly before?: (c: Numbers) => void
  readonly finish?: (c: Numbers) => void
  /** The kernel that does it: in WebAssembly an export of the module, as `emit/wat.ts` says. */
  readonly kernel: string
}

/** A pass in JavaScript. */
export type PassFunction = (n: number, b: readonly Float32Array[], c: Numbers, v: Vectors, matrices: Matrices) => void

/** Numbers of a layer or of the model. */
interface NumbersRecord {
  /** How many, with all that stand before them. */
  readonly count: number
  /** Where the device state begins. */
  readonly at: number
  readonly start?: (c: Numbers) => void
  /** State after the step. */
  readonly state?: (c: Numbers) => number[]
}

/** The passes of a layer for one assignment of the host conditions. */
export interface PassVariant extends NumbersRecord {
  readonly scratch: number
  /** What each has one value of, and what stands there before the first pass. */
  readonly vectors?: readonly (readonly [Vector, number])[]
  readonly passes: readonly Pass[]
  /** What the layer adds to the reductions of each barrier. */
  readonly shares: readonly ((c: Numbers) => number[])[]
  readonly observed?: (c: Numbers) => number[]
}

interface PassModel extends NumbersRecord {
  readonly barriers: readonly {
    readonly reduces: readonly (readonly ['sum' | 'max' | 'min', number])[]
    readonly finish?: (c: Numbers) => void
  }[]
}

export interface Passes {
  readonly variants: readonly PassVariant[]
  readonly model: PassModel
  /** The bytes of the WebAssembly module, in base64. */
  readonly module: string
}

/** Runs passes one behind the other. */
export type Segment<B, V> = (run: Pick<Run<B, V>, 'size' | 'buffers' | 'numbers' | 'vectors' | 'matrices'>) => void

/** A layer on its way through a step; in the next one filled in again. */
export interface Run<B, V> {
  readonly layer: Layer
  readonly plan: Plan<B, V>
  readonly size: number
  readonly numbers: Numbers
  readonly buffers: B[]
  readonly vectors: V[]
  readonly matrices: Matrices
  /** `over layer` state. */
  cells: B | null
}

/** A variant, ready to run. */
interface Plan<B, V> {
  readonly variant: PassVariant
  /** Buffers that it writes. */
  readonly stores: readonly number[]
  readonly segments: readonly Segment<B, V>[]
}

/** How a backend lends its tensors, as buffers and vectors of its own kind, and runs kernels over them. */
export interface Lender<B, V> {
  readonly kernel: KernelName
  readonly reason?: string
  /** `isLast`: nothing reads scratch afterwards. */
  link(passes: readonly Pass[], isLast: boolean): Segment<B, V>
  read(tensor: tf.Tensor): B
  /** The tensor's own buffer, to be written; null if somebody else has it too. */
  own(tensor: tf.Tensor): B | null
  /** A copy of it, to be written in its place. */
  copy(tensor: tf.Tensor): { readonly fresh: tf.Tensor; readonly buffer: B }
  scratch(size: number): B
  /** Float64 numbers that are `start`. */
  vector(size: number, start: number): V
  /** Its elements, until the next buffer is lent. */
  floats(buffer: B, size: number): Float32Array
  /** All buffers of the step are there; now passes run. */
  settle(runs: readonly Run<B, V>[]): void
}

/** How many numbers there are at most. */
export function numbersIn({ variants, model }: Passes): number {
  return Math.max(model.count, ...variants.map((v) => v.count))
}

/** How many buffers a layer has at most, where `kept` outlive a step. */
export function buffersIn({ variants }: Passes, kept: number): number {
  return kept + Math.max(...variants.map((v) => v.scratch))
}

/** How many vectors a layer has at most. */
export function vectorsIn({ variants }: Passes): number {
  return Math.max(...variants.map((v) => v.vectors?.length ?? 0))
}

type WasmKernel = (n: number, b: number, c: number, first: number, rows: number) => void

/** The module's kernels, on a memory whose maximum is declared. Throws where WebAssembly or its SIMD is refused. */
export function instantiate(module: string, memory: WebAssembly.Memory): Readonly<Record<string, WasmKernel>> {
  const text = atob(module)
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0))
  // A module says of a memory that it imports whether it is shared: a bit behind the name and the kind.
  if (memory.buffer[Symbol.toStringTag] !== 'ArrayBuffer') bytes[text.indexOf('memory\x02') + 7]! |= 2
  const imports = { Math, js: { memory } } as unknown as WebAssembly.Imports
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
  return exports as unknown as Readonly<Record<string, WasmKernel>>
}

export function openPasses<B, V>({ model, variants }: Passes, lender: Lender<B, V>): Driver {
  const last = model.barriers.length
  const plans = variants.map((variant): Plan<B, V> => {
    const { passes } = variant
    const segments = Array.from({ length: last + 1 }, (_, s) =>
      lender.link(
        passes.filter((p) => p.segment === s),
        s === last
      )
    )
    return { variant, stores: [...new Set(passes.flatMap((p) => p.stores))], segments }
  })
  let observed: readonly Run<B, V>[] = []

  /** Of a layer's size; where none has to wait for others, all use the same, as large as the largest of them. */
  function lendScratch(layers: readonly StepLayer[]): (size: number, count: number) => B[] {
    const lend = (size: number, count: number): B[] => Array.from({ length: count }, () => lender.scratch(size))
    const users = layers.filter(({ variant }) => plans[variant]!.variant.scratch > 0)
    if (last > 0 || users.length === 0) return lend
    const counts = users.map(({ variant }) => plans[variant]!.variant.scratch)
    const all = lend(Math.max(...users.map(({ layer }) => layer.info.size)), Math.max(...counts))
    return (_, count) => all.slice(0, count)
  }

  /** From the step before, or else a new one: what many small layers cost is little but what is made for them. */
  function runOf(before: Run<B, V> | undefined, layer: Layer, plan: Plan<B, V>): Run<B, V> {
    if (before?.layer === layer && before.plan === plan) return before
    const { size, shape } = layer.info
    const numbers = new Float64Array(plan.variant.count)
    return { layer, plan, size, numbers, buffers: [], vectors: [], matrices: matricesOf(shape), cells: null }
  }

  function begin(
    { layer, gradient, variant, scalars }: StepLayer,
    { inPlace, stateIsPrivate }: Step,
    scratchOf: ReturnType<typeof lendScratch>,
    before: Run<B, V> | undefined
  ): Run<B, V> {
    const run = runOf(before, layer, plans[variant]!)
    const { size, numbers, buffers, vectors, matrices } = run
    const { stores, variant: of } = run.plan
    startNumbers(numbers, of, scalars)
    run.cells = ownCells(lender, layer, inPlace, of, numbers)
    const { length } = layer.slots
    // What nobody else has is where it was.
    const isKept = run === before && inPlace && stateIsPrivate
    for (let i = 0; i <= (isKept ? 0 : length); i++) {
      const at = i === 0 ? 0 : i + 1
      const tensor = i === 0 ? layer.variable : layer.slots[i - 1]!
      buffers[at] = stores.includes(at)
        ? ownBuffer(lender, tensor, inPlace, (fresh) => replaceTensor(layer, i, fresh))
        : lender.read(tensor)
    }
    buffers[1] = lender.read(gradient)
    if (of.scratch > 0) buffers.splice(2 + length, of.scratch, ...scratchOf(size, of.scratch))
    of.vectors?.forEach(([over, start], i) => {
      vectors[i] = lender.vector(sizeOf(viewOf(matrices, over)), start)
    })
    return run
  }

  function step(given: Step): void {
    const { layers, scalars, model: state, inPlace } = given
    const shared = new Float64Array(model.count)
    startNumbers(shared, model, scalars)
    const cells = ownCells(lender, state, inPlace, model, shared)
    const scratchOf = lendScratch(layers)
    const runs = layers.map((layer, i) => begin(layer, given, scratchOf, observed[i]))
    lender.settle(runs)
    for (let s = 0; s <= last; s++) {
      const ofModel = model.count > scalars.length ? shared.subarray(scalars.length) : null
      for (const run of runs) {
        if (ofModel) run.numbers.set(ofModel, scalars.length)
        run.plan.segments[s]!(run)
      }
      if (s < last) meet(model.barriers[s]!, s, runs, shared)
    }
    for (const { plan, numbers, cells } of runs) leaveCells(lender, cells, plan.variant, numbers)
    leaveCells(lender, cells, model, shared)
    observed = runs
  }

  return {
    kernel: lender.kernel,
    ...(lender.reason === undefined ? {} : { reason: lender.reason }),
    step,
    observations: async () =>
      new Map(observed.map(({ layer, plan, numbers }) => [layer, plan.variant.observed?.(numbers) ?? []])),
    dispose() {
      observed = []
    }
  }
}

/** How many entries a pass over rows, columns, channels or elements sweeps over. */
export function sizeOf([batch, colSize, rowSize]: Matrices): number {
  return batch * colSize * rowSize
}

/** Most have a handful of numbers, for which a loop takes less than `set`. */
function startNumbers(numbers: Numbers, { start }: NumbersRecord, scalars: Float64Array): void {
  if (numbers.length > scalars.length) numbers.fill(0, scalars.length)
  for (let i = 0; i < scalars.length; i++) numbers[i] = scalars[i]!
  start?.(numbers)
}

/** Reductions over the model, in the order of the layers. */
function meet<B, V>(
  { reduces, finish }: PassModel['barriers'][number],
  barrier: number,
  runs: readonly Run<B, V>[],
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

/** To be written: the tensor's own buffer, or that of a copy, which takes its place. */
function ownBuffer<B, V>(
  lender: Lender<B, V>,
  tensor: tf.Tensor,
  inPlace: boolean,
  replace: (fresh: tf.Tensor) => void
): B {
  const own = inPlace ? lender.own(tensor) : null
  if (own !== null) return own
  const { fresh, buffer } = lender.copy(tensor)
  replace(fresh)
  return buffer
}

/** State of a layer or of the model: read into its numbers, and ready to be written. */
function ownCells<B, V>(
  lender: Lender<B, V>,
  owner: { cells: tf.Tensor | null },
  inPlace: boolean,
  { at }: NumbersRecord,
  numbers: Numbers
): B | null {
  if (!owner.cells) return null
  const cells = ownBuffer(lender, owner.cells, inPlace, (fresh) => replaceState(owner, fresh))
  numbers.set(lender.floats(cells, owner.cells.size), at)
  return cells
}

function leaveCells<B, V>(lender: Lender<B, V>, cells: B | null, { state }: NumbersRecord, numbers: Numbers): void {
  if (cells === null) return
  const values = state!(numbers)
  lender.floats(cells, values.length).set(values)
}

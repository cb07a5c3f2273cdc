/** What generated code hands to the tensorflow driver: sweeps as TensorFlow's operations, and training kernels. */
import type { Vector } from './matrices.js'
import type { Attributes, Handle, TfValue } from './tensorflow-backend.js'

/** What operations read: of the elements of a block, of the layers of a group, or of the model. */
export interface TfScope {
  /** Host scalars. */
  readonly h: Float64Array
  /** `over layer` state as the step found it, then reductions and cells of the layers as passes make them. */
  readonly cells: readonly TfValue[]
  /** `over model` state as the step found it, then reductions and cells of the model as barriers make them. */
  readonly model: readonly TfValue[]
  /** One of TensorFlow's operations. */
  op(name: string, ...args: TfValue[]): Handle
  /** The same, where one operation reads the result: it frees it. */
  once(name: string, ...args: TfValue[]): Handle
  cbrt(x: TfValue): Handle
}

/** What operations on elements read besides. */
export interface TfElements extends TfScope {
  /** A random number for each, of the `noise()` that has this number. */
  noise(site: number): Handle
}

/** Operations on the entries of a block. Buffers: 0 the weight, 1 the gradient, then slots, then scratch, then vectors. */
export interface TfSweep {
  readonly loads: readonly number[]
  readonly stores: readonly number[]
  /** Gives what to store, then the operands of what the pass reduces, then of what it gathers. */
  readonly run: (s: TfElements, ...loads: Handle[]) => TfValue[]
}

/** What a training kernel reads and writes. */
export interface TfKernels {
  /** Element by element, a buffer as it is now. */
  at(buffer: number): Handle
  /** An operation whose result a kernel reads. */
  once(name: string, ...args: TfValue[]): Handle
  /** Has a buffer begin with this. */
  fill(buffer: number, value: Handle): void
  /** The product of these as a kernel takes it: a value of a layer is a vector of one. */
  scalar(...factors: TfValue[]): TfValue
  /** Runs a training kernel on these buffers; −1 is one that nobody reads. */
  apply(name: string, buffers: readonly number[], args: readonly TfValue[], attributes?: Attributes): void
}

/** A pass that TensorFlow's training kernels do, or begin. */
export interface TfInPlace {
  /** They read a value of the layer: for a layer that is by itself. */
  readonly one?: boolean
  /** What the kernels take, in float64. Must be normal numbers, or 0. */
  readonly scalars: (s: { readonly h: Float64Array }) => number[]
  /** Pairs of scalars, β and 1 − β: the kernel forms the second in float32, so it must find it exactly. */
  readonly decays?: readonly (readonly [number, number])[]
  readonly run: (k: TfKernels, c: readonly number[], s: TfScope) => void
  /** What they leave. */
  readonly rest?: TfSweep
}

export interface TfPass {
  readonly segment: number
  /** What it sweeps over; elements unless said otherwise. */
  readonly over?: Vector
  readonly reduces?: readonly Reduce[]
  /** Reductions to one value for each row, column or channel, and the buffer where they stand then. */
  readonly gathers?: readonly (readonly [Reduce, number])[]
  /** The first whose scalars fit, if any does. */
  readonly inPlace?: readonly TfInPlace[]
  readonly sweep: TfSweep
  /** Cells that the pass completes. */
  readonly finish?: (s: TfScope) => TfValue[]
}

export interface TfVariant {
  /** What each buffer has one value of, where there are rows, columns or channels; else elements. */
  readonly overs?: readonly ('element' | Vector)[]
  readonly passes: readonly TfPass[]
  /** What the layers add to the reductions of each barrier. */
  readonly shares: readonly ((s: TfScope) => TfValue[])[]
  /** `over layer` state after the step. */
  readonly state?: (s: TfScope) => TfValue[]
  readonly observed?: (s: TfScope) => TfValue[]
}

export interface TfProgram {
  readonly variants: readonly TfVariant[]
  /** Host scalars that are the layer's key for random numbers: layers may lie in one vector though these differ. */
  readonly keys?: readonly number[]
  readonly barriers: readonly {
    readonly reduces: readonly Reduce[]
    /** The model cells that this barrier completes. */
    readonly finish?: (s: TfScope) => TfValue[]
  }[]
  /** `over model` state after the step. */
  readonly state?: (s: TfScope) => TfValue[]
}

export type Reduce = 'sum' | 'max' | 'min'

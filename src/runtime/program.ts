/**
 * What a generated class hands to the runtime: data and small functions, the same on every backend (`CompiledProgram`),
 * and one `Target` a backend. Generated files contain nothing else.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs-core'
import type { Vector } from './matrices.js'
import type { Key } from './noise.js'

/** Generated files carry this number; the runtime refuses another. */
export const FORMAT = 1

export type KernelName = 'webgpu' | 'webgl' | 'wasm' | 'cpu' | 'cpu-js' | 'tensorflow' | 'ops'

export type Range =
  | { readonly low: number; readonly lowOpen: boolean; readonly high: number; readonly highOpen: boolean }
  | { readonly values: readonly number[] }

export interface HyperSpec {
  readonly name: string
  readonly init: number | boolean
  readonly range: Range | null
  /** May be set in a group. */
  readonly groupable: boolean
}

export interface MaskSpec {
  readonly name: string
  readonly predicate: (layer: LayerInfo) => boolean
}

/** What the author's masks and the caller's functions know of a layer. */
export interface LayerInfo {
  /** "dense_Dense1/kernel" */
  readonly name: string
  readonly shape: readonly number[]
  readonly rank: number
  readonly size: number
  /** By first appearance, from 0. */
  readonly index: number
}

export interface SlotSpec {
  readonly name: string
  readonly over: 'element' | Vector | 'layer' | 'model'
  readonly place: 'host' | 'device'
}

/** What the generated host function reads. Arrays are by declaration order; bools are 1 or 0. */
export interface HostInput {
  /** Hyperparameters of this layer at this step (a group's, a schedule's), bools as 1 or 0. */
  hypers: Float64Array
  /** Mask values of this layer. */
  masks: readonly boolean[]
  /** The step, from 1. */
  t: number
  age: number
  /** Of random numbers; zeros where the program draws none. */
  key: Key
  rank: number
  size: number
  /** Of the matrices that the layer is seen as: how many, rows and columns in all, and elements of one row and one column. */
  matrices: number
  rows: number
  cols: number
  rowSize: number
  colSize: number
  modelSize: number
  modelRows: number
  modelCols: number
  modelChannels: number
  modelLayers: number
  /** Host state, `over layer` (this layer's) and `over model`, in slot order. Read by `host`, written by `advance…`. */
  layerState: Float64Array
  modelState: Float64Array
}

export interface PlanSummary {
  readonly bytesPerWeight: number
  readonly bytesCompulsory: number
  readonly provedLeast: boolean
  readonly passes: number
}

/**
 * The optimizer apart from its kernels. All arrays are in declaration order.
 */
export interface CompiledProgram {
  readonly format: number
  readonly name: string
  readonly hypers: readonly HyperSpec[]
  readonly masks: readonly MaskSpec[]
  readonly slots: readonly SlotSpec[]
  /** Names; `host[i]` gives the index into the scalars of one that lives on the host, −1 for one on the device. */
  readonly observations: readonly { readonly name: string; readonly scalar: number }[]
  /** Whether `host` reads `age`: then each layer's is saved. */
  readonly readsAge: boolean
  /** Whether `host` reads no more of a layer than its hyperparameters and masks: it says the same of all that share these. */
  readonly sharesScalars?: boolean
  /** Whether it draws random numbers: then it has an option `seed`. */
  readonly seeded?: boolean
  /** How many host scalars there are. */
  readonly scalars: number
  /** Fills `out` (float64, unrounded) from the state before this step, and returns the index of the layer's variant. */
  readonly host: (h: HostInput, out: Float64Array) => number
  /** New host `over layer` state of one layer, in place in `h.layerState`, after the step; absent when there is none. */
  readonly advanceLayer?: (h: HostInput) => void
  /** New host `over model` state, in place in `h.modelState`, once a step after all layers' `host`; absent when there is none. */
  readonly advanceModel?: (h: HostInput) => void
  /** Start values of layer and model state on host or device, by slot name; slots that are tensors are in `init`. */
  readonly initScalar: Readonly<Record<string, (h: HostInput) => number>>
  /** Start value of each slot of weights, rows, columns or channels: a number for a fill, or a tensor made from the weight. Runs in a tidy. */
  readonly init: Readonly<Record<string, (h: HostInput, weight: Tensor) => number | Tensor>>
  readonly plan: PlanSummary
}

/** One trainable tensor and all that the optimizer keeps for it. Owned by the optimizer; drivers replace tensors in it. */
export interface Layer {
  readonly variable: Variable
  readonly info: LayerInfo
  /** Steps this layer has taken part in. */
  age: number
  /**
   * One tensor a slot of weights, rows, columns or channels, float32, in slot order: of the variable's shape, or [rows], [cols] or [channels].
   * Kept (`tf.keep`).
   */
  slots: Tensor[]
  /** `over layer` slots on the device, float32 [count]; null when there are none. */
  cells: Tensor | null
  /** `over layer` slots on the host. */
  readonly host: Float64Array
}

/** A layer in one step. Everything is validated before a driver sees it. */
export interface StepLayer {
  readonly layer: Layer
  /** float32, the variable's shape. Never written. */
  readonly gradient: Tensor
  readonly variant: number
  /** Host scalars, float64. The driver rounds. Valid during the call only. */
  readonly scalars: Float64Array
}

export interface Step {
  /** In order of the layers' first appearance; at least one, and none is empty or lacks a gradient. */
  readonly layers: readonly StepLayer[]
  /** Host scalars of the model, for model cells. Equal in every layer where a model cell reads them. */
  readonly scalars: Float64Array
  readonly model: ModelState
  /** False: each step writes fresh arrays. */
  readonly inPlace: boolean
  /** Nobody else was ever given the tensors of state: they are where the last step left them. */
  readonly stateIsPrivate?: boolean
}

export interface ModelState {
  /** `over model` slots on the device, float32 [count]; null when there are none. */
  cells: Tensor | null
}

/** Runs steps on one backend. `step` must not throw for anything a user did: that was checked before. */
export interface Driver {
  readonly kernel: KernelName
  /** Why it is slower than this backend's best, where it is: WebAssembly refused. A whole sentence. */
  readonly reason?: string
  /** What became of the device, once it is gone with all that was on it: "the WebGL context was lost". Else null. */
  lost?(): string | null
  step(step: Step): void
  /** Device observations of the last step, by layer: one number an observation that lives on the device, in order. */
  observations(): Promise<ReadonlyMap<Layer, ArrayLike<number>>>
  dispose(): void
}

/** A backend's kernels in a generated file. `open` returns a driver for the current backend, or says why it can't. */
export interface Target {
  /** The tfjs backend name that it serves; '*' serves any. */
  readonly backend: string
  /** Called when an optimizer is made, whatever the current backend is: for what must be known by its first step. */
  attend?(): void
  open(program: CompiledProgram): Driver | string
}

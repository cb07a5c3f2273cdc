/** What an optimizer keeps: where each slot lives, how it starts, how host numbers are shown as tensors. */
import * as tf from '@tensorflow/tfjs-core'
import { matricesOf, type Vector, viewOf } from './matrices.js'
import type { CompiledProgram, HostInput, ModelState, SlotSpec } from './program.js'

/** The slots by where they live, in order. */
export interface Layout {
  /** Slots that are a tensor: of weights, rows, columns or channels. */
  readonly tensors: readonly TensorSlot[]
  readonly layerCells: readonly string[]
  readonly layerHost: readonly string[]
  readonly modelCells: readonly string[]
  readonly modelHost: readonly string[]
}

export interface TensorSlot {
  readonly name: string
  readonly over: 'element' | Vector
}

/** The shape of a slot of a layer. */
export function slotShape(shape: readonly number[], over: TensorSlot['over']): number[] {
  return over === 'element' ? [...shape] : [viewOf(matricesOf(shape), over).reduce((a, b) => a * b, 1)]
}

/** Of one layer. */
export interface LayerState {
  age: number
  slots: tf.Tensor[]
  cells: tf.Tensor | null
  readonly host: Float64Array
  /** `host` (and `age`, where it is saved) as a tensor. */
  readonly shown: Shown
}

/** Of the model. */
export interface ModelValues extends ModelState {
  readonly host: Float64Array
  readonly shown: Shown
}

/** Whole numbers as a tensor, for whoever saves. Remade when they change only, so that saving holds on to nothing. */
export interface Shown {
  values: Int32Array
  tensor: tf.Tensor | null
}

export function layOut({ slots }: CompiledProgram): Layout {
  const names = (over: SlotSpec['over'], place: SlotSpec['place']) =>
    slots.filter((slot) => slot.over === over && slot.place === place).map((slot) => slot.name)
  return {
    tensors: tensorSlots(slots),
    layerCells: names('layer', 'device'),
    layerHost: names('layer', 'host'),
    modelCells: names('model', 'device'),
    modelHost: names('model', 'host')
  }
}

export function tensorSlots(slots: readonly SlotSpec[]): readonly TensorSlot[] {
  return slots.filter((slot): slot is SlotSpec & TensorSlot => slot.over !== 'layer' && slot.over !== 'model')
}

/** The start of a layer. In a tidy; nothing is kept yet, so that a step that fails leaves nothing behind. */
export function startLayer(program: CompiledProgram, layout: Layout, weight: tf.Tensor, input: HostInput): LayerState {
  const { init, initScalar } = program
  return {
    ...emptyLayer(),
    slots: layout.tensors.map(({ name, over }) => startSlot(init[name]!(input, weight), weight, over)),
    cells: startCells(layout.layerCells, initScalar, input),
    host: Float64Array.from(layout.layerHost, (name) => initScalar[name]!(input))
  }
}

export function emptyLayer(): LayerState {
  return { age: 0, slots: [], cells: null, host: new Float64Array(0), shown: nothingShown() }
}

/** The start of the model. In a tidy, as `startLayer`. */
export function startModel({ initScalar }: CompiledProgram, layout: Layout, input: HostInput): ModelValues {
  return {
    cells: startCells(layout.modelCells, initScalar, input),
    host: Float64Array.from(layout.modelHost, (name) => initScalar[name]!(input)),
    shown: nothingShown()
  }
}

function startSlot(value: number | tf.Tensor, weight: tf.Tensor, over: TensorSlot['over']): tf.Tensor {
  if (typeof value === 'number') return tf.fill(slotShape(weight.shape, over), value)
  // A slot that starts as the weight must not share its memory.
  return value.dataId === weight.dataId ? tf.mul(value, 1) : value
}

function startCells(names: readonly string[], init: CompiledProgram['initScalar'], input: HostInput): tf.Tensor | null {
  return names.length === 0 ? null : tf.tensor1d(names.map((name) => init[name]!(input)))
}

/** The tensors that it holds. */
export function tensorsOf(state: LayerState | ModelValues): tf.Tensor[] {
  return [...('slots' in state ? state.slots : []), ...(state.cells ? [state.cells] : [])]
}

export function disposeState(state: LayerState | ModelValues): void {
  tf.dispose([...tensorsOf(state), ...(state.shown.tensor ? [state.shown.tensor] : [])])
}

export function nothingShown(): Shown {
  return { values: new Int32Array(0), tensor: null }
}

export function show(shown: Shown, values: Int32Array, shape: number[]): tf.Tensor {
  if (!shown.tensor || shown.tensor.isDisposed || values.some((x, i) => x !== shown.values[i])) {
    shown.tensor?.dispose()
    shown.values = values
    shown.tensor = tf.keep(tf.tensor(values.slice(), shape, 'int32'))
  }
  return shown.tensor
}

/** Float64 as pairs of int32: its bits, which a weight file keeps exactly. */
export function bitsOf(values: readonly number[]): Int32Array {
  return new Int32Array(Float64Array.from(values).buffer)
}

export function fromBits(bits: Int32Array): Float64Array {
  return new Float64Array(bits.slice().buffer)
}

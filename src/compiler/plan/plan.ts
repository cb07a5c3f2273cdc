/**
 * The Plan: the waist of the compiler. What to compute, where, in which sweep over memory. Emitters turn it into text and
 * decide nothing; `optc explain` prints it; `evaluate.ts` runs it.
 *
 * One step of the optimizer, by the Plan:
 *
 *   host: for every layer that takes part, compute `scalars` (float64) and `conditions`; these pick the layer's variant
 *   for segment = 0 … barriers.length:
 *     for every layer: the passes of its variant with that segment, in order, each followed by its finish
 *     then, if segment < barriers.length: the model reductions of barriers[segment], and its model cells
 *   last: commit layer and model state
 *
 * A *pass* is one sweep over a layer's elements, its rows or its columns (its *domain*): all loads of an entry before its
 * stores. A pass over elements may load what has one value a row or a column. A *reduction* gathers one number from a pass,
 * or one a row or a column. A *cell* is a device scalar made from reductions, host scalars, cells and state: computed once,
 * after the pass (or barrier) that completes it, and read by later passes as if it were a host scalar.
 */
import type { Over, Varying } from '../check/axes.js'
import type { Node, Program } from '../check/program.js'

/** A node that is a reduction. */
export type ReduceNode = Extract<Node, { readonly over: Over }>

/** What a target can do. Targets differ only in this data. */
export interface Abilities {
  readonly target: string
  /** A pass that stores may also reduce. */
  readonly reducesInPass: boolean
  /** A pass may store where it loads. */
  readonly inPlace: boolean
  /** Tensors that one pass may touch (loads and stores; one that is both counts once in place, else twice). */
  readonly maxBuffers: number
  /** Tensors that one pass may store. */
  readonly maxOutputs: number
  /** Numbers that one pass may reduce to. */
  readonly maxReductions: number
  /**
   * Tensors that one pass may load, those of rows, columns and channels among them, which no search spares. A program that
   * needs more is not compiled for the target: a driver for any backend runs it.
   */
  readonly maxLoads: number
  /**
   * Between computing a value again and keeping it in scratch, where both move the same: arithmetic is hidden behind memory,
   * so that it computes.
   */
  readonly recomputes: boolean
}

/** Something a pass loads or stores, one value per weight. `slot`: by its name. `scratch`: a stored intermediate. */
export type Buffer =
  | { readonly kind: 'weight' }
  | { readonly kind: 'gradient' }
  /** One value per weight, row or column, as the slot is declared. */
  | { readonly kind: 'slot'; readonly name: string }
  | { readonly kind: 'scratch'; readonly index: number }
  /** One value per row or column, that a pass stored or gathered. Index into `Variant.vectors`. */
  | { readonly kind: 'vector'; readonly index: number }

export interface Store {
  readonly to: Buffer
  readonly value: Node
}

export interface Reduction {
  /** The `sum`, `max` or `min` node. Over the model: gathered per layer by the pass, then over layers at the barrier. */
  readonly node: ReduceNode
  /** Its operand, as this variant sees it (host conditions decided), of the level that the pass sweeps over. */
  readonly value: Node
}

/** A device scalar that later passes read, or that state or an observation takes. Index into `Variant.cells` or `Plan.modelCells`. */
export interface Cell {
  readonly node: Node
  /** Printed in kernels: the author's name where there is one. */
  readonly name: string
}

export interface Pass {
  /** What it sweeps over. Only passes over elements are counted in bytes a weight. */
  readonly domain: Varying
  /** How many barriers come before it. */
  readonly segment: number
  /** In a fixed order: weight, gradient, slots as declared, scratch, vectors. */
  readonly loads: readonly Buffer[]
  /**
   * Nodes that this pass reads from a buffer instead of computing. Weight, gradient and slot leaves before their store;
   * afterwards the stored value (`m*`) reads from the slot; a scratch value from scratch. Whatever else a store or
   * reduction needs, and varies as the pass does, is computed in the pass: what has one value a row or a column is computed
   * by a pass over these, and read by one over elements. A device scalar is a cell, a cell of the model, state as the step finds it,
   * or made of these: what is there from the start, and what a barrier completes for each layer, has no cell.
   */
  readonly reads: readonly { readonly node: Node; readonly from: Buffer }[]
  readonly stores: readonly Store[]
  readonly reductions: readonly Reduction[]
  /** Cells (indices into `Variant.cells`) that are computed after this pass, in order. */
  readonly finish: readonly number[]
}

/** The passes of a layer for one assignment of the host conditions. */
export interface Variant {
  readonly passes: readonly Pass[]
  readonly cells: readonly Cell[]
  /** How many scratch buffers are alive. */
  readonly scratch: number
  /** Values of a row or a column that later passes read. A reduction is gathered here, by the pass that has it. */
  readonly vectors: readonly Cell[]
  /**
   * What the layer adds to those reductions over the model that none of its passes gathers: of one value a layer, or of an
   * operand that is the same for all elements of this variant.
   */
  readonly shares: readonly { readonly node: ReduceNode; readonly value: Node }[]
  /** Values at the end of the step: `over layer` device slots, and observations on the device (others are host scalars). */
  readonly layerState: readonly { readonly slot: string; readonly value: Node }[]
  readonly observations: readonly { readonly name: string; readonly value: Node }[]
  readonly bytesPerWeight: number
  readonly bytesCompulsory: number
  readonly provedLeast: boolean
}

/** Between two segments: every layer has run its passes; now values over the model are made. */
export interface Barrier {
  readonly reductions: readonly ReduceNode[]
  /** Indices into `Plan.modelCells`. */
  readonly finish: readonly number[]
}

export interface Plan {
  readonly program: Program
  readonly abilities: Abilities
  /**
   * Host values that kernels, cells or model cells read, in the order of the scalars array. Rounded to float32 where a
   * kernel reads them. A bool is 1 or 0.
   */
  readonly scalars: readonly { readonly node: Node; readonly name: string }[]
  /** Host bools that pick the variant: condition i is bit i of its index. */
  readonly conditions: readonly Node[]
  /** 2^conditions.length entries, by index; equal variants are the same object. */
  readonly variants: readonly Variant[]
  readonly barriers: readonly Barrier[]
  readonly modelCells: readonly Cell[]
  /** `over model` device slots at the end of the step. */
  readonly modelState: readonly { readonly slot: string; readonly value: Node }[]
  /** Host slots (over layer or model), updated in float64 before the first pass. */
  readonly hostState: readonly { readonly slot: string; readonly value: Node }[]
  /** The largest over variants. */
  readonly bytesPerWeight: number
  readonly bytesCompulsory: number
  /** All variants proved. */
  readonly provedLeast: boolean
}

/** Targets that reduce in the pass that computes the operand, in place, with no limit that matters. The figures of `explain`. */
export const IDEAL: Abilities = {
  target: 'ideal',
  reducesInPass: true,
  inPlace: true,
  maxBuffers: Infinity,
  maxOutputs: Infinity,
  maxReductions: Infinity,
  maxLoads: Infinity,
  recomputes: true
}

/**
 * The typed program: one optimizer after checking. Functions, schedules and transforms are inlined, statements are in
 * static single assignment, and what is left is one shared graph of values. A program is: what each slot starts as, what
 * the weight and each slot become in a step, and what is observed.
 *
 * Every node knows its level (what it varies with), its place (host: float64; device: float32) and its kind.
 * See docs/language.md for the rules.
 */
import type { Span } from '../syntax/ast.js'

/** In order; `channel` is below `col`, and `row` and either of them are incomparable and join to `element`. */
export type Level = 'const' | 'config' | 'step' | 'model' | 'layer' | 'row' | 'channel' | 'col' | 'element'
export type Place = 'host' | 'device'
export type Kind = 'number' | 'bool'

export type Unary = 'neg' | 'abs' | 'sign' | 'sqrt' | 'rsqrt' | 'cbrt' | 'exp' | 'log' | 'floor' | 'tanh' | 'not'
export type Binary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'max'
  | 'min'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'eq'
  | 'ne'
  | 'and'
  | 'or'
export type Reduce = 'sum' | 'max' | 'min'

/**
 * Of the layer: `rank`, `size` (elements), `matrices`, `rows` and `cols` (of all of them), `rowSize` and `colSize` (elements
 * of one), `age` (its own step count, from 1). Of the model, over the layers that take part in this step: `modelSize`
 * (elements), `modelRows`, `modelCols`, `modelChannels` and `modelLayers`.
 */
export type Fact =
  | 'rank'
  | 'size'
  | 'matrices'
  | 'rows'
  | 'cols'
  | 'rowSize'
  | 'colSize'
  | 'age'
  | 'modelSize'
  | 'modelRows'
  | 'modelCols'
  | 'modelChannels'
  | 'modelLayers'

/** What an operation is, apart from its operands. norm, mean, rms, dot and clamp are written with these. */
export type Op =
  | { readonly op: 'const'; readonly value: number | boolean }
  /** Hyperparameter by its external name. Level config (a schedule or a group raises it when the optimizer runs). */
  /** `grouped`: a group may set it, so what is made from it may differ from layer to layer. Said in a Plan. */
  | { readonly op: 'hyper'; readonly name: string; readonly grouped?: true }
  /** The optimizer's step count, from 1. */
  | { readonly op: 'step' }
  | { readonly op: 'fact'; readonly name: Fact }
  /** The layer's name against a regular expression (masks only). */
  | { readonly op: 'match'; readonly pattern: string; readonly flags: string }
  /** The value of a mask for the layer (its predicate, or what the caller put in its place). */
  | { readonly op: 'mask'; readonly name: string }
  /** The weight, the gradient, a slot (by its `Slot.name`): at the start of the step. */
  | { readonly op: 'weight' }
  | { readonly op: 'gradient' }
  | { readonly op: 'slot'; readonly name: string }
  /**
   * 16 bits of the layer's random key in this step, which comes of the seed, the step and the layer's name. On the host, and
   * so short that a float32 holds them.
   */
  | { readonly op: 'key'; readonly word: 0 | 1 | 2 | 3 }
  /** A random number of [0, 1), one an element: args are the key, and `site` is the `noise()` that it stands for. */
  | { readonly op: 'noise'; readonly site: number }
  | { readonly op: Unary }
  | { readonly op: Binary }
  /** args: condition, then, otherwise. */
  | { readonly op: 'select' }
  /**
   * args: operand, which varies below what it is reduced to. Over the layer: an element, or one value a row, a column or a
   * channel, each counted once. Over rows, columns or channels: what has axes that these have not. Over the model: also one
   * value a layer.
   */
  | { readonly op: Reduce; readonly over: 'layer' | 'model' | 'row' | 'col' | 'channel' }

export type Node = Op & {
  /** Operands have smaller ids. Equal nodes are one node (hash-consed within a graph). */
  readonly id: number
  readonly args: readonly Node[]
  readonly kind: Kind
  readonly level: Level
  readonly place: Place
}

/** The bounds a hyperparameter must keep. */
export type HyperRange =
  | {
      readonly kind: 'interval'
      readonly low: number
      readonly lowOpen: boolean
      readonly high: number
      readonly highOpen: boolean
    }
  | { readonly kind: 'set'; readonly values: readonly number[] }

export interface Hyper {
  /** What a caller writes: `learningRate`. */
  readonly name: string
  /** What the author writes: `lr`, `β1`. */
  readonly symbol: string
  readonly kind: Kind
  readonly init: number | boolean
  /** null: any finite number (or a bool). */
  readonly range: HyperRange | null
  readonly doc: string
  /** False if it reaches a model-level value or state: then it can't be set in a group. */
  readonly groupable: boolean
}

export interface Mask {
  readonly name: string
  readonly predicate: Node
  readonly doc: string
}

export interface Slot {
  /** Unique in the optimizer; a slot of the n-th use of a transform is `transform_slot` or `transformN_slot`. */
  readonly name: string
  /** What it holds one value of. */
  readonly over: 'element' | 'layer' | 'model' | 'row' | 'col' | 'channel'
  /** Host: `layer` or `model` state that only host values update. */
  readonly place: Place
  readonly init: Node
  /** Its value after the step; the slot's own leaf when it is never updated. */
  readonly next: Node
  readonly doc: string
}

export interface Observation {
  readonly name: string
  /** Level at most `layer`. Host or device. */
  readonly value: Node
}

/** What the author claims, and tests hold it to. Nothing of it is compiled. */
export interface Law {
  readonly name: string
  readonly doc: string
  /** "g -> 8 * g, lr -> lr / 8" */
  readonly text: string
}

/** A local of `step` or an update, kept so that `explain` and generated code can name values as the author does. */
export interface NamedValue {
  readonly name: string
  readonly node: Node
  /** The statement that made it, from the name to the end of the expression. */
  readonly span: Span
}

export interface Program {
  readonly name: string
  readonly doc: string
  /** The author's symbols for the weight, the gradient and the step. */
  readonly symbols: { readonly weight: string; readonly gradient: string; readonly step: string }
  readonly hypers: readonly Hyper[]
  readonly masks: readonly Mask[]
  readonly slots: readonly Slot[]
  readonly observations: readonly Observation[]
  /** The weight after the step. */
  readonly weight: Node
  /** Whether there is a `noise()` in it, and so an option `seed`: also where nothing comes of its numbers. */
  readonly seeded: boolean
  readonly names: readonly NamedValue[]
  readonly laws: readonly Law[]
  /** The source text, for generated comments: the formula beside the kernel. */
  readonly source: string
}

/** A schedule of a file: also exported from the generated module as a factory with named arguments. */
export interface Schedule {
  readonly name: string
  readonly doc: string
  /** Parameters become `hyper` leaves of that name in `body`; `t` is the `step` leaf. */
  readonly params: readonly { readonly name: string; readonly init: number | boolean | null }[]
  readonly body: Node
}

/** What checking one file gives. */
export interface CheckedFile {
  readonly optimizers: readonly Program[]
  readonly schedules: readonly Schedule[]
}

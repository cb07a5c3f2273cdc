/**
 * The syntax tree of a `.opt` file: what the author wrote, nothing inferred. Every node has the span it came from.
 * Names are NFC-normalised; spans are offsets into the text as it was read.
 */

/** Half-open range of UTF-16 offsets into one file. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Name extends Span {
  readonly text: string
}

/** One file. `path` is what diagnostics print; imports stand first, then declarations in any order. */
export interface File {
  readonly path: string
  readonly source: string
  readonly imports: readonly ImportDecl[]
  readonly declarations: readonly Declaration[]
}

export type Declaration = OptimizerDecl | FnDecl | ScheduleDecl | TransformDecl

/** `import { a, b } from "./file.opt"` */
export interface ImportDecl extends Span {
  readonly kind: 'import'
  readonly names: readonly Name[]
  /** The text between the quotes; the span is that of the string token, quotes included. */
  readonly from: Name
}

/** The text of the `///` lines before a declaration, without the slashes; '' when there are none. */
export type Doc = string

export interface OptimizerDecl extends Span {
  readonly kind: 'optimizer'
  readonly doc: Doc
  readonly name: Name
  readonly hypers: readonly HyperDecl[]
  readonly masks: readonly MaskDecl[]
  readonly states: readonly StateDecl[]
  /** `use` items outside `step`, in the order written. */
  readonly uses: readonly UseItem[]
  /** Every `step` written: the checker wants exactly one. */
  readonly steps: readonly StepDecl[]
  readonly laws: readonly LawDecl[]
}

/** `hyper EXTERNAL as SYMBOL = DEFAULT in RANGE`; without `as`, `symbol` is `external`. */
export interface HyperDecl extends Span {
  readonly kind: 'hyper'
  readonly doc: Doc
  readonly external: Name
  readonly symbol: Name
  readonly init: Expr
  readonly range: Range | null
}

export type Range = IntervalRange | SetRange

/** `(0, inf)`, `[0, 1)` */
export interface IntervalRange extends Span {
  readonly kind: 'interval'
  readonly low: Expr
  readonly lowOpen: boolean
  readonly high: Expr
  readonly highOpen: boolean
}

/** `{1, 2, 4}` */
export interface SetRange extends Span {
  readonly kind: 'set'
  readonly values: readonly Expr[]
}

export interface MaskDecl extends Span {
  readonly kind: 'mask'
  readonly doc: Doc
  readonly name: Name
  readonly predicate: Expr
}

/** What a reduction ranges over, or what a slot holds one value of. Absent (`null`): per weight for state, over the layer for a reduction. */
export type Over = 'layer' | 'model' | 'rows' | 'cols' | 'channels'

export interface StateDecl extends Span {
  readonly kind: 'state'
  readonly doc: Doc
  readonly name: Name
  readonly over: Over | null
  readonly init: Expr
}

/** `use transform(args)` or, as a statement, `use transform(args) on (name, …)`; `on` is null where it was left out. */
export interface UseItem extends Span {
  readonly kind: 'use'
  readonly transform: Name
  readonly args: readonly Argument[]
  readonly on: readonly Name[] | null
}

export interface StepDecl extends Span {
  readonly kind: 'step'
  /** The symbols the author picked for the weight, the gradient and (if a third is there) the step. */
  readonly params: readonly Name[]
  readonly body: readonly Statement[]
}

/** `law NAME: x -> expression, … if condition`; without `if`, `condition` is null. */
export interface LawDecl extends Span {
  readonly kind: 'law'
  readonly doc: Doc
  readonly name: Name
  readonly replacements: readonly Replacement[]
  readonly condition: Expr | null
}

/** `x -> expression` */
export interface Replacement extends Span {
  readonly name: Name
  readonly value: Expr
}

export type Statement = LocalStatement | UpdateStatement | UseItem | ObserveStatement

/** `name = expression` */
export interface LocalStatement extends Span {
  readonly kind: 'local'
  readonly name: Name
  readonly value: Expr
}

/** `name := expression` */
export interface UpdateStatement extends Span {
  readonly kind: 'update'
  readonly name: Name
  readonly value: Expr
}

/** `observe expression as NAME` */
export interface ObserveStatement extends Span {
  readonly kind: 'observe'
  readonly value: Expr
  readonly name: Name
}

/** `fn f(a, b) = expression` */
export interface FnDecl extends Span {
  readonly kind: 'fn'
  readonly doc: Doc
  readonly name: Name
  readonly params: readonly Param[]
  readonly body: Expr
}

/** `schedule s(arg = default, …) = expression in t` */
export interface ScheduleDecl extends Span {
  readonly kind: 'schedule'
  readonly doc: Doc
  readonly name: Name
  readonly params: readonly Param[]
  readonly body: Expr
}

/** `transform f(arg = default) on (g, w) { state …; g := … }` */
export interface TransformDecl extends Span {
  readonly kind: 'transform'
  readonly doc: Doc
  readonly name: Name
  readonly params: readonly Param[]
  readonly on: readonly Name[]
  readonly masks: readonly MaskDecl[]
  readonly states: readonly StateDecl[]
  readonly body: readonly Statement[]
}

export interface Param extends Name {
  readonly init: Expr | null
}

/** `f(x, beta = 0.9)`: positional first, then named. */
export interface Argument extends Span {
  readonly name: Name | null
  readonly value: Expr
}

export type Expr =
  | NumberExpr
  | BoolExpr
  | NameExpr
  | UnaryExpr
  | BinaryExpr
  | MatchExpr
  | IfExpr
  | CallExpr
  | NormExpr
  | ErrorExpr

/** A decimal literal, or `inf`. */
export interface NumberExpr extends Span {
  readonly kind: 'number'
  readonly value: number
}

export interface BoolExpr extends Span {
  readonly kind: 'bool'
  readonly value: boolean
}

export interface NameExpr extends Span {
  readonly kind: 'name'
  readonly text: string
}

export type UnaryOp = '-' | 'not' | '√'
export type BinaryOp = '+' | '-' | '*' | '/' | '^' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or'

/** `√x` is the call `sqrt(x)` in symbols; `x²` is a BinaryExpr `^` whose right side is a NumberExpr 2 spanning the `²`. */
export interface UnaryExpr extends Span {
  readonly kind: 'unary'
  readonly op: UnaryOp
  readonly arg: Expr
}

export interface BinaryExpr extends Span {
  readonly kind: 'binary'
  readonly op: BinaryOp
  readonly left: Expr
  readonly right: Expr
}

/** `name ~ /re/i` */
export interface MatchExpr extends Span {
  readonly kind: 'match'
  readonly subject: Expr
  readonly pattern: string
  readonly flags: string
}

export interface IfExpr extends Span {
  readonly kind: 'if'
  readonly condition: Expr
  readonly then: Expr
  readonly otherwise: Expr
}

/** A built-in function, a reduction, or the author's fn or schedule. `over` is what stood after `over`, if anything did. */
export interface CallExpr extends Span {
  readonly kind: 'call'
  readonly callee: Name
  readonly args: readonly Argument[]
  readonly over: Over | null
}

/** `‖x‖`, `‖x over model‖` */
export interface NormExpr extends Span {
  readonly kind: 'norm'
  readonly arg: Expr
  readonly over: Over | null
}

/** Stands where the parser recovered from a mistake it has reported; later rooms skip it quietly. */
export interface ErrorExpr extends Span {
  readonly kind: 'error'
}

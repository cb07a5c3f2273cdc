/** Names: what is bound to them, and what the body that reads them may see. */
import type { Diagnostic } from '../diagnostics.js'
import type { Declaration, Name, Span } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'
import type { Graph } from './graph.js'
import type { Slot } from './program.js'
import type { Maybe } from './value.js'

/** Something that has a value and may get another. */
export interface Cell {
  value: Maybe
  /** What it is before the first statement; only what has such a value can be read by a start value. */
  readonly start: Maybe
  /** What it holds one value of: values of higher levels don't fit. null: whatever it is given (a local). */
  readonly holds: Slot['over'] | null
  /** Set when a device value goes in, whatever comes after. */
  onDevice: boolean
  updated: boolean
}

export type ValueKind = 'hyper' | 'mask' | 'state' | 'weight' | 'gradient' | 'local' | 'step' | 'parameter' | 'subject'

export interface ValueBinding {
  readonly kind: ValueKind
  readonly name: Name
  readonly cell: Cell
  read: boolean
}

export interface DeclaredBinding {
  readonly kind: 'declared'
  readonly name: Name
  readonly declaration: Declaration
  /** The file that declares it. */
  readonly module: Module
  read: boolean
}

/** A name whose meaning is not known, which has been reported: an import that could not be had, a name bound twice. */
export interface MissingBinding {
  readonly kind: 'missing'
  readonly name: Name
  read: boolean
}

export type Binding = ValueBinding | DeclaredBinding | MissingBinding

/** What an expression stands in: that decides what it may read. */
export type Where = 'constant' | 'mask' | 'init' | 'schedule' | 'function' | 'step' | 'law' | 'condition'

/** What one run of the checker knows of all files. */
export interface World {
  namespaceOf(module: Module): ReadonlyMap<string, Binding>
  /** Whether a function, schedule or transform is free of errors of its own, and so may be inlined. */
  isSound(declaration: Declaration): boolean
  /** Whether the parser read all of it: if not, what seems to be missing may be there. */
  isWhole(module: Module): boolean
}

/** How much inlining and nesting are left to the declaration that is being checked, and whether it was understood. */
export interface Budget {
  expressions: number
  nesting: number
  exhausted: boolean
  /** A name was not known, or an argument missing: what seems to be unused may have been meant. */
  puzzled: boolean
}

export interface Frame {
  readonly world: World
  readonly graph: Graph
  readonly module: Module
  readonly where: Where
  /** What it stands in, as messages say it: "the mask `adapt`". */
  readonly subject: string
  /** What this body binds. The language's names and the file's stand behind them. */
  readonly names: Map<string, Binding>
  /** Locals of the body that may not be bound yet, with their place. */
  readonly later: ReadonlyMap<string, Span>
  /** Names that are not known here because something has another name: `learningRate` → `lr`. */
  readonly aliases: ReadonlyMap<string, string>
  readonly found: Diagnostic[]
  readonly budget: Budget
  /** How many inlined bodies this one stands in. */
  readonly depth: number
}

export const cellOf = (value: Maybe, holds: Cell['holds'] = null, start: Maybe = null): Cell => ({
  value,
  start,
  holds,
  onDevice: value?.place === 'device',
  updated: false
})

/** A cell for something that never changes: a hyperparameter, a mask, the step. */
export const fixed = (value: Maybe): Cell => cellOf(value, null, value)

export const bindingOf = (kind: ValueKind, name: Name, cell: Cell): ValueBinding => ({ kind, name, cell, read: false })

/** Reports a problem in this frame's file. */
export function report<A>(
  frame: Frame,
  problem: (path: string, span: Span, values: A) => Diagnostic,
  span: Span,
  values: A
): void {
  frame.found.push(problem(frame.module.file.path, { start: span.start, end: span.end }, values))
}

/** What stands at a span, on one line, short enough for a sentence. */
export function textOf(frame: Frame, span: Span): string {
  const text = frame.module.file.source.slice(span.start, span.end).replace(/\s+/g, ' ').trim()
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`
}

const KINDS: Readonly<Record<ValueKind, string>> = {
  hyper: 'a hyperparameter',
  mask: 'a mask',
  state: 'state',
  weight: 'the weight',
  gradient: 'the gradient',
  local: 'a local',
  step: 'the step',
  parameter: 'a parameter',
  subject: 'what the transform works on'
}

const DECLARED = { optimizer: 'an optimizer', fn: 'a function', schedule: 'a schedule', transform: 'a transform' }

/** "a hyperparameter", "a function": what a name stands for. */
export function describe(binding: Binding): string {
  if (binding.kind === 'declared') return DECLARED[binding.declaration.kind]
  return binding.kind === 'missing' ? 'an import' : KINDS[binding.kind]
}

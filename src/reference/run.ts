/** Runs the statements of a step: uses first, then the lines as they stand. */
import type { Expr, OptimizerDecl, Statement, TransformDecl, UseItem } from '../compiler/syntax/ast.js'
import { bind, bools, type Cell, evaluate, numbers, type Scope, scopeOf } from './expression.js'
import { maskName, type Slot, type Stage } from './stage.js'
import { truth } from './truth.js'
import { onDevice, spread, type Value } from './value.js'

export interface Recorded {
  readonly name: string
  readonly value: Value
}

interface Run {
  readonly state: ReadonlyMap<Slot, Cell>
  readonly weight: Cell
  readonly gradient: Cell
  /** What a `use` works on that names nothing: the gradient and the weight, or what the transform around it works on. */
  readonly subjects: readonly Cell[]
  /** Which slot a cell is, if it is one. */
  readonly slotOf: ReadonlyMap<Cell, Slot>
  readonly trace: Recorded[]
  readonly observations: Recorded[]
}

/** One step. The cells of weight, gradient and state hold what they become. */
export function runStep(
  stage: Stage<OptimizerDecl>,
  scope: Scope,
  state: ReadonlyMap<Slot, Cell>,
  weight: Cell,
  gradient: Cell
): { trace: readonly Recorded[]; observations: readonly Recorded[] } {
  const slotOf = new Map([...state].map(([slot, cell]) => [cell, slot]))
  const run: Run = { state, weight, gradient, subjects: [gradient, weight], slotOf, trace: [], observations: [] }
  const { uses, steps } = stage.declaration
  runStatements([...uses, ...steps[0]!.body], stage, scope, run)
  return run
}

function declareState(stage: Stage, scope: Scope, run: Run): void {
  for (const slot of stage.slots) scope.names.set(slot.declaration.name.text, run.state.get(slot)!)
}

function runStatements(statements: readonly Statement[], stage: Stage, scope: Scope, run: Run): void {
  for (const statement of statements) {
    switch (statement.kind) {
      case 'local': {
        const value = evaluate(statement.value, scope)
        scope.names.set(statement.name.text, { value })
        run.trace.push({ name: traced(stage, statement.name.text), value })
        break
      }
      case 'update': {
        const cell = scope.names.get(statement.name.text)
        if (!cell) throw new Error(`unknown name ${statement.name.text}`)
        update(cell, evaluate(statement.value, scope), scope, run)
        run.trace.push({ name: traced(stage, statement.name.text), value: cell.value })
        break
      }
      case 'observe':
        run.observations.push({ name: statement.name.text, value: evaluate(statement.value, scope) })
        break
      case 'use':
        runUse(statement, stage.uses.get(statement)!, scope, run)
    }
  }
}

/** A name inside of a transform's use is told apart from the optimizer's own, as its slots are. */
const traced = ({ own }: Stage, name: string): string => (own === '' ? name : `${own}_${name}`)

/** A slot, the weight and the gradient keep their level and place; a local takes those of its new value. */
function update(cell: Cell, value: Value, scope: Scope, run: Run): void {
  const slot = run.slotOf.get(cell)
  const v = numbers(value)
  if (slot && v.place === 'device') slot.place = 'device'
  const onTheDevice = slot ? slot.place === 'device' : cell === run.weight || cell === run.gradient
  const level = slot?.over ?? (onTheDevice ? 'element' : v.level)
  cell.value = spread(scope.extent, onTheDevice ? onDevice(scope.extent, v) : v, level)
}

function runUse(use: UseItem, stage: Stage<TransformDecl>, scope: Scope, run: Run): void {
  const { inner, subjects } = enter(use, stage, scope, run.subjects, (e) => ({ value: evaluate(e, scope) }))
  declareState(stage, inner, run)
  runStatements(stage.declaration.body, stage, inner, { ...run, subjects })
}

/** A transform's own scope: its arguments, what it works on, its masks. */
function enter(
  use: UseItem,
  stage: Stage<TransformDecl>,
  scope: Scope,
  around: readonly Cell[],
  cellOf: (e: Expr, scope: Scope) => Cell
): { inner: Scope; subjects: readonly Cell[] } {
  const inner = scopeOf(scope, stage.module)
  bind(stage.declaration.params, use.args, scope, inner, cellOf)
  const subjects = stage.declaration.on.map((name, i) => {
    const target = use.on?.[i]
    const cell = target ? scope.names.get(target.text) : around[i]
    // Before the step there are no locals yet, and no start value reads one.
    if (cell) inner.names.set(name.text, cell)
    return cell
  })
  declareMasks(stage, inner)
  return { inner, subjects: subjects.filter((cell) => cell !== undefined) }
}

/** A mask is what its predicate says of a layer, or what the caller put in its place. */
export function declareMasks(stage: Stage, scope: Scope): void {
  for (const mask of stage.declaration.masks) {
    const predicate = bools(evaluate(mask.predicate, scope))
    const name = maskName(stage, mask)
    const of = scope.layers.map(({ masks }, i) => [truth(masks[name] ?? predicate.of[i]![0]!.value)])
    scope.names.set(mask.name.text, { value: { kind: 'bool', level: 'layer', place: 'host', of } })
  }
}

/** What each slot holds when its layer, or the model, first takes part: before any `use` or statement. */
export function startOf(
  stage: Stage,
  scope: Scope,
  subjects: readonly Cell[],
  values: Map<Slot, Value> = new Map()
): Map<Slot, Value> {
  for (const slot of stage.slots) {
    const v = numbers(evaluate(slot.declaration.init, scope))
    const placed = slot.place === 'device' ? onDevice(scope.extent, v) : v
    values.set(slot, spread(scope.extent, placed, slot.over))
  }
  // An INIT may read an argument that is a constant or a hyperparameter; others have no value yet, and are not looked at.
  const later = (e: Expr, at: Scope): Cell => ({
    get value(): Value {
      return evaluate(e, at)
    }
  })
  for (const [use, used] of stage.uses) {
    const { inner, subjects: own } = enter(use, used, scope, subjects, later)
    startOf(used, inner, own, values)
  }
  return values
}

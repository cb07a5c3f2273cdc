/** Runs the statements of a step: uses first, then the lines as they stand. */
import type { Statement, TransformDecl, UseItem, OptimizerDecl } from '../compiler/syntax/ast.js'
import { bind, bools, type Cell, evaluate, numbers, type Scope, scopeOf } from './expression.js'
import type { Slot, Stage } from './stage.js'
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
  const run: Run = { state, weight, gradient, slotOf, trace: [], observations: [] }
  declareState(stage, scope, run)
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
        run.trace.push({ name: statement.name.text, value })
        break
      }
      case 'update': {
        const cell = scope.names.get(statement.name.text)
        if (!cell) throw new Error(`unknown name ${statement.name.text}`)
        update(cell, evaluate(statement.value, scope), scope, run)
        run.trace.push({ name: statement.name.text, value: cell.value })
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
  const inner = enter(use, stage, scope, run, (e) => ({ value: evaluate(e, scope) }))
  declareState(stage, inner, run)
  runStatements(stage.declaration.body, stage, inner, run)
}

/** A transform's own scope: arguments, what it works on (the gradient and the weight unless `on` names others), masks. */
function enter(
  use: UseItem,
  stage: Stage<TransformDecl>,
  scope: Scope,
  run: Pick<Run, 'weight' | 'gradient'>,
  cellOf: (e: UseItem['args'][number]['value'], scope: Scope) => Cell
): Scope {
  const inner = scopeOf(scope, stage.module)
  bind(stage.declaration.params, use.args, scope, inner, cellOf)
  stage.declaration.on.forEach((name, i) => {
    const target = use.on?.[i]
    const cell = target ? scope.names.get(target.text) : [run.gradient, run.weight][i]
    if (cell) inner.names.set(name.text, cell)
  })
  for (const mask of stage.declaration.masks) {
    const predicate = bools(evaluate(mask.predicate, inner))
    const of = predicate.of.map((entries) => [truth(entries[0]!.value)])
    inner.names.set(mask.name.text, { value: { kind: 'bool', level: 'layer', place: 'host', of } })
  }
  return inner
}

/** What each slot holds when its layer, or the model, first takes part: before any `use` or statement. */
export function startOf(
  stage: Stage,
  scope: Scope,
  weight: Cell,
  gradient: Cell,
  values: Map<Slot, Value> = new Map()
): Map<Slot, Value> {
  for (const slot of stage.slots) {
    const v = numbers(evaluate(slot.declaration.init, scope))
    const placed = slot.place === 'device' ? onDevice(scope.extent, v) : v
    values.set(slot, spread(scope.extent, placed, slot.over))
  }
  for (const [use, inner] of stage.uses) {
    // An INIT may read an argument that is a constant or a hyperparameter; others have no value yet, and are not looked at.
    const later = (e: UseItem['args'][number]['value'], at: Scope): Cell => ({
      get value(): Value {
        return evaluate(e, at)
      }
    })
    startOf(inner, enter(use, inner, scope, { weight, gradient }, later), weight, gradient, values)
  }
  return values
}

/**
 * A stage is an optimizer or one use of a transform: the state it declares, and the stages that it uses in turn. Each use
 * has state of its own, so stages are made once and keep their slots' names.
 */
import type { OptimizerDecl, StateDecl, Statement, TransformDecl, UseItem } from '../compiler/syntax/ast.js'
import type { Module } from '../compiler/syntax/modules.js'
import { find } from './expression.js'

export interface Slot {
  /** A slot of a transform's n-th use is `transform_slot`, `transform2_slot`, … */
  readonly name: string
  readonly over: 'element' | 'layer' | 'model'
  /** Host: only host values update it. */
  place: 'host' | 'device'
  readonly declaration: StateDecl
}

export interface Stage<D = OptimizerDecl | TransformDecl> {
  readonly module: Module
  readonly declaration: D
  readonly slots: readonly Slot[]
  readonly uses: ReadonlyMap<UseItem, Stage<TransformDecl>>
}

/** The optimizer's stage, with everything that it uses inside. */
export function stageOf(module: Module, optimizer: OptimizerDecl): Stage<OptimizerDecl> {
  const count = new Map<string, number>()
  const statements = [...optimizer.uses, ...optimizer.steps.flatMap((step) => step.body)]
  return { module, declaration: optimizer, ...inside(module, optimizer.states, statements, '', count) }
}

function inside(
  module: Module,
  states: readonly StateDecl[],
  statements: readonly Statement[],
  prefix: string,
  count: Map<string, number>
): { slots: Slot[]; uses: Map<UseItem, Stage<TransformDecl>> } {
  const slots = states.map((declaration): Slot => {
    const over = declaration.over ?? 'element'
    if (over === 'rows' || over === 'cols') throw new Error(`state over ${over} is not part of the language yet`)
    return { name: prefix + declaration.name.text, over, place: over === 'element' ? 'device' : 'host', declaration }
  })
  const uses = new Map<UseItem, Stage<TransformDecl>>()
  for (const use of statements) {
    if (use.kind !== 'use') continue
    const found = find(module, use.transform.text)
    if (found?.declaration.kind !== 'transform') throw new Error(`${use.transform.text} is no transform`)
    const { module: home, declaration } = found
    const n = (count.get(declaration.name.text) ?? 0) + 1
    count.set(declaration.name.text, n)
    const own = `${declaration.name.text}${n === 1 ? '' : n}_`
    uses.set(use, { module: home, declaration, ...inside(home, declaration.states, declaration.body, own, count) })
  }
  return { slots, uses }
}

/** Its slots and those of all that it uses, in order. */
export function slotsOf(stage: Stage): readonly Slot[] {
  return [...stage.slots, ...[...stage.uses.values()].flatMap(slotsOf)]
}

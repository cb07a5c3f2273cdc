/**
 * A stage is an optimizer or one use of a transform: the state it declares, and the stages that it uses in turn. Each use
 * has state of its own, so stages are made once and keep their slots' names.
 */
import type { MaskDecl, OptimizerDecl, StateDecl, Statement, TransformDecl, UseItem } from '../compiler/syntax/ast.js'
import type { Module } from '../compiler/syntax/modules.js'
import { find } from './expression.js'

export interface Slot {
  /** A slot of a transform's n-th use is `transform_slot`, `transform2_slot`, … */
  readonly name: string
  readonly over: 'element' | 'row' | 'col' | 'channel' | 'layer' | 'model'
  /** Host: only host values update it. */
  place: 'host' | 'device'
  readonly declaration: StateDecl
}

const OVER = {
  weights: 'element',
  rows: 'row',
  cols: 'col',
  channels: 'channel',
  layer: 'layer',
  model: 'model'
} as const

export interface Stage<D = OptimizerDecl | TransformDecl> {
  readonly module: Module
  readonly declaration: D
  /** What its slots' names begin with. */
  readonly own: string
  readonly slots: readonly Slot[]
  readonly uses: ReadonlyMap<UseItem, Stage<TransformDecl>>
}

/** The optimizer's stage, with everything that it uses inside. */
export function stageOf(module: Module, optimizer: OptimizerDecl): Stage<OptimizerDecl> {
  const statements = [...optimizer.uses, ...optimizer.steps.flatMap((step) => step.body)]
  const named: Named = { uses: new Map(), slots: [] }
  return { module, declaration: optimizer, own: '', ...inside(module, optimizer.states, statements, '', named) }
}

/** What has been named so far: how often each transform was used, and every slot. */
interface Named {
  readonly uses: Map<string, number>
  readonly slots: string[]
}

function inside(
  module: Module,
  states: readonly StateDecl[],
  statements: readonly Statement[],
  own: string,
  named: Named
): { slots: Slot[]; uses: Map<UseItem, Stage<TransformDecl>> } {
  const slots = states.map((declaration): Slot => {
    const over = OVER[declaration.over ?? 'weights']
    const name = own === '' ? declaration.name.text : `${own}_${declaration.name.text}`
    named.slots.push(name)
    return { name, over, place: over === 'layer' || over === 'model' ? 'host' : 'device', declaration }
  })
  const uses = new Map<UseItem, Stage<TransformDecl>>()
  for (const use of statements) {
    if (use.kind !== 'use') continue
    const found = find(module, use.transform.text)
    if (found?.declaration.kind !== 'transform') throw new Error(`${use.transform.text} is no transform`)
    const { module: home, declaration } = found
    const own = nameOfUse(declaration.name.text, named)
    uses.set(use, { module: home, declaration, own, ...inside(home, declaration.states, declaration.body, own, named) })
  }
  return { slots, uses }
}

/** `clip`, `clip2`, …: the next that begins no slot's name. */
function nameOfUse(transform: string, { uses, slots }: Named): string {
  let n = uses.get(transform) ?? 0
  let own: string
  do {
    n++
    own = n === 1 ? transform : `${transform}${n}`
  } while (slots.some((slot) => slot.startsWith(`${own}_`)))
  uses.set(transform, n)
  return own
}

/** Its slots and those of all that it uses, in order. */
export function slotsOf(stage: Stage): readonly Slot[] {
  return [...stage.slots, ...[...stage.uses.values()].flatMap(slotsOf)]
}

/** What callers call a mask: `decayed` of `clip`'s second use is `clip2Decayed`. */
export const maskName = ({ own }: Stage, { name: { text } }: MaskDecl): string =>
  own === '' ? text : `${own}${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

export function masksOf(stage: Stage): readonly string[] {
  return [...stage.declaration.masks.map((m) => maskName(stage, m)), ...[...stage.uses.values()].flatMap(masksOf)]
}

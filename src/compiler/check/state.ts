/** State: what a slot holds one value of, and what it starts as. */
import { problems } from '../messages.generated.js'
import type { StateDecl } from '../syntax/ast.js'
import { declare } from './bind.js'
import type { Draft, DraftSlot } from './draft.js'
import { evaluateAs } from './expression.js'
import { fits } from './graph.js'
import type { Slot } from './program.js'
import { bindingOf, cellOf, type Frame, report, textOf, type ValueBinding } from './scope.js'
import { asValue, levelOver, type Maybe, PER } from './value.js'

/** Whether state lives on the host as long as only host values update it. */
export const mayLiveOnHost = (over: Slot['over']): boolean => over === 'layer' || over === 'model'

export interface DeclaredState {
  readonly binding: ValueBinding
  readonly slot: DraftSlot
}

/**
 * Binds the slots, with `prefix` before their names; the function that comes back looks at what they start as, once all
 * names of the body are bound.
 */
export function declareState(
  states: readonly StateDecl[],
  frame: Frame,
  draft: Draft,
  prefix = ''
): { readonly declared: DeclaredState[]; readonly define: () => void } {
  const declared: DeclaredState[] = []
  const starts: (() => void)[] = []
  for (const state of states) {
    const over = state.over === null ? 'element' : levelOver(state.over)
    const name = prefix + state.name.text
    const place = mayLiveOnHost(over) && !draft.onDevice.has(name) ? 'host' : 'device'
    const leaf = asValue(frame.graph.slot(name, { level: over, place }))
    const binding = bindingOf('state', state.name, cellOf(leaf, over, leaf))
    const slot: DraftSlot = { name, over, cell: binding.cell, init: null, doc: state.doc }
    starts.push(() => {
      slot.init = startOf(state, frame)
    })
    if (!declare(frame, binding)) continue
    draft.slots.push(slot)
    declared.push({ binding, slot })
  }
  const define = (): void => {
    for (const start of starts) start()
  }
  return { declared, define }
}

function startOf({ name, over, init: e }: StateDecl, frame: Frame): Maybe {
  const subject = `\`${name.text}\``
  const value = evaluateAs('number', e, { ...frame, where: 'init', subject }, `the start value of ${subject}`)
  if (value === null || over === null || fits(value.level, levelOver(over))) return value
  report(frame, problems.levelTooHigh, e, {
    value: textOf(frame, e),
    level: PER[value.level],
    context: `the start value of ${subject}`,
    wanted: PER[levelOver(over)],
    suggestion:
      over === 'model'
        ? 'State over the model can start from constants and hyperparameters alone.'
        : 'Only per-weight state can start from the weight.'
  })
  return null
}

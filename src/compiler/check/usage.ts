/** What is written and has no effect: names never read, state never read or never updated. */
import { problems } from '../messages.generated.js'
import type { Name } from '../syntax/ast.js'
import type { Node } from './program.js'
import { type Binding, type Frame, report } from './scope.js'
import type { DeclaredState } from './state.js'

const WHAT: Readonly<Partial<Record<Binding['kind'], readonly [what: string, hint: string]>>> = {
  hyper: ['The hyperparameter', 'Use it in the step, or remove it: callers would set it in vain.'],
  mask: ['The mask', 'Use it in the step, or remove it: callers would override it in vain.'],
  local: ['The local', 'Use it, or remove this line.'],
  parameter: ['The parameter', 'Use it, or remove it.'],
  subject: ['The parameter', 'Use it, or remove it.'],
  gradient: ['The gradient', 'A step that reads no gradient learns nothing: use it.'],
  step: ['The step', 'Leave it out: `step(w, g)`.'],
  declared: ['The import', 'Remove it.']
}

/** Reports those that nothing reads. */
export function unused(bindings: Iterable<Binding>, frame: Frame): void {
  for (const binding of bindings) {
    const known = WHAT[binding.kind]
    if (binding.read || !known) continue
    if (binding.kind === 'subject' && binding.cell.updated) continue
    report(frame, problems.unused, binding.name, { what: known[0], name: binding.name.text, suggestion: known[1] })
  }
}

/** Slots are memory and bandwidth, so each must be both read and updated, unless it keeps the first weights. */
export function idleState(states: readonly DeclaredState[], frame: Frame): void {
  for (const { binding, slot } of states) {
    const name: Name = binding.name
    if (!binding.read) report(frame, problems.stateNeverRead, name, { name: name.text })
    else if (!binding.cell.updated && slot.init && !readsWeight(slot.init.node)) {
      report(frame, problems.stateNeverUpdated, name, { name: name.text })
    }
  }
}

const readsWeight = (node: Node): boolean => node.op === 'weight' || node.args.some(readsWeight)

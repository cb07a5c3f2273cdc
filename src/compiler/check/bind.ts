/** Binding names in a body: one namespace an optimizer plus its file. */
import { problems } from '../messages.generated.js'
import { isTakenByLanguage } from './resolve.js'
import { type Binding, describe, type Frame, report } from './scope.js'
import { STEP } from './builtins.js'

/** Binds a name unless it is taken, which is reported. A parameter may hide `t` and the names of the file. */
export function declare(frame: Frame, binding: Binding): boolean {
  const { name } = binding
  const hides = binding.kind === 'parameter' || binding.kind === 'subject'
  if (!(hides && name.text === STEP) && isTakenByLanguage(name, frame)) return false
  const taken = frame.names.get(name.text) ?? (hides ? undefined : frame.world.namespaceOf(frame.module).get(name.text))
  if (taken) {
    // What stands there now was meant for reading and updating under this name: not unused as well.
    taken.read = true
    report(frame, problems.nameTaken, name, { name: name.text, what: describe(taken) })
    return false
  }
  frame.names.set(name.text, binding)
  return true
}

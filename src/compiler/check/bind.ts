/** Binding names in a body: one namespace an optimizer plus its file. */
import { problems } from '../messages.generated.js'
import { STEP } from './builtins.js'
import { isTakenByLanguage } from './resolve.js'
import { type Binding, describe, type Frame, report } from './scope.js'

/**
 * Binds a name, and says whether it was free; if not, that is reported. A parameter may hide `t` and the names of the file.
 * A name that is taken outside of this body is bound nevertheless, so that reading it is no second error.
 */
export function declare(frame: Frame, binding: Binding): boolean {
  const { name } = binding
  const free = isFree(frame, binding)
  if (!frame.names.has(name.text)) frame.names.set(name.text, binding)
  return free
}

function isFree(frame: Frame, { kind, name }: Binding): boolean {
  const hides = kind === 'parameter' || kind === 'subject'
  if (!(hides && name.text === STEP) && isTakenByLanguage(name, frame)) return false
  const taken = frame.names.get(name.text) ?? (hides ? undefined : frame.world.namespaceOf(frame.module).get(name.text))
  if (!taken) return true
  // Which of the two is meant from here on is not known, so nothing more is said of either.
  taken.read = true
  if (frame.names.has(name.text)) frame.names.set(name.text, { kind: 'missing', name, read: true })
  if (taken.kind === 'missing') return false
  if (taken.kind !== 'declared') taken.cell.updated = true
  report(frame, problems.nameTaken, name, { name: name.text, what: describe(taken) })
  return false
}

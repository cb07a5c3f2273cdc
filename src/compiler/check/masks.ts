/** Masks: one bool a layer, which the caller may put another in the place of. */
import type { MaskDecl } from '../syntax/ast.js'
import { declare } from './bind.js'
import type { Draft } from './draft.js'
import { evaluateAs } from './expression.js'
import { bindingOf, type Frame, fixed, type ValueBinding } from './scope.js'
import { asValue } from './value.js'

/** Masks of a transform are options of the optimizer too: `decayed` of `clip`'s second use is `clip2Decayed`. */
export function declareMasks(masks: readonly MaskDecl[], frame: Frame, draft: Draft, own = ''): ValueBinding[] {
  const bindings: ValueBinding[] = []
  for (const mask of masks) {
    const { text } = mask.name
    const name = own === '' ? text : `${own}${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
    const subject = `the mask \`${text}\``
    const predicate = evaluateAs('bool', mask.predicate, { ...frame, where: 'mask', subject }, subject)
    const binding = bindingOf('mask', mask.name, fixed(asValue(frame.graph.mask(name))))
    if (!declare(frame, binding)) continue
    bindings.push(binding)
    if (predicate) draft.masks.push({ name, predicate: predicate.node, doc: mask.doc })
  }
  return bindings
}

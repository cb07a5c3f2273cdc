/** Masks: one bool a layer, which the caller may put another in the place of. */
import type { MaskDecl } from '../syntax/ast.js'
import { declare } from './bind.js'
import type { Draft } from './draft.js'
import { evaluateAs } from './expression.js'
import { bindingOf, type Frame, fixed, type ValueBinding } from './scope.js'
import { asValue } from './value.js'

/**
 * Binds the masks; the function that comes back looks at their predicates, once all names of the body are bound. Masks of
 * a transform are options of the optimizer too: `decayed` of `clip`'s second use is `clip2Decayed`.
 */
export function declareMasks(
  masks: readonly MaskDecl[],
  frame: Frame,
  draft: Draft,
  own = ''
): { readonly bindings: ValueBinding[]; readonly define: () => void } {
  const declared = masks.map((mask) => {
    const name = own === '' ? mask.name.text : maskOf(own, mask)
    draft.options.add(name)
    const binding = bindingOf('mask', mask.name, fixed(asValue(frame.graph.mask(name))))
    return { mask, name, binding, free: declare(frame, binding) }
  })
  const define = (): void => {
    for (const { mask, name, free } of declared) {
      const subject = `the mask \`${mask.name.text}\``
      const predicate = evaluateAs('bool', mask.predicate, { ...frame, where: 'mask', subject }, subject)
      if (predicate && free) draft.masks.push({ name, predicate: predicate.node, doc: mask.doc })
    }
  }
  return { bindings: declared.filter((d) => d.free).map((d) => d.binding), define }
}

/** What callers call the mask of a transform's use. */
export const maskOf = (own: string, { name: { text } }: MaskDecl): string =>
  `${own}${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

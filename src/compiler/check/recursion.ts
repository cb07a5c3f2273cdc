/** The order in which functions, schedules and transforms are checked: what is used before what uses it. */

import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import type { Declaration, Name } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'
import type { Helper } from './declarations.js'
import type { World } from './scope.js'
import { calledBy } from './walk.js'

export interface Placed {
  readonly helper: Helper
  readonly module: Module
}

interface Call {
  readonly at: Name
  readonly to: Placed
}

/**
 * All helpers of the modules, callees first, and those that lead back to themselves, which are reported. Chains of calls
 * may be as long as the file: there is no recursion here.
 */
export function callOrder(
  modules: readonly Module[],
  world: World,
  foundIn: (module: Module) => Diagnostic[]
): { readonly order: readonly Placed[]; readonly recursive: ReadonlySet<Declaration> } {
  const placed = new Map<Declaration, Placed>()
  for (const module of modules) {
    for (const helper of module.file.declarations)
      if (helper.kind !== 'optimizer') placed.set(helper, { helper, module })
  }
  const callsOf = ({ helper, module }: Placed): Call[] => {
    const hidden = new Set([...helper.params, ...(helper.kind === 'transform' ? helper.on : [])].map((p) => p.text))
    return calledBy(helper).flatMap((at) => {
      const binding = hidden.has(at.text) ? undefined : world.namespaceOf(module).get(at.text)
      const to = binding?.kind === 'declared' ? placed.get(binding.declaration) : undefined
      return to ? [{ at, to }] : []
    })
  }
  const order: Placed[] = []
  const recursive = new Set<Declaration>()
  const done = new Set<Placed>()
  for (const start of placed.values()) {
    if (done.has(start)) continue
    const path: { readonly from: Placed; readonly calls: Call[] }[] = [{ from: start, calls: callsOf(start).reverse() }]
    const open = new Set([start])
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = top.calls.pop()
      if (!next) {
        path.pop()
        open.delete(top.from)
        done.add(top.from)
        order.push(top.from)
      } else if (open.has(next.to)) {
        const cycle = path.slice(path.findIndex((p) => p.from === next.to)).map((p) => p.from.helper)
        for (const member of cycle) recursive.add(member)
        const names = [...cycle, next.to.helper].map((h) => h.name.text)
        const shown = names.length > 8 ? [...names.slice(0, 4), '…', ...names.slice(-3)] : names
        const { file } = top.from.module
        const span = { start: next.at.start, end: next.at.end }
        foundIn(top.from.module).push(
          problems.recursion(file.path, span, { name: next.to.helper.name.text, path: shown.join(' → ') })
        )
      } else if (!done.has(next.to)) {
        path.push({ from: next.to, calls: callsOf(next.to).reverse() })
        open.add(next.to)
      }
    }
  }
  return { order, recursive }
}

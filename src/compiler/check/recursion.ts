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
  readonly calls: readonly Call[]
}

interface Call {
  readonly at: Name
  readonly to: Helper
}

/**
 * All helpers of the modules, callees first; a call that leads back to its caller is reported. Chains of calls may be as
 * long as the file: there is no recursion here.
 */
export function callOrder(
  modules: readonly Module[],
  world: World,
  foundIn: (module: Module) => Diagnostic[]
): readonly Placed[] {
  const all = new Map<Declaration, Placed>()
  for (const module of modules) {
    for (const helper of module.file.declarations) {
      if (helper.kind !== 'optimizer') all.set(helper, { helper, module, calls: callsOf(helper, module, world) })
    }
  }
  const order = new Set<Placed>()
  for (const start of all.values()) {
    const path: { readonly from: Placed; next: number }[] = order.has(start) ? [] : [{ from: start, next: 0 }]
    const open = new Set<Placed>([start])
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const call = top.from.calls[top.next++]
      const to = call && all.get(call.to)
      if (!call || !to) {
        path.pop()
        open.delete(top.from)
        order.add(top.from)
      } else if (open.has(to)) {
        const cycle = path.slice(path.findIndex((p) => p.from === to)).map((p) => p.from.helper.name.text)
        foundIn(top.from.module).push(recursion(top.from.module.file.path, call.at, cycle))
      } else if (!order.has(to)) {
        path.push({ from: to, next: 0 })
        open.add(to)
      }
    }
  }
  return [...order]
}

function callsOf(helper: Helper, module: Module, world: World): Call[] {
  const hidden = new Set([...helper.params, ...(helper.kind === 'transform' ? helper.on : [])].map((p) => p.text))
  return calledBy(helper).flatMap((at) => {
    const binding = hidden.has(at.text) ? undefined : world.namespaceOf(module).get(at.text)
    const to = binding?.kind === 'declared' ? binding.declaration : undefined
    return to && to.kind !== 'optimizer' ? [{ at, to }] : []
  })
}

function recursion(path: string, { start, end }: Name, cycle: readonly string[]): Diagnostic {
  const name = cycle[0]!
  const names = [...cycle, name]
  const shown = names.length > 8 ? [...names.slice(0, 4), '…', ...names.slice(-3)] : names
  return problems.recursion(path, { start, end }, { name, path: shown.join(' → ') })
}

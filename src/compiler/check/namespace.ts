/** The names of a file: its imports and its declarations. */
import { problems } from '../messages.generated.js'
import type { Declaration } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'
import { mayBeOption } from './reserved.js'
import { isTakenByLanguage } from './resolve.js'
import { type Binding, type DeclaredBinding, describe, type Frame, report } from './scope.js'

/** `frame` is where problems are reported. */
export function namespaceFor(module: Module, frame: Frame): Map<string, Binding> {
  const names = new Map<string, Binding>()
  const bind = (binding: Binding): void => {
    const { name } = binding
    const taken = names.get(name.text)
    if (taken) {
      taken.read = true
      report(frame, problems.nameTaken, name, { name: name.text, what: describe(taken) })
    } else if (!isTakenByLanguage(name, frame)) names.set(name.text, binding)
  }
  for (const { names: imported } of module.file.imports) {
    for (const name of imported) {
      const from = module.imports.get(name.text)
      const declaration = from?.module.file.declarations.find((d) => d.name.text === from.name)
      if (from && declaration) bind({ kind: 'declared', name, declaration, module: from.module, read: false })
      else bind({ kind: 'missing', name, read: true })
    }
  }
  for (const declaration of module.file.declarations) {
    bind({ kind: 'declared', name: declaration.name, declaration, module, read: false })
    if (declaration.kind === 'schedule') mayBeOption(declaration.name, 'A schedule', frame)
  }
  exportsApart(module.file.declarations, frame)
  return names
}

/** The file's imports that were found. */
export const importsIn = (module: Module, names: ReadonlyMap<string, Binding>): DeclaredBinding[] =>
  [...names.values()].filter((b): b is DeclaredBinding => b.kind === 'declared' && b.module !== module)

/** Generated files export types of their own beside what the author declares. */
function exportsApart(declarations: readonly Declaration[], frame: Frame): void {
  const optimizers = declarations.filter((d) => d.kind === 'optimizer')
  if (optimizers.length === 0) return
  const ours = new Map([
    ['LayerInfo', 'what masks know of a layer'],
    ['Schedule', 'the type of schedules']
  ])
  for (const { name } of optimizers) {
    ours.set(`${name.text}Options`, `the options of \`${name.text}\``)
    ours.set(`${name.text}Observations`, `the observations of \`${name.text}\``)
  }
  for (const { kind, name } of declarations) {
    const other = ours.get(name.text)
    if (other === undefined || (kind !== 'optimizer' && kind !== 'schedule')) continue
    const what = kind === 'optimizer' ? 'an optimizer' : 'a schedule'
    report(frame, problems.exportTaken, name, { name: name.text, what, other })
  }
}

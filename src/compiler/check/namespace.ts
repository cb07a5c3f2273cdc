/** The names of a file: its imports and its declarations. */
import { problems } from '../messages.generated.js'
import type { Declaration, Name } from '../syntax/ast.js'
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
  const ours = new Map<string, string>()
  const meets = (text: string, what: string, name: Name): void => {
    const other = ours.get(text)
    // Two declarations of one name have been reported.
    if (other !== undefined && other !== what) report(frame, problems.exportTaken, name, { name: text, what, other })
  }
  if (optimizers.length > 0) {
    ours.set('LayerInfo', 'what masks know of a layer')
    ours.set('LayerMatch', 'the type of masks')
    ours.set('Schedule', 'the type of schedules')
  }
  for (const { name } of optimizers) {
    ours.set(`${name.text}Group`, `the options of \`${name.text}\` for some layers`)
    ours.set(`${name.text}Options`, `the options of \`${name.text}\``)
    ours.set(`${name.text}Observations`, `the observations of \`${name.text}\``)
  }
  for (const { kind, name } of declarations) {
    if (kind !== 'schedule') continue
    const [type, what] = [argumentsOf(name.text), `the arguments of \`${name.text}\``]
    meets(type, what, name)
    ours.set(type, what)
  }
  for (const { kind, name } of declarations) {
    if (kind === 'optimizer') meets(name.text, 'an optimizer', name)
    if (kind === 'schedule') meets(name.text, 'a schedule', name)
  }
}

/** `warmup` → `WarmupArguments` */
const argumentsOf = (schedule: string): string => `${schedule.replace(/^./u, (c) => c.toUpperCase())}Arguments`

/** Checks a file and all that it imports: typed programs and schedules, or what is wrong, in source order. */

import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import type { Declaration } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'
import { checkHelper, frameOf } from './declarations.js'
import { importsIn, namespaceFor } from './namespace.js'
import { checkOptimizer } from './optimizer.js'
import type { CheckedFile, Program, Schedule } from './program.js'
import { callOrder } from './recursion.js'
import type { Binding, World } from './scope.js'
import { unused } from './usage.js'

/**
 * `checked` holds what is free of errors; it is the whole file when `diagnostics` holds no error. `broken` are the paths of
 * files with errors of syntax: of what seems to be missing or unused there, nothing is said.
 */
export function check(
  module: Module,
  broken: ReadonlySet<string> = new Set()
): { checked: CheckedFile; diagnostics: Diagnostic[] } {
  const modules = modulesFrom(module)
  const found = new Map(modules.map((m): [Module, Diagnostic[]] => [m, []]))
  const foundIn = (m: Module): Diagnostic[] => found.get(m)!
  const sound = new Set<Declaration>()
  const namespaces = new Map<Module, ReadonlyMap<string, Binding>>()
  const world: World = {
    namespaceOf: (m) => namespaces.get(m)!,
    isSound: (declaration) => sound.has(declaration),
    isWhole: (m) => !broken.has(m.file.path)
  }
  for (const m of modules) namespaces.set(m, namespaceFor(m, frameOf(world, m, 'step', '', foundIn(m))))

  const schedules = new Map<Declaration, Schedule>()
  for (const { helper, module: home, calls } of callOrder(modules, world, foundIn)) {
    const own: Diagnostic[] = []
    const schedule = checkHelper(helper, home, world, own)
    foundIn(home).push(...own)
    // What calls itself finds itself not sound yet, and so does what leads there.
    if (own.length === 0 && calls.every(({ to }) => sound.has(to))) {
      sound.add(helper)
      if (schedule) schedules.set(helper, schedule)
    }
  }
  const programs = new Map<Declaration, Program>()
  for (const m of modules) {
    for (const d of m.file.declarations) {
      if (d.kind !== 'optimizer') continue
      const program = checkOptimizer(d, m, world, foundIn(m))
      if (program) programs.set(d, program)
    }
    if (!world.isWhole(m)) continue
    unused(importsIn(m, world.namespaceOf(m)), frameOf(world, m, 'step', '', foundIn(m)))
    if (m.file.declarations.length === 0 && m.file.imports.length === 0) {
      foundIn(m).push(problems.nothingDeclared(m.file.path, { start: 0, end: 0 }))
    }
  }
  const { declarations } = module.file
  return {
    checked: {
      optimizers: declarations.flatMap((d) => programs.get(d) ?? []),
      schedules: declarations.flatMap((d) => schedules.get(d) ?? [])
    },
    diagnostics: modules.flatMap((m) => foundIn(m).sort(bySource))
  }
}

/** A file, then what it imports, each once. */
function modulesFrom(root: Module): readonly Module[] {
  const modules = new Set([root])
  for (const m of modules) for (const { module } of m.imports.values()) modules.add(module)
  return [...modules]
}

const bySource = (a: Diagnostic, b: Diagnostic): number =>
  a.span.start - b.span.start || a.span.end - b.span.end || (a.code < b.code ? -1 : Number(a.code > b.code))

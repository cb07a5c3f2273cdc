/** Follows imports: a file and all that it uses from others. */
import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import { std } from '../std.generated.js'
import { didYouMean, nearest } from '../suggest.js'
import type { File, Name } from './ast.js'
import { parse } from './parse.js'

export interface Module {
  readonly file: File
  /** What the file imported, by its name here. */
  readonly imports: Map<string, { readonly module: Module; readonly name: string }>
}

/** Finds an imported file; null when there is none. */
export type Load = (specifier: string, fromPath: string) => { path: string; source: string } | null

export function link(source: string, path: string, load: Load): { module: Module; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const known = new Map<string, Module>()
  const module = linkFile(source, path, [path])
  return { module, diagnostics }

  function linkFile(source: string, path: string, open: readonly string[]): Module {
    const { file, diagnostics: found } = parse(source, path)
    diagnostics.push(...found)
    const module: Module = { file, imports: new Map() }
    known.set(path, module)
    for (const decl of file.imports) {
      const target = decl.from.text === 'std' ? { path: 'std', source: std } : load(decl.from.text, path)
      if (!target) {
        diagnostics.push(problems.missingImport(path, decl.from, { from: decl.from.text }))
        continue
      }
      if (open.includes(target.path)) {
        diagnostics.push(
          problems.importCycle(path, decl.from, {
            cycle: [...open.slice(open.indexOf(target.path)), target.path].join(' → ')
          })
        )
        continue
      }
      const other = known.get(target.path) ?? linkFile(target.source, target.path, [...open, target.path])
      for (const name of decl.names) importName(module, name, decl.from.text, other)
    }
    return module
  }

  function importName(module: Module, name: Name, from: string, other: Module): void {
    const { path } = module.file
    const { declarations } = other.file
    const found = declarations.find((d) => d.name.text === name.text)
    if (!found) {
      const known = declarations.filter((d) => d.kind !== 'optimizer').map((d) => d.name.text)
      const suggestion = didYouMean(name.text, nearest(name.text, known))
      diagnostics.push(problems.notExported(path, name, { name: name.text, from, suggestion }))
    } else if (found.kind === 'optimizer') {
      diagnostics.push(problems.notImportable(path, name, { name: name.text }))
    } else module.imports.set(name.text, { module: other, name: name.text })
  }
}

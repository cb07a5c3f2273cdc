/** Compiles or checks files one by one, and reports all that is wrong with them. */
import type { Diagnostic } from '../compiler/diagnostics.js'
import { type FileDiagnostics, render } from '../compiler/render.js'
import { std } from '../compiler/std.generated.js'
import type { Load } from '../compiler/syntax/modules.js'
import { CallError } from './call-error.js'
import { load, read } from './sources.js'
import { styleFor } from './terminal.js'

/** Texts by path: of every file that a diagnostic may be about. */
export class Sources {
  readonly #texts = new Map<string, string>([['std', std]])

  /** Reads a file that the user named. */
  open(path: string): string {
    const text = read(path)
    this.#texts.set(path, text)
    return text
  }

  /** Finds imported files, and remembers them. */
  readonly load: Load = (specifier, from) => {
    const found = load(specifier, from)
    if (found) this.#texts.set(found.path, found.source)
    return found
  }

  readonly of = (path: string): string => this.#texts.get(path) ?? ''
}

/** More than anyone reads: of a file with more diagnostics, the rest are counted. */
const MOST = 100

/** Prints diagnostics to stderr. A file that several import is reported once. */
export function report(files: readonly FileDiagnostics[], sources: Sources): void {
  const style = styleFor(process.stderr)
  const seen = new Set<string>()
  for (const { path, diagnostics } of files) {
    for (const diagnostic of diagnostics.slice(0, MOST)) {
      const text = render(diagnostic, sources.of(diagnostic.path), { style })
      if (!seen.has(text)) process.stderr.write(`${text}\n`)
      seen.add(text)
    }
    if (diagnostics.length > MOST) process.stderr.write(`${path}: and ${diagnostics.length - MOST} more\n\n`)
  }
}

/** 70 where the compiler itself failed, 1 where a program has an error, 0 otherwise. */
export function statusOf(diagnostics: readonly Diagnostic[]): number {
  if (diagnostics.some((d) => d.code.startsWith('OPT9'))) return 70
  return diagnostics.some((d) => d.severity === 'error') ? 1 : 0
}

/** "1 error and 2 warnings in 3 files" */
export function summary(files: readonly FileDiagnostics[]): string {
  const all = files.flatMap((f) => f.diagnostics)
  const errors = all.filter((d) => d.severity === 'error').length
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
  const parts = [
    ...(errors > 0 ? [count(errors, 'error')] : []),
    ...(all.length > errors ? [count(all.length - errors, 'warning')] : [])
  ]
  return `${parts.join(' and ') || 'nothing wrong'} in ${count(files.length, 'file')}`
}

export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
}

/** Throws what a value that is not one of the known ones should say. */
export function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((k) => k === value)
  if (found === undefined) throw new CallError(`${option} can be ${known.join(', ')}; not ${JSON.stringify(value)}`)
  return found
}

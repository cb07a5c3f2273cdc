/** `optc check FILES…`: diagnostics only. */
import { analyse } from '../compiler/compile.js'
import { type FileDiagnostics, toJson } from '../compiler/render.js'
import { printJson, report, Sources, statusOf, summary } from './analysis.js'
import { expand } from './sources.js'

export async function checkCommand(patterns: readonly string[], options: { json?: boolean }): Promise<void> {
  const sources = new Sources()
  const files = expand(patterns).map((path): FileDiagnostics => {
    const source = sources.open(path)
    return { path, source, diagnostics: analyse(source, path, sources.load).diagnostics }
  })
  if (options.json) printJson(toJson(files, sources.of))
  else {
    report(files, sources)
    process.stdout.write(`${summary(files)}\n`)
  }
  process.exitCode = statusOf(files.flatMap((f) => f.diagnostics))
}

/** `optc compile FILES…`: a module for each file, beside it or in `--out-dir`. */
import { dirname, join } from 'node:path'
import { compile as assemble } from 'watr'
import { compile } from '../compiler/compile.js'
import { print } from '../compiler/emit/classes.js'
import { TARGETS } from '../compiler/emit/targets.js'
import { type FileDiagnostics, toJson } from '../compiler/render.js'
import { oneOf, printJson, report, Sources, statusOf, summary } from './analysis.js'
import { CallError } from './call-error.js'
import { compare, type Output, write } from './outputs.js'
import { expand } from './sources.js'
import { styleFor } from './terminal.js'

export interface CompileFlags {
  readonly outDir?: string
  readonly target: string
  readonly emit: string
  readonly importFrom: string
  readonly check?: boolean
  readonly watch?: boolean
  readonly json?: boolean
}

/** What became, or with `--check` would become, of one output. */
interface Written {
  readonly path: string
  readonly outcome: 'wrote' | 'unchanged' | 'would write' | 'would change'
}

export async function compileCommand(patterns: readonly string[], flags: CompileFlags): Promise<void> {
  if (flags.watch && (flags.check || flags.json)) throw new CallError('--watch goes with neither --check nor --json')
  const run = (): number => compileAll(patterns, flags)
  if (flags.watch) await (await import('./watch.js')).watch(patterns, run)
  else process.exitCode = run()
}

function compileAll(patterns: readonly string[], flags: CompileFlags): number {
  const sources = new Sources()
  const paths = expand(patterns)
  const files: FileDiagnostics[] = []
  const outputs: Output[] = []
  for (const path of paths) {
    const source = sources.open(path)
    const result = compile(source, {
      path,
      load: sources.load,
      print,
      assemble,
      targets: targetsOf(flags.target),
      emit: oneOf('--emit', flags.emit, ['ts', 'js']),
      importFrom: flags.importFrom
    })
    files.push({ path, source, diagnostics: result.diagnostics })
    for (const { name, text } of result.files) outputs.push({ path: join(flags.outDir ?? dirname(path), name), text })
  }
  refuseCollisions(outputs)
  // Every place is looked at before the first is written: a call that can't be carried out changes nothing.
  const before = outputs.map((output) => ({ output, state: compare(output) }))
  const written = before.map(({ output, state }): Written => {
    if (state === 'same') return { path: output.path, outcome: 'unchanged' }
    if (flags.check) return { path: output.path, outcome: state === 'new' ? 'would write' : 'would change' }
    return { path: output.path, outcome: 'wrote' }
  })
  if (!flags.check) write(before.filter(({ state }) => state !== 'same').map(({ output }) => output))
  const differs = written.some((w) => w.outcome.startsWith('would'))
  if (flags.json) printJson({ ...(toJson(files, sources.of) as object), outputs: written })
  else {
    report(files, sources)
    for (const { path, outcome } of written) process.stdout.write(`${outcome} ${path}\n`)
    process.stdout.write(`${summary(files)}\n`)
    if (differs)
      process.stderr.write(`Out of date. Run: ${styleFor(process.stderr)('bold', mendingCommand(patterns, flags))}\n`)
  }
  return statusOf(files.flatMap((f) => f.diagnostics)) || (differs ? 1 : 0)
}

function targetsOf(option: string): string[] {
  const known = TARGETS.map((t) => t.target)
  const named = option.split(',').map((name) => oneOf('--target', name.trim(), [...known, 'all']))
  return named.includes('all') ? known : named
}

/** Two sources that would be written to one place. */
function refuseCollisions(outputs: readonly Output[]): void {
  const seen = new Set<string>()
  for (const { path } of outputs) {
    if (seen.has(path))
      throw new CallError(`two files would both be written to ${path}. Compile them into folders of their own.`)
    seen.add(path)
  }
}

/** The same call without `--check`. */
function mendingCommand(patterns: readonly string[], flags: CompileFlags): string {
  const quote = (text: string): string => (/^[\w./:@,-]+$/.test(text) ? text : `"${text}"`)
  const options = [
    ...(flags.outDir === undefined ? [] : ['--out-dir', flags.outDir]),
    ...(flags.target === 'all' ? [] : ['--target', flags.target]),
    ...(flags.emit === 'ts' ? [] : ['--emit', flags.emit]),
    ...(flags.importFrom === 'optc-lang/runtime' ? [] : ['--import-from', flags.importFrom])
  ]
  return ['optc', 'compile', ...patterns, ...options].map(quote).join(' ')
}

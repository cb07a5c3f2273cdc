#!/usr/bin/env node
/**
 * `optc`: one file a command, each loaded only when it is called, so that `optc --help` answers at once.
 * Exit status: 0 done; 1 the programs have errors, `--check` found a difference, or a property failed; 2 the call was wrong; 70 a bug of ours.
 */
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { CallError } from './call-error.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

const optc = new Command('optc')
  .description('Compiles optimizers written in .opt files into TensorFlow.js optimizers with fused kernels.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('Run `optc --help` to see what can be called.')
  .exitOverride()

optc
  .command('compile')
  .description('write a typed optimizer module for each file')
  .argument('<files...>', 'paths or globs of .opt files')
  .option('-o, --out-dir <dir>', 'write there instead of beside each file')
  .option('--target <targets>', 'backends to compile for, joined by commas, or `all`', 'all')
  .option('--emit <language>', '`ts`, or `js` with declarations', 'ts')
  .option('--import-from <specifier>', 'where the generated modules import the runtime from', 'optc-lang/runtime')
  .option('--check', 'write nothing; fail when a file would change')
  .option('--watch', 'compile again whenever a file changes')
  .option('--json', 'print one JSON document')
  .action(async (files: string[], options) => (await import('./compile.js')).compileCommand(files, options))

optc
  .command('check')
  .description('report what is wrong with each file')
  .argument('<files...>', 'paths or globs of .opt files')
  .option('--json', 'print one JSON document')
  .action(async (files: string[], options) => (await import('./check.js')).checkCommand(files, options))

optc
  .command('explain')
  .description('print the Plan of an optimizer, or what an error code means')
  .argument('<file or code>', 'a .opt file, or a code such as OPT2003')
  .argument('[name]', 'the optimizer, when the file has several')
  .option('--json', 'print one JSON document')
  .action(async (what: string, name: string | undefined, options) =>
    (await import('./explain.js')).explainCommand(what, name, options)
  )

optc
  .command('test')
  .description('try each optimizer on properties that it must have, on every backend at hand')
  .argument('<files...>', 'paths or globs of .opt files')
  .option('--seed <n>', 'draw cases from this number on', '1')
  .option('--runs <n>', 'cases a property and backend', '20')
  .option('--backend <backends>', 'only these, joined by commas: cpu, cpu-js, ops, wasm, webgpu, tensorflow')
  .option('--json', 'print one JSON document')
  .action(async (files: string[], options) => (await import('./test.js')).testCommand(files, options))

try {
  await optc.parseAsync()
} catch (error) {
  process.exitCode = exitStatus(error)
}

function exitStatus(error: unknown): number {
  // commander has already printed what was wrong with the call.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof CallError) {
    process.stderr.write(`optc: ${error.message}\n`)
    return 2
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  process.stderr.write(
    `optc: internal error: ${what}\nThis is a bug of optc ${version}. Please report it with the file you compiled.\n`
  )
  if (process.env['OPTC_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return 70
}

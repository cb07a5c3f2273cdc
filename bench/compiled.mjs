// The optimizers that are measured, compiled by the compiler in dist/, on the runtime in dist/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../scripts/build.mjs'

const FILES = ['adam', 'momentum', 'lamb']

/**
 * Writes `node_modules/.cache/optc/bench/<file>-<target>.mjs`, which a bundler finds too. By file: the path, the class's
 * name, and the bytes that a step moves for a weight, of a layer with one dimension and of one with more. `edit`, a named
 * function, changes the code.
 */
export async function printed(target, edit = null) {
  const from = (...path) => import(pathToFileURL(join(root, 'dist', 'compiler', ...path)).href)
  const { compile } = await from('compile.js')
  const { print } = await from('emit', 'classes.js')
  const { compile: assemble } = await import('watr')
  const folder = join(root, 'node_modules', '.cache', 'optc', 'bench')
  mkdirSync(folder, { recursive: true })
  const files = FILES.map((file) => {
    const source = readFileSync(join(root, 'optimizers', `${file}.opt`), 'utf8')
    const { code, diagnostics, plans } = compile(source, {
      path: `${file}.opt`,
      emit: 'js',
      targets: [target],
      importFrom: '../../../../dist/runtime',
      print,
      assemble
    })
    if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join('\n'))
    const path = join(folder, `${file}-${target}${edit?.name ?? ''}.mjs`)
    const runtime = (_, module = '/index') => `dist/runtime${module}.js'`
    writeFileSync(path, (edit?.(code) ?? code).replace(/dist\/runtime(\/\w+)?'/g, runtime))
    const { name, targets } = plans[0]
    const { variants } = targets[0]
    // Whether LAMB adapts is the one thing that decides between variants; without it, that there are matrices decides nothing.
    return [file, { path, name, bytes: [variants[0].bytesPerWeight, variants.at(-1).bytesPerWeight] }]
  })
  return Object.fromEntries(files)
}

/** The same, brought to life. */
export async function compiled(target, edit) {
  const files = Object.entries(await printed(target, edit))
  const classes = files.map(async ([file, { path, name, bytes }]) => {
    return [file, { Optimizer: (await import(pathToFileURL(path).href))[name], bytes }]
  })
  return Object.fromEntries(await Promise.all(classes))
}

// The optimizers of optimizers/, compiled by the compiler in dist/, on the runtime in dist/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../scripts/build.mjs'

const urlOf = (...path) => pathToFileURL(join(root, ...path)).href

/** The class of `optimizers/<file>.opt`, and its Plan for a target; `edit` changes the code. */
export async function compiled(file, target, edit = null) {
  const { compile } = await import(urlOf('dist', 'compiler', 'compile.js'))
  const { print } = await import(urlOf('dist', 'compiler', 'emit', 'classes.js'))
  const { compile: assemble } = await import('watr')
  const source = readFileSync(join(root, 'optimizers', `${file}.opt`), 'utf8')
  const options = { path: `${file}.opt`, emit: 'js', targets: [target], print, assemble }
  const { code, diagnostics, plans } = compile(source, options)
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join('\n'))
  const folder = join(root, 'node_modules', '.cache', 'optc', 'bench')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${file}-${target}${edit?.name ?? ''}.mjs`)
  const runtime = (_, module = '/index') => `'${urlOf('dist', 'runtime')}${module}.js'`
  writeFileSync(path, (edit?.(code) ?? code).replace(/'optc-lang\/runtime(\/\w+)?'/g, runtime))
  const { name, targets } = plans[0]
  return { Optimizer: (await import(pathToFileURL(path).href))[name], plan: targets[0] }
}

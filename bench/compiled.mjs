// The optimizers of optimizers/, compiled by the compiler in dist/ and loaded from there.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../scripts/build.mjs'

/** The class of `optimizers/<file>.opt`, and its Plan for a target. */
export async function compiled(file, target) {
  const { compile } = await import('../dist/compiler/compile.js')
  const { print } = await import('../dist/compiler/emit/classes.js')
  const { compile: assemble } = await import('watr')
  const source = readFileSync(join(root, 'optimizers', `${file}.opt`), 'utf8')
  const { code, diagnostics, plans } = compile(source, {
    path: `${file}.opt`,
    emit: 'js',
    targets: [target],
    print,
    assemble
  })
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join('\n'))
  const folder = join(root, 'dist', 'bench')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${file}-${target}.js`)
  writeFileSync(path, code)
  const { name, targets } = plans[0]
  return { Optimizer: (await import(pathToFileURL(path).href))[name], plan: targets[0] }
}

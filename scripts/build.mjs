// Compiles src/ to dist/ with the TypeScript that the project pins, then optimizers/ with that. Incremental: a second run
// takes a second.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildLibrary } from './library.mjs'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const { resolve } = createRequire(import.meta.url)

export async function build() {
  const tsc = resolve('typescript/bin/tsc')
  const info = join(root, 'node_modules', '.cache', 'optc', 'tsc.tsbuildinfo')
  // The build info would make tsc skip a dist/ that someone has deleted.
  if (!existsSync(join(root, 'dist', 'cli', 'main.js'))) rmSync(info, { force: true })
  const { status } = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit', cwd: root })
  if (status !== 0) process.exit(status ?? 1)
  bundleChevrotain()
  await buildLibrary(root)
}

/** See src/compiler/syntax/chevrotain.ts. */
function bundleChevrotain() {
  const folder = join(dirname(resolve('chevrotain')), '..', '..')
  const [code, licence] = ['lib/chevrotain.mjs', 'LICENSE.txt'].map((path) => readFileSync(join(folder, path), 'utf8'))
  writeFileSync(
    join(root, 'dist', 'compiler', 'syntax', 'chevrotain.js'),
    `/*! Chevrotain\n${licence}*/\n${code.replace(/\n\/\/# sourceMappingURL=.*/, '')}`
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()

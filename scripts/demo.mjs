// `npm run demo`: compiles optimizers/ with `optc compile`, then trains on real digits with the LAMB that came out.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, root } from './build.mjs'

build()

// Inside the project, so that the compiled files find `optc-lang/runtime` as they would in a user's project.
const parent = join(root, 'node_modules', '.cache', 'optc')
const folder = mkdtempSync(join(parent, 'demo-'))
const run = (...args) => {
  console.log(`$ ${['node', ...args].join(' ').replaceAll(root, '.')}`)
  return spawnSync(process.execPath, args, { stdio: 'inherit', cwd: root }).status ?? 1
}

const began = Date.now()
const status =
  run(join(root, 'dist', 'cli', 'main.js'), 'compile', 'optimizers/*.opt', '--emit', 'js', '--out-dir', folder) ||
  run(join(root, 'examples', 'mnist', 'train.mjs'), folder, String(began))
rmSync(folder, { recursive: true, force: true })
process.exit(status)

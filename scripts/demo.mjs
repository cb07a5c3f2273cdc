// `npm run demo`: compiles optimizers/ with `optc compile`, then trains on real digits with the LAMB that came out.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, root } from './build.mjs'

await build()

// Inside the project, where `optc-lang/runtime` is found as in a user's project; emptied, so that nothing old is trained with.
const folder = join('examples', 'mnist', 'compiled')
rmSync(join(root, folder), { recursive: true, force: true })
const run = (script, ...args) => {
  console.log(`$ node ${[script, ...args].join(' ')}`)
  return spawnSync(process.execPath, [script, ...args], { stdio: 'inherit', cwd: root }).status ?? 1
}

const began = Date.now()
process.exit(
  run(join('dist', 'cli', 'main.js'), 'compile', 'optimizers/*.opt', '--emit', 'js', '--out-dir', folder) ||
    run(join('examples', 'mnist', 'train.mjs'), folder, String(began))
)

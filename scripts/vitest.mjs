// Runs vitest on some tests with more in their environment: how a command looks harder than `npm test` does.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from './build.mjs'

/** Gives vitest's exit status. `args` are its own; values of `env` may be numbers. */
export function runTests(args, env) {
  const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs')
  const environment = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]))
  const options = { stdio: 'inherit', cwd: root, env: { ...process.env, ...environment } }
  return spawnSync(process.execPath, [vitest, 'run', '--maxWorkers=1', ...args], options).status ?? 1
}

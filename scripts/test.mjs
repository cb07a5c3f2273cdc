// `npm test`: builds (the tests of the command and of the package run what was built), runs every test, and ends with
// the line `N passed, N failed`. Arguments go on to vitest: `npm test -- test/compiler`.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, root } from './build.mjs'

await build()

const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs')
const report = join(tmpdir(), `optc-tests-${process.pid}.json`)
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', ...process.argv.slice(2), '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  { stdio: 'inherit', cwd: root }
)

let summary
try {
  summary = JSON.parse(readFileSync(report, 'utf8'))
  rmSync(report)
} catch {
  console.log('0 passed, 1 failed')
  process.exit(status || 1)
}
// A test file that could not even be loaded counts as one failure.
const unloaded = summary.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0
).length
const failed = summary.numFailedTests + unloaded
const skipped = summary.numPendingTests + summary.numTodoTests
console.log(`${summary.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(status === 0 && failed > 0 ? 1 : (status ?? 1))

// How fast the command answers, as a user waits for it: whole processes, medians of five.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../scripts/build.mjs'

const RUNS = 5
const LIMITS = { '--help': 200, 'compile optimizers/*.opt': 3000 }

export async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'optc-bench-'))
  console.log(`\noptc, whole processes, medians of ${RUNS}`)
  report('--help', ['--help'])
  report('compile optimizers/*.opt', ['compile', 'optimizers/*.opt', '--out-dir', folder], () =>
    rmSync(folder, { recursive: true, force: true })
  )
}

function report(name, args, before = () => {}) {
  const times = []
  for (let i = 0; i < RUNS; i++) {
    before()
    const started = performance.now()
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
      cwd: root
    })
    times.push(performance.now() - started)
    if (status !== 0) throw new Error(`optc ${name} failed: ${stderr}`)
  }
  const median = times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]
  console.log(`  optc ${name.padEnd(26)} ${median.toFixed(0).padStart(5)} ms   (wanted: under ${LIMITS[name]})`)
}

// `npm run fuzz [-- --programs 10000 --texts 100000 --seed 1 --backend cpu,ops,ops-wasm,webgpu]`: random programs on every
// target, held to the reference, then texts that nobody meant. A night's work by default; goes on after a failure.
import { parseArgs } from 'node:util'
import { runTests } from './vitest.mjs'

const BACKENDS = ['cpu', 'ops', 'ops-wasm', 'webgpu']
const { values } = parseArgs({
  options: {
    programs: { type: 'string', default: '10000' },
    texts: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    backend: { type: 'string', default: BACKENDS.join(',') }
  }
})
const seed = Number(values.seed)

/** As many runs as fit a process: what is compiled stays in its memory. */
function* chunks(count, most) {
  for (let done = 0, i = 0; done < count; done += most, i++)
    yield { size: Math.min(most, count - done), seed: seed + i }
}

const failures = []
function run(what, file, filter, env) {
  console.log(`\n${what}, seed ${env.OPTC_SEED}`)
  if (runTests([file, '-t', filter], env) !== 0) failures.push(`${what}: OPTC_SEED=${env.OPTC_SEED}`)
}

for (const { size, seed } of chunks(Number(values.programs), 500)) {
  for (const backend of values.backend.split(',')) {
    const env = { OPTC_RUNS: size, OPTC_SEED: seed }
    run(`${size} programs on ${backend}`, `test/testing/${backend}.test.ts`, 'random programs', env)
  }
}
for (const { size, seed } of chunks(Number(values.texts), 5000)) {
  run(`${size} texts`, 'test/testing/texts.test.ts', 'texts', { OPTC_TEXTS: size, OPTC_SEED: seed })
}
console.log(failures.length === 0 ? '\nnothing found' : `\nfound:\n${failures.join('\n')}`)
process.exit(failures.length === 0 ? 0 : 1)

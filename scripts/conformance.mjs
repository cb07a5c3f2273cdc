// `npm run conformance`: makes test/conformance/figures.json anew, by the Python of OPTC_PYTHON (python3 by default), which needs
// torch, jax, optax, keras, timm, torch_optimizer and pytorch_optimizer. `npm test` needs only the JSON.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'conformance')
const python = process.env.OPTC_PYTHON ?? 'python3'
const { status, stdout, error } = spawnSync(python, [join(folder, 'figures.py')], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, JAX_PLATFORMS: 'cpu' }
})
if (error) throw error
if (status !== 0) process.exit(status ?? 1)
const { cases, schedules } = JSON.parse(stdout)
writeFileSync(join(folder, 'figures.json'), stdout)
console.log(`${cases.length} cases and ${schedules.length} schedules`)

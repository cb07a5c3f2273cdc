// `npm run soundness [-- --expressions 1000000 --steps 100000 --seed 1]`: random expressions, and steps of whole random
// optimizers, each executed by machines that do their worst within docs/numerics.md: none may leave the bound.
import { parseArgs } from 'node:util'
import { runTests } from './vitest.mjs'

const MACHINES = 3
const { values } = parseArgs({
  options: {
    expressions: { type: 'string', default: '1000000' },
    steps: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) }
  }
})
console.log(`seed ${values.seed}`)
const env = {
  OPTC_EXPRESSIONS: Math.ceil(Number(values.expressions) / MACHINES),
  OPTC_STEPS: Math.ceil(Number(values.steps) / MACHINES),
  OPTC_SEED: values.seed
}
process.exit(runTests(['test/reference/bound.test.ts', 'test/testing/soundness.test.ts'], env))

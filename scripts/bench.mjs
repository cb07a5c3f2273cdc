// `npm run bench [-- --backend wasm,cli] [--only ResNet] [--record]`: ratios from interleaved runs in one process, medians of
// five. Backends: cpu (WASM and JavaScript), wasm, webgpu and webgl (the system's GPU, or SwiftShader from npm), tensorflow
// (where it is set up); cli: how fast optc answers. `--only`: models of which the name holds the text. `--record`: keeps what
// was found in bench/results/, for the README.
import { parseArgs } from 'node:util'
import { build } from './build.mjs'
import { runAgainWithGpu } from './software-gpu.mjs'

runAgainWithGpu()

const BENCHES = ['cpu', 'wasm', 'webgpu', 'webgl', 'tensorflow', 'cli']
const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: BENCHES.join(',') },
    only: { type: 'string', default: '' },
    record: { type: 'boolean', default: false }
  }
})
const wanted = values.backend.split(',')
const unknown = wanted.filter((name) => !BENCHES.includes(name))
if (unknown.length > 0) {
  console.error(`no bench for ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`)
  process.exit(2)
}

await build()
for (const name of wanted) {
  const { bench } = await import(`../bench/${name}.mjs`)
  await bench(values)
}

// test/golden/contract/*.json and test/golden/tfjs/*.json, which tests write → docs/backends.md: for every backend and every
// line of the optimizer's contract whether it holds.
import { read } from '../pages/library.mjs'

/** Columns, and the files that they come from: a line may have been tried in another place. */
const COLUMNS = {
  webgpu: ['webgpu', 'webgpu-browser'],
  webgl: ['webgl'],
  wasm: ['wasm'],
  cpu: ['cpu'],
  'cpu-js': ['cpu-js'],
  tensorflow: ['tensorflow'],
  ops: ['ops']
}
const ASKED = Object.fromEntries(
  ['webgpu', 'webgl', 'wasm', 'cpu', 'tensorflow', 'ops'].map((name) => [name, [`asked-${name}`]])
)
const MARKS = { holds: '✓', fails: '**fails**' }

const found = (folder, name) => JSON.parse(read(`test/golden/${folder}/${name}.json`))

/** A table of what was found, with a column for each of these lists of files, and the reasons where a line says nothing. */
function tableOf(folder, files) {
  const columns = Object.values(files).map((names) => Object.assign({}, ...names.map((name) => found(folder, name))))
  const reasons = [...new Set(columns.flatMap((column) => Object.values(column)).filter((what) => !(what in MARKS)))]
  const mark = (what) =>
    MARKS[what] ?? (what === undefined ? '**not tried**' : `–${superscript(reasons.indexOf(what))}`)
  // On webgl all of it is tried in one place.
  const lines = Object.keys(found(folder, files.webgl[0]))
  const table = [
    `| | ${Object.keys(files)
      .map((name) => `\`${name}\``)
      .join(' | ')} |`,
    `|---|${columns.map(() => ':-:|').join('')}`,
    ...lines.map((line) => `| ${line} | ${columns.map((column) => mark(column[line])).join(' | ')} |`)
  ].join('\n')
  return { table, reasons: reasons.map((reason, i) => `${superscript(i)} ${reason}`) }
}

const superscript = (i) => '¹²³⁴⁵⁶⁷⁸⁹'[i]

export async function files() {
  const { table, reasons } = tableOf('contract', COLUMNS)
  const differences = ['tf-train', 'webgl'].flatMap((name) => found('tfjs', name))
  const text = `<!-- Generated from what tests found by \`npm run generate\`. DO NOT EDIT. -->
# Backends

What a compiled optimizer promises, a line each, and on which drivers it holds. \`cpu-js\` is the \`cpu\` backend where
WebAssembly is refused; \`ops\` stands for any backend without kernels of its own, and was tried on \`cpu\`. Each mark was made by
\`test/contract/\`, with Adam and with an optimizer that has every kind of state: webgl in headless Chromium; webgpu in Node, but
for the change of backend, which was tried in Chromium, for in Node TensorFlow.js itself can't read from webgpu at once.

${table}

${reasons.join(' · ')}

Besides, a model-based test (\`test/contract/model.ts\`) does what can be done with an optimizer in random order, and after
each command holds every number to the reference and counts every tensor: on cpu, wasm, webgpu, tensorflow and by operations.

## When the device is lost

A GPU's driver may be reset, and with it go all weights. TensorFlow.js goes on without an error. A compiled optimizer throws at
its next step, in \`fit\` too, at \`minimize\`, at \`observations\`, and at \`getWeights\`, so that nobody saves what is gone:

> LAMB: the WebGL context was lost, and with it weights and state. Set the backend up again, then load what was saved last: with
> tf.loadLayersModel, or assign the weights and call optimizer.setWeights.

WebGPU tells of a loss by a promise alone: an optimizer that is made on a device which is lost already knows it after an
\`await\`, as \`fit\` has some before its first step.

This sets the backend up again:

\`\`\`ts
const factory = tf.findBackendFactory('webgl')
tf.removeBackend('webgl')
tf.registerBackend('webgl', factory)
await tf.setBackend('webgl')
\`\`\`

## Beside \`tf.train.*\`

\`test/conformance/tf-train.test.ts\` asks of the compiled optimizers what TensorFlow.js tests its own for, with the same numbers:

${tableOf('tfjs', ASKED).table}

Where it is wrong, or means something else, a test shows each of these:

${differences.map((line) => `- ${line}`).join('\n')}
`
  return [{ path: 'docs/backends.md', text }]
}

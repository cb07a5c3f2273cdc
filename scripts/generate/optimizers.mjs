// optimizers/*.opt, test/golden/bytes.json and test/conformance/figures.json → docs/optimizers.md: a table of the library.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const read = (path) => readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n')

/** The doc comment of the optimizer, as one line of text without its references. */
function docOf(source) {
  const [comment] = /(?:^\/\/\/.*\n)+(?=optimizer )/m.exec(source)
  return comment
    .split('\n')
    .map((line) => line.slice(4))
    .filter((line) => !line.startsWith('@'))
    .join(' ')
}

const NUMBERS = ['', '1', '2', '3', '4']
const state = ({ state, numbers }) =>
  [String(state), ...Object.entries(numbers).flatMap(([of, n]) => (n > 0 ? [`${NUMBERS[n]} a ${of}`] : []))].join(' + ')

export function files() {
  const cases = JSON.parse(read('test/conformance/figures.json')).cases.filter((c) => !c.unlike)
  const rows = JSON.parse(read('test/golden/bytes.json')).map((row) => {
    const doc = docOf(read(`optimizers/${row.file}`))
    const descends = /Descends from ([^.:]+)[.:]/.exec(doc)?.[1] ?? ''
    const libraries = [...new Set(cases.filter((c) => c.optimizer === row.name).map((c) => c.library))]
    const cells = [
      `[${row.name}](../optimizers/${row.file})`,
      descends,
      state(row),
      row.bytes === row.compulsory ? row.bytes : `${row.bytes} (${row.compulsory})`,
      row.passes,
      libraries.join(', ')
    ]
    return `| ${cells.join(' | ')} |`
  })
  const versions = [...new Map(cases.map((c) => [c.library, c.version]))].map(([name, version]) => `${name} ${version}`)
  const text = `<!-- Generated from optimizers/*.opt by \`npm run generate\`. DO NOT EDIT. -->
# The library

${rows.length} optimizers, each as short as the box in its paper: follow a name to read it. Its comment names the paper and the
implementation that it follows, and says in a line how others of the same name differ.

*State*: bytes that it keeps a weight, and numbers that it keeps a row, a column, a layer or for the whole model. *Bytes*:
that a step reads and writes a weight, gradient included, in the fewest that are possible; in parentheses, where it can't all
be done in one pass, those of touching everything just once. *Passes*: sweeps over a layer's weights. *Held to*: whose figures
it reproduces in float64, at a relative 1e-12 a step (\`test/conformance\`): ${versions.join(', ')}.

| optimizer | descends from | state | bytes | passes | held to |
|---|---|---|---|---|---|
${rows.join('\n')}

Transforms and schedules are in [std.opt](../optimizers/std.opt).

## What is not here

Optimizers that need a second gradient, or the loss: SAM, L-BFGS, Sophia, Polyak steps. Take what they need in the training
loop: two calls of \`tf.variableGrads\` for SAM, and \`applyGradients\` with the second.
`
  return [{ path: 'docs/optimizers.md', text }]
}

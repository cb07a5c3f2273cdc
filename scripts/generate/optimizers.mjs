// optimizers/*.opt, test/golden/bytes.json and test/conformance/figures.json → docs/optimizers.md, a table of the library, and
// docs/optimizers/, a page with a plot for each.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { defaultRate, helpersOf, lawText, library, read, root, walker } from '../pages/library.mjs'
import { plot } from '../pages/plot.mjs'
import { aligned, rows, symbol, tex } from '../pages/tex.mjs'

const NUMBERS = ['', '1', '2', '3', '4']

export async function files() {
  const figures = JSON.parse(read('test/conformance/figures.json')).cases
  const bytes = JSON.parse(read('test/golden/bytes.json'))
  const entries = (await library()).map((entry) => {
    const name = entry.optimizer.name.text
    const cases = figures.filter((c) => c.optimizer === name)
    return { ...entry, name, page: entry.file.replace('.opt', '.md'), row: bytes.find((b) => b.name === name), cases }
  })
  const pages = []
  for (const entry of entries) {
    pages.push({ path: `docs/optimizers/${entry.page}`, text: pageOf(entry) })
    const path = `docs/optimizers/plots/${entry.file.replace('.opt', '.svg')}`
    pages.push({ path, text: await plotOf(entry, path) })
  }
  return [{ path: 'docs/optimizers.md', text: tableOf(entries, figures) }, ...pages]
}

/** Paragraphs of a doc comment, and what it refers to. */
function docOf({ doc }) {
  const lines = doc.split('\n').map((line) => line.trim())
  const sources = lines.filter((line) => line.startsWith('@see ')).map((line) => line.slice(5))
  const text = lines
    .filter((line) => !line.startsWith('@'))
    .join('\n')
    .trim()
  return { paragraphs: text.split(/\n\n+/).map((p) => p.replaceAll('\n', ' ')), sources }
}

const descent = ({ optimizer }) =>
  /Descends from (?!no other)([^.:]+):/.exec(docOf(optimizer).paragraphs.join(' '))?.[1] ?? ''
const libraries = ({ cases }) => [...new Set(cases.filter((c) => !c.unlike).map((c) => c.library))]

const stateText = ({ state, numbers }) =>
  [String(state), ...Object.entries(numbers).flatMap(([of, n]) => (n > 0 ? [`${NUMBERS[n]} a ${of}`] : []))].join(' + ')

const link = (source) => source.replace(/arXiv:(\d+\.\d+)/g, '[arXiv:$1](https://arxiv.org/abs/$1)')
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function pageOf(entry) {
  const { file, module, optimizer, name, row } = entry
  const { paragraphs, sources } = docOf(optimizer)
  const source = module.file.source
  const slice = ({ start, end }) => source.slice(start, end)
  const [step] = optimizer.steps
  const [weight, gradient] = step.params
  const statements = [...optimizer.uses, ...step.body]
  const observed = step.body.filter((s) => s.kind === 'observe')
  const states = optimizer.states.map(
    (s) =>
      `| $\`${symbol(s.name.text)}\`$ | ${s.over ? `one a ${s.over}` : 'one a weight'} | \`${slice(s.init)}\` | ${cell(s.doc.trim())} |`
  )
  const hypers = optimizer.hypers.map(
    (h) =>
      `| \`${h.external.text}\` | $\`${symbol(h.symbol.text)}\`$ | ${slice(h.init)} | ${h.range ? `\`${slice(h.range)}\`` : ''} | ${cell(h.doc.trim())} |`
  )
  const masks = optimizer.masks.map(
    (m) => `| \`${m.name.text}\` | | \`${cell(slice(m.predicate))}\` | | ${cell(m.doc.trim())} |`
  )
  const parts = [
    `<!-- Generated from optimizers/${file} by \`npm run generate\`. DO NOT EDIT. -->`,
    `# ${name}\n`,
    ...paragraphs.map((p) => `${p}\n`),
    ...sources.map((s) => `- ${link(s)}`),
    `- The program: [\`optimizers/${file}\`](../../optimizers/${file})`,
    `- \`import { ${name} } from 'optc-lang/optimizers'\`\n`,
    '## The step\n',
    `$\`${symbol(weight.text)}\`$ is the weight, $\`${symbol(gradient.text)}\`$ its gradient.\n`,
    math(rows(statements, [gradient, weight])),
    ...helpers(module, statements),
    ...(observed.length > 0
      ? [`Observed: ${observed.map((o) => `\`${o.name.text}\`, $\`${tex(o.value)}\`$`).join('; ')}.\n`]
      : []),
    ...(hypers.length + masks.length > 0
      ? ['## Options\n', '| option | symbol | default | range | |', '|---|---|---|---|---|', ...hypers, ...masks, '']
      : []),
    ...(states.length > 0 ? ['## State\n', '| | | starts as | |', '|---|---|---|---|', ...states, ''] : []),
    ...(optimizer.laws.length > 0 ? ['## What it keeps\n', ...optimizer.laws.map(lawOf), ''] : []),
    '## Cost\n',
    `${row.state} bytes of state a weight; a step reads and writes ${row.bytes} bytes a weight in ${row.passes === 1 ? 'one pass' : `${row.passes} passes`}${row.provedLeast ? ', the fewest that are possible' : ''}.`,
    ...(row.bytes === row.compulsory
      ? ['']
      : [
          `Touching everything just once would be ${row.compulsory}: a pass ends where what follows needs a reduction.\n`
        ]),
    '## Who else has it\n',
    ...others(entry),
    '## Its path\n',
    `![The path of ${name} on two functions](plots/${file.replace('.opt', '.svg')})\n`,
    'Computed by the reference interpreter with the defaults, but for the rate: of eight multiples of its default, the one that ends lowest.'
  ]
  return `${parts.join('\n')}\n`
}

/** A law, as it stands in the program. */
function lawOf(law) {
  const { paragraphs } = docOf(law)
  return `- \`${law.name.text}\`: ${paragraphs.join(' ')} \`${lawText(law)}\``
}

const math = (lines) => `\`\`\`math\n${aligned(lines)}\n\`\`\`\n`

/** The transforms and functions that it uses; of what has no doc comment nothing is said. */
function helpers(module, statements) {
  return helpersOf(module, statements).flatMap(({ module: home, declaration: d }) => {
    const [said] = docOf(d).paragraphs
    if (said === '' && home !== module) return []
    const intro = `where \`${d.name.text}\`${said === '' ? ' is' : `: ${said}`}\n`
    if (d.kind === 'transform') return [intro, math(rows(d.body, d.on))]
    const head = `\\mathrm{${d.name.text}}\\left( ${d.params.map((p) => symbol(p.text)).join(', ')} \\right)`
    return home === module ? [intro, math([`${head} &= ${tex(d.body)}`])] : [intro]
  })
}

function others({ cases }) {
  const same = cases.filter((c) => !c.unlike)
  const unlike = [...new Set(cases.filter((c) => c.unlike).map((c) => c.library))]
  return [
    ...(same.length > 0
      ? [
          'Held to these in float64, at a relative 1e-12 a step:\n',
          ...same.map((c) => `- ${c.library} ${c.version}: \`${c.call}\``),
          ''
        ]
      : ['Nobody whose figures could be made here.\n']),
    ...(unlike.length > 0
      ? [
          `What ${unlike.join(' and ')} ${unlike.length > 1 ? 'have' : 'has'} under this name is other mathematics, and a test shows that it is: see above.\n`
        ]
      : [])
  ]
}

/** Made anew only where what it is made from has changed: the steps of a plot take seconds. */
async function plotOf({ module, optimizer }, path) {
  const texts = [
    read('scripts/pages/plot.mjs'),
    module.file.source,
    ...(module.file.imports.length > 0 ? [read('optimizers/std.opt')] : [])
  ]
  const head = `<!-- ${createHash('sha256').update(texts.join('\0')).digest('hex')} -->\n`
  const before = existsSync(join(root, path)) ? read(path) : ''
  return before.startsWith(head) ? before : head + (await draw(module, optimizer))
}

/** The plot itself, whatever was made before. */
export async function draw(module, optimizer) {
  return plot(optimizer.name.text, await walker(module, optimizer), await defaultRate(module, optimizer))
}

function tableOf(entries, figures) {
  const lines = entries.map((entry) => {
    const { name, page, row } = entry
    const cells = [
      `[${name}](optimizers/${page})`,
      descent(entry),
      stateText(row),
      row.bytes === row.compulsory ? row.bytes : `${row.bytes} (${row.compulsory})`,
      row.passes,
      libraries(entry).join(', ')
    ]
    return `| ${cells.join(' | ')} |`
  })
  const held = figures.filter((c) => !c.unlike)
  const versions = [...new Map(held.map((c) => [c.library, c.version]))].map(([name, version]) => `${name} ${version}`)
  return `<!-- Generated from optimizers/*.opt by \`npm run generate\`. DO NOT EDIT. -->
# The library

${entries.length} optimizers, each as short as the box in its paper: follow a name to its page, with the formula, the options and a path.
The comment of each names the paper and the implementation that it follows, and says in a line how others of the same name
differ. All are compiled already: \`import { Lion } from 'optc-lang/optimizers'\`.

*State*: bytes that it keeps a weight, and numbers that it keeps a row, a column, a layer or for the whole model. *Bytes*:
that a step reads and writes a weight, gradient included, in the fewest that are possible; in parentheses, where it can't all
be done in one pass, those of touching everything just once. *Passes*: sweeps over a layer's weights. *Held to*: who else has it,
whose figures it reproduces in float64, at a relative 1e-12 a step (\`test/conformance\`): ${versions.join(', ')}.
Of deepspeed these are the formulas of its kernel, which runs on GPUs alone.

| optimizer | descends from | state | bytes | passes | held to |
|---|---|---|---|---|---|
${lines.join('\n')}

Transforms and schedules are in [std.opt](../optimizers/std.opt).

## What is not here

Optimizers that need a second gradient, or the loss: SAM, L-BFGS, Sophia, Polyak steps. Take what they need in the training
loop: two calls of \`tf.variableGrads\` for SAM, and \`applyGradients\` with the second.
`
}

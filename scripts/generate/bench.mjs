// bench/results/*.json → the tables of README.md: how many times as fast a step is as what it is measured beside.
import { readFileSync } from 'node:fs'
import { MODELS, OPTIMIZERS } from '../../bench/cases.mjs'
import { recorded } from '../../bench/report.mjs'

const BACKENDS = ['cpu', 'wasm', 'webgpu', 'webgl', 'tensorflow']
const README = new URL('../../README.md', import.meta.url)
const REGION = /(<!-- bench\/results, by `npm run generate` -->)[\s\S]*?(<!-- end -->)/

export function files() {
  const results = BACKENDS.map((backend) => ({ backend, result: recorded(backend) })).filter(({ result }) => result)
  const text = readFileSync(README, 'utf8')
  return [{ path: 'README.md', text: text.replace(REGION, (_, start, end) => `${start}\n${tables(results)}\n${end}`) }]
}

function tables(results) {
  const cellOf = (what) => (one) => {
    if (!one) return ''
    if (one.refused || one.theirs.refused || one.theirs[what] === undefined) return '–'
    const [first] = Object.values(one.ours)
    return `${times(one.theirs[what] / first[what])}${what === 'ms' ? ` · ${share(one.copies, first)}` : ''}`
  }
  return [
    ...table('a step', results, cellOf('ms')),
    '',
    ...table('main thread', results, cellOf('mainThread')),
    '',
    ...results.map(({ backend, result }) => `- ${backend}: ${machineOf(result)}`)
  ].join('\n')
}

function table(title, results, cellOf) {
  const names = results.map(({ backend }) => `\`${backend}\``)
  const rows = MODELS.flatMap(({ model, optimizers }) =>
    optimizers.map((optimizer) => {
      const cells = results.map(({ result }) =>
        cellOf(result.records.find((one) => one.model === model && one.optimizer === optimizer))
      )
      return { cells, text: `| ${optimizer}, ${model} | ${OPTIMIZERS[optimizer].beside} | ${cells.join(' | ')} |` }
    })
  )
  const told = rows.filter(({ cells }) => cells.some((cell) => /\d/.test(cell)))
  return [
    `| ${title} | beside | ${names.join(' | ')} |`,
    `|---|---|${names.map(() => '---|').join('')}`,
    ...told.map(({ text }) => text)
  ]
}

const times = (ratio) => `${ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0)}x`

/** Of the fastest copy. */
const share = (copies, { ms }) => `${((100 * Math.min(...Object.values(copies))) / ms).toFixed(0)}%`

function machineOf({ date, machine: { processor, cores, node, device } }) {
  return `${device ? `${device}; ` : ''}${processor}, ${cores} cores, Node ${node.slice(1)}, ${date}`
}

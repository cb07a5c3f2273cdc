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
  const columns = results.flatMap(({ backend, result }) => {
    const ways = [...new Set(result.records.flatMap((one) => Object.keys(one.ours ?? {})))]
    return ways.map((way) => ({ title: ways.length > 1 ? `\`${backend}\` ${way}` : `\`${backend}\``, result, way }))
  })
  const ratio = (what) => (one, way) => {
    const { ours, theirs, copies } = one
    if (!ours || theirs.refused || theirs[what] === undefined) return '–'
    return `${times(theirs[what] / ours[way][what])}${what === 'ms' ? ` · ${share(copies, ours[way])}` : ''}`
  }
  return [
    ...table('a step', columns, ratio('ms')),
    '',
    ...table('main thread', columns, ratio('mainThread')),
    '',
    ...results.map(({ backend, result }) => `- ${backend}: ${machineOf(result)}`)
  ].join('\n')
}

/** Columns and rows of which something was measured. */
function table(title, columns, cellOf) {
  const rows = MODELS.flatMap(({ model, optimizers }) => optimizers.map((optimizer) => ({ model, optimizer })))
  const cells = columns.map(({ result, way }) =>
    rows.map(({ model, optimizer }) => {
      const one = result.records.find((record) => record.model === model && record.optimizer === optimizer)
      return one ? cellOf(one, way) : ''
    })
  )
  const isTold = (cell) => /\d/.test(cell)
  const shown = columns.map((_, c) => c).filter((c) => cells[c].some(isTold))
  const line = (texts) => `| ${texts.join(' | ')} |`
  return [
    line([title, 'beside', ...shown.map((c) => columns[c].title)]),
    line(['---', '---', ...shown.map(() => '---')]).replaceAll(' ', ''),
    ...rows.flatMap(({ model, optimizer }, r) =>
      shown.some((c) => isTold(cells[c][r]))
        ? [line([`${optimizer}, ${model}`, OPTIMIZERS[optimizer].beside, ...shown.map((c) => cells[c][r])])]
        : []
    )
  ]
}

const times = (ratio) => `${ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0)}x`

/** Of the fastest copy. */
const share = (copies, { ms }) => `${((100 * Math.min(...Object.values(copies))) / ms).toFixed(0)}%`

function machineOf({ date, machine: { processor, cores, node, device } }) {
  return `${device ? `${device}; ` : ''}${processor}, ${cores} cores, Node ${node.slice(1)}, ${date}`
}

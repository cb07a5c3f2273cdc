// What a bench found: printed a line a record, and with `npm run bench -- --record` kept in bench/results/, from which
// `npm run generate` makes the README's table.
//
// A record: `model`, `optimizer`, `beside` (what it is measured beside); then `refused`, why it can't be stepped here, or
// `theirs` ({ ms, mainThread } of a step, or { refused }), `ours` (the same by driver), `copies` (ms that it takes to move
// the bytes of a step, by way of copying). `mainThread`: until the call returned, where the device works on.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MODELS } from './cases.mjs'
import { ROUNDS } from './measure.mjs'

/** What a bench is told: models of which the name holds `only`, and whether to keep what it finds. */
export const modelsOf = ({ only }) => MODELS.filter(({ model }) => model.includes(only))

/**
 * Prints what `run(tell)` tells.
 * @param backend its name
 * @param device what it runs on, where that is not the processor
 */
export async function report({ backend, device }, { record }, run) {
  console.log(`\n${backend} backend${device ? ` (${device})` : ''}, a step: medians of ${ROUNDS} interleaved runs`)
  const records = []
  await run((one) => {
    if (records.at(-1)?.model !== one.model) console.log(`\n  ${one.model} weights`)
    records.push(one)
    console.log(`    ${one.optimizer.padEnd(9)} ${lineOf(one)}`)
  })
  if (record) keep(backend, device, records)
}

function lineOf({ beside, refused, theirs, ours, copies }) {
  if (refused) return `can't be: ${refused}`
  const times = (what) => (label) => {
    const { [what]: own } = ours[label]
    return `${ms(own)} ${theirs.refused ? '' : ratio(theirs[what] / own)}`
  }
  const lines = Object.keys(ours).map((label) => {
    const shares = Object.entries(copies).map(([copy, time]) => `${percent(time / ours[label].ms)} of ${copy}`)
    const main = ours[label].mainThread === undefined ? [] : [`main thread ${times('mainThread')(label)}`]
    return [`${label} ${times('ms')(label)}`, ...shares, ...main].join(', ')
  })
  return [`${beside.padEnd(18)} ${theirs.refused ? `can't be: ${theirs.refused}` : ms(theirs.ms)}`, ...lines].join(
    ' · '
  )
}

const ms = (time) => `${(time < 10 ? time.toFixed(2) : time.toFixed(0)).padStart(5)} ms`
const ratio = (times) => `${times.toFixed(1)}x`.padStart(6)
const percent = (share) => `${(100 * share).toFixed(0).padStart(3)}%`

const fileOf = (backend) => fileURLToPath(new URL(`results/${backend}.json`, import.meta.url))

/** Records of the same machine stay where this run made no new ones. */
function keep(backend, device, records) {
  const [{ model }] = cpus()
  const machine = { processor: model.trim(), cores: cpus().length, node: process.version, device: device ?? null }
  const known = recorded(backend)
  const isOf = (a) => (b) => a.model === b.model && a.optimizer === b.optimizer
  const kept = JSON.stringify(known?.machine) === JSON.stringify(machine) ? known.records : []
  const all = [...kept.filter((one) => !records.some(isOf(one))), ...records].map(rounded)
  const place = (one) => MODELS.findIndex(({ model }) => model === one.model)
  all.sort((a, b) => place(a) - place(b))
  const result = { date: new Date().toISOString().slice(0, 10), machine, records: all }
  const path = fileOf(backend)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`)
  console.log(`\n  recorded in ${path}; npm run generate brings it into the README`)
}

/** What was recorded last, or null. */
export function recorded(backend) {
  try {
    return JSON.parse(readFileSync(fileOf(backend), 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

/** Numbers to four digits: more says nothing. */
function rounded(value) {
  if (typeof value === 'number') return Number(value.toPrecision(4))
  if (typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, rounded(one)]))
}

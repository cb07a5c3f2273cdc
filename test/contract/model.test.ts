/** The model-based test on backends that every machine has; with each optimizer another kind of state. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, test } from 'vitest'
import { subjectOf } from '../../src/testing/subject.js'
import { holdsInAnyOrder } from './model.js'

/** OPTC_RUNS=1000 looks harder. */
const RUNS = Number(process.env['OPTC_RUNS'] ?? 25)

const EVERY_KIND = `optimizer EveryKind {
  hyper learningRate as lr = 0.1 in (0, inf)
  hyper decay = 0.5 in [0, 1)
  hyper signed = false
  state m = 0
  state start = w
  state norms over layer = 0
  state count over layer = 0
  state total over model = 0
  state ticks over model = 1
  step(w, g, t) {
    m := decay * m + g
    norms := decay * norms + ‖g‖
    count := count + age
    total := total + ‖g over model‖
    ticks := ticks + t
    u = (if signed then sign(m) else m) / (1 + norms + total / ticks)
    observe ‖u‖ as moved
    w := w - lr * (u + 0.01 * (w - start) / count)
  }
}
`
const shipped = (file: string): string => readFileSync(new URL(`../../optimizers/${file}.opt`, import.meta.url), 'utf8')
const SOURCES = { 'every kind of state': EVERY_KIND, LAMB: shipped('lamb'), Prodigy: shipped('prodigy') }

beforeAll(() => {
  const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(wasm)}/`)
})

describe.each(Object.entries(SOURCES))('%s', (_, source) => {
  test.each([
    ['cpu and wasm', undefined],
    ['ops on both', ['ops']]
  ])('%s', { timeout: 120_000 + RUNS * 2000 }, async (_, targets) => {
    const subject = await subjectOf(source, targets ? { targets } : {})
    await holdsInAnyOrder(subject, ['cpu', 'wasm'], RUNS)
    expect.hasAssertions()
  })
})

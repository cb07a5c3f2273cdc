/** The model-based test, on every backend that runs in Node, and from one to another. */
import '@tensorflow/tfjs-backend-cpu'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { subjectOf } from '../../src/testing/subject.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { openWasm } from '../support/wasm.js'
import { describeWebGpu } from '../support/webgpu.js'
import { holdsInAnyOrder } from './model.js'
import { EVERY_KIND } from './optimizers.js'

/** OPTC_RUNS=1000 looks harder. */
const RUNS = Number(process.env['OPTC_RUNS'] ?? 25)

// Each has another kind of state.
const shipped = (file: string): string => readFileSync(`optimizers/${file}.opt`, 'utf8')
const SOURCES = { 'every kind of state': EVERY_KIND, LAMB: shipped('lamb'), Prodigy: shipped('prodigy') }

beforeAll(openWasm)

/** Where training begins comes first. */
function among(backends: readonly string[], runs: number, targets?: readonly string[]): void {
  test.each(Object.entries(SOURCES))('%s', { timeout: 120_000 + runs * 2000 }, async (_, source) => {
    const subject = await subjectOf(source, targets ? { targets } : {})
    await holdsInAnyOrder(subject, backends, runs)
    expect.hasAssertions()
  })
}

describe('cpu and wasm', () => among(['cpu', 'wasm'], RUNS))
describe('ops on both', () => among(['cpu', 'wasm'], RUNS, ['ops']))
describeWebGpu('webgpu', () => among(['webgpu'], Math.ceil(RUNS / 4)))
describeWebGpu('cpu, wasm, then webgpu', () => among(['cpu', 'wasm', 'webgpu'], Math.ceil(RUNS / 4)))
describeTensorFlow('tensorflow, cpu and wasm', () => among(['tensorflow', 'cpu', 'wasm'], Math.ceil(RUNS / 2)))

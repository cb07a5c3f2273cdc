/** Kernels with a mistake in them: comparing with the reference must tell every one. */
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { compile as assemble } from 'watr'
import { compile } from '../../../src/compiler/compile.js'
import { print } from '../../../src/compiler/emit/classes.js'
import { link } from '../../../src/compiler/syntax/modules.js'
import { reference, tables } from '../../../src/reference/index.js'
import { cpu } from '../../../src/runtime/cpu.js'
import type { Target } from '../../../src/runtime/index.js'
import * as runtime from '../../../src/runtime/index.js'
import type { Case } from '../../../src/testing/case.js'
import { compareCase } from '../../../src/testing/compare.js'
import { importPrinted } from '../../../src/testing/compiled.js'
import { specifierOf } from '../../../src/testing/load.js'
import { type CompiledClass, runCase } from '../../../src/testing/session.js'
import { JAVASCRIPT, type Swaps, textMutationsOf, WAT } from '../../mutation/texts.js'
import { argumentsOf, type CpuArguments, emitCpu } from '../../support/cpu.js'

afterEach(() => void vi.unstubAllGlobals())

/** Every operation, reduction and kind of state; nothing in it is so small that the bound hides it. */
const SOURCE = `optimizer Everything {
  hyper learningRate as lr = 0.3
  hyper decay as λ = 0.75
  state m = w
  state v = 0.5
  state top over layer = 0.25
  state all over model = 0.125
  step(w, g) {
    m := 0.5 * m + (1 - λ) * g
    v := max(0.25, min(4, v + g²))
    d = √v + rsqrt(v) - 0.5 * cbrt(m)
    e = if g > 0.25 and not (m >= 1) then exp(0.5 * g) else tanh(m) - floor(3 * g)
    f = if m < 0.5 or g <= -0.25 or g == 0.125 or not (g != 2) then abs(m) / d else -(log(v) + v^(0.25 * w))
    top := top + ‖e‖ + max(f - 8) - min(e + 8) + dot(w, g)
    all := all + sum(λ * f * f over model)
    observe top as most
    w := w - lr * (d + e + sign(g) * f) / (1 + top) - 0.01 * all
  }
}`

/** Gradients that the conditions tell from their neighbours. */
const SPECIAL = [0.125, 2, 0.125, 2]
const random = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => 2 * Math.sin(12.9898 * (i + 1) + 78.233 * seed) + 0.001)

const CASE: Case = {
  layers: [7, 11, 18, 21, 40].map((size, i) => ({
    name: `layer${i}`,
    shape: [size],
    weight: random(size, i),
    gradients: [5, 10].map((seed) => random(size, seed + i).map((x, j) => SPECIAL[j] ?? x)),
    group: {}
  })),
  hypers: {},
  falling: [],
  masks: {},
  inPlace: true,
  steps: 2,
  reload: 0
}

/** What the compiled class runs with. */
let running: CpuArguments
const target: Target = { backend: 'cpu', open: (program) => cpu(...running).open(program) }

const { emitted, wat, module } = emitCpu(SOURCE)
const { code } = compile(SOURCE, {
  emit: 'js',
  targets: ['cpu'],
  importFrom: specifierOf('mutants', { ...runtime, cpu: () => target }),
  print,
  assemble: () => module
})
const truth = reference(link(SOURCE, 'everything.opt', () => null).module, 'Everything')
let Everything: CompiledClass
beforeAll(async () => {
  await tf.setBackend('cpu')
  Everything = (await importPrinted(code)).Everything as CompiledClass
})

/** Whether a step with these kernels comes out wrong, or fails. */
async function differs(kernels: CpuArguments): Promise<boolean> {
  running = kernels
  try {
    const { records } = await runCase(Everything, truth, CASE)
    const { differences, undetermined } = compareCase(truth, CASE, records, tables.wasm)
    expect(undetermined).toBe(0)
    return differences.length > 0
  } catch {
    return true
  } finally {
    tf.disposeVariables()
  }
}

const inWebAssembly = (text: string): CpuArguments => {
  const [passes, kernels] = argumentsOf(emitted)
  return [{ ...passes, module: btoa(String.fromCharCode(...assemble(text))) }, kernels]
}
const inJavaScript = (text: string): CpuArguments => argumentsOf({ ...emitted, declarations: [text] })

async function survivors(text: string, swaps: Swaps, kernels: (text: string) => CpuArguments): Promise<string[]> {
  expect(await differs(kernels(text))).toBe(false)
  const all = textMutationsOf(text, swaps)
  expect(all.length).toBeGreaterThan(80)
  const alive: string[] = []
  for (const mutant of all) if (!(await differs(kernels(mutant.text)))) alive.push(mutant.label)
  return alive
}

describe('every mistake is told', () => {
  it('in WebAssembly', { timeout: 120_000 }, async () => {
    expect(await survivors(wat.replace(/ ;; .*/g, ''), WAT, inWebAssembly)).toEqual([])
  })

  it('in JavaScript', { timeout: 120_000 }, async () => {
    vi.stubGlobal('WebAssembly', undefined)
    const text = emitted.declarations.join('\n').replace(/ ?\/\/ .*/g, '')
    expect(await survivors(text, JAVASCRIPT, inJavaScript)).toEqual([])
  })
})

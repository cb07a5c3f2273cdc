/** Compiled classes in the projects of strict users: what must type-check does, and what must not does not. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { compile as assemble } from 'watr'
import { compile } from '../../src/compiler/compile.js'
import { print } from '../../src/compiler/emit/classes.js'
import { BOOL_OF_ELEMENTS, BOOL_OF_ROWS } from '../support/found.js'
import { GOLDEN } from '../support/library.js'
import { typeErrors } from '../support/typescript.js'

const folder = join(import.meta.dirname, '../../optimizers')
const names = readdirSync(folder).filter((name) => name.endsWith('.opt'))
const files = (emit: 'ts' | 'js'): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) =>
      compile(readFileSync(join(folder, name), 'utf8'), { path: name, print, assemble, emit })
        .files.filter((file) => file.name.endsWith('.ts'))
        .map((file) => [file.name, file.text])
    )
  )
const typescript = files('ts')
/** Those that the golden files have, and what they import. */
const few = Object.fromEntries(
  Object.entries(typescript).filter(([name]) => [...GOLDEN, 'std'].includes(name.slice(0, -3)))
)

describe('the library passes under every option that a strict user may set', () => {
  const { ES2020, ES2022, ESNext } = ts.ScriptTarget
  test.each([
    [{ target: ES2020 }],
    [{ target: ES2020, useDefineForClassFields: true }],
    [{ target: ES2022 }],
    [{ target: ES2022, useDefineForClassFields: false }],
    [
      {
        target: ESNext,
        noUnusedParameters: true,
        noPropertyAccessFromIndexSignature: true,
        allowUnreachableCode: false
      }
    ],
    [{ target: ES2020, isolatedDeclarations: false, verbatimModuleSyntax: false, exactOptionalPropertyTypes: false }],
    [{ erasableSyntaxOnly: true, isolatedModules: true, noFallthroughCasesInSwitch: true }]
  ])('%j', (options) => {
    expect(typeErrors(few, options)).toEqual([])
  })

  test('all of it', () => {
    expect(typeErrors(typescript, { target: ES2020 })).toEqual([])
  })

  test.each([BOOL_OF_ELEMENTS, BOOL_OF_ROWS])('what leaves a bool to a later pass', (source) => {
    expect(typeErrors({ 'kept.ts': compile(source, { print, assemble }).code })).toEqual([])
  })

  test('as declarations beside JavaScript', () => {
    expect(
      typeErrors({ ...files('js'), 'use.ts': "import { LAMB } from './lamb.js'\nexport const o: LAMB = new LAMB()" })
    ).toEqual([])
  })
})

/** What a user may write, and then what not, with what TypeScript says of it. */
const RIGHT = `
        const made = new LAMB({
          learningRate: warmupPolynomial({ peak: 1e-3 }),
          weightDecay: (t, base) => base / t,
          adapt: (layer) => layer.rank > 1,
          groups: [{ match: /embedding/, weightDecay: 0 }, { match: ['a'], adapt: true, learningRate: (t, base) => base * t }],
          inPlace: true
        })
        const options: LAMBOptions = {}
        void new LAMB(options)
        const base: tf.Optimizer = made
        void base
        optimizer.learningRate *= 0.5
        optimizer.learningRate = 5e-4
        optimizer.learningRate = (t) => 1 / t
        const rate: number = optimizer.learningRate
        void rate
        optimizer.adapt = /kernel/i
        optimizer.adapt = ['dense_Dense1/kernel']
        optimizer.adapt = false
        const match: LayerMatch = optimizer.adapt
        void match
        void optimizer.observations().then((seen) => {
          for (const [layer, { trustRatio }] of Object.entries(seen)) console.log(layer.length, trustRatio.toFixed(2))
        })
        const steps: number = optimizer.iterations
        void steps
        const kernel: 'webgpu' | 'webgl' | 'wasm' | 'cpu' | 'cpu-js' | 'tensorflow' | 'ops' | null = optimizer.kernel
        void kernel
        const bytes: number = optimizer.plan.bytesPerWeight
        void bytes
        for (const layer of optimizer.layers) {
          const info: LayerInfo = layer
          console.log(info.name, info.shape.length, layer.group, layer.masks['adapt'])
        }
        const saved: string = LAMB.className
        tf.serialization.registerClass(LAMB)
        void saved
        new Momentum().nesterov = true
        new Momentum({ nesterov: true, momentum: 0 }).nesterov = (t) => t > 3
        optimizer.groups = [{ match: true, beta1: 0.5 }]
        optimizer.applyGradients({})
        optimizer.dispose()
      `
const WRONG = [
  ['new LAMB({ learninRate: 1 })', "'learninRate' does not exist"],
  ["new LAMB({ learningRate: '1' })", 'not assignable'],
  ['new LAMB({ learningRate: undefined })', 'exactOptionalPropertyTypes'],
  ['new LAMB({ learningRate: () => true })', 'not assignable'],
  ['new LAMB({ adapt: 1 })', 'not assignable'],
  ['new LAMB({ groups: [{ weightDecay: 0 }] })', "'match' is missing"],
  ['new LAMB({ groups: [{ match: true, learninRate: 0 }] })', "'learninRate' does not exist"],
  ['new ClippedAdamW({ groups: [{ match: true, maxNorm: 1 }] })', "'maxNorm' does not exist"],
  ['new Momentum({ nesterov: 1 })', 'not assignable'],
  ["optimizer.learningRate = '1'", 'not assignable'],
  ['optimizer.learninRate = 1', "'learninRate' does not exist"],
  ['optimizer.kernel = null', 'read-only'],
  ['void optimizer.observations().then((seen) => seen.x!.ratio)', "'ratio' does not exist"],
  ['warmupPolynomial({ peek: 1 })', "'peek' does not exist"],
  ["warmupPolynomial({ peak: '1' })", 'not assignable']
]

describe('a user of LAMB', () => {
  const asFile = (text: string): string => `
    import * as tf from '@tensorflow/tfjs-core'
    import { ClippedAdamW, warmupPolynomial } from './clipped-adamw.js'
    import { LAMB, type LAMBObservations, type LAMBOptions, type LayerInfo, type LayerMatch, type Schedule } from './lamb.js'
    import { Momentum } from './momentum.js'
    export declare const optimizer: LAMB
    export type Values = [typeof tf, typeof warmupPolynomial, Momentum, ClippedAdamW]
    export type Types = [LAMBObservations, LAMBOptions, LayerInfo, LayerMatch, Schedule]
    ${text}`
  const users = [RIGHT, ...WRONG.map(([text]) => text)].map((text, i) => [`use${i}.ts`, asFile(text)] as const)
  const errors = typeErrors({ ...typescript, ...Object.fromEntries(users) })
  const errorsOf = (i: number): string[] => errors.filter((error) => error.includes(`/use${i}.ts:`))

  test('may do all that is right', () => {
    expect(errorsOf(0)).toEqual([])
  })

  test.each(WRONG.map(([text, message], i) => [text, message, i + 1] as const))('may not %s', (_text, message, i) => {
    expect(errorsOf(i)).toHaveLength(1)
    expect(errorsOf(i)[0]).toContain(message)
  })
})

/** What an author writes can't break out of where it stands in a generated file. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, describe, expect, test } from 'vitest'
import { Graph } from '../../../src/compiler/check/graph.js'
import type { Program, Schedule } from '../../../src/compiler/check/program.js'
import { print } from '../../../src/compiler/emit/classes.js'
import { printProgram } from '../../../src/compiler/emit/host.js'
import { ops } from '../../../src/compiler/emit/ops.js'
import type { Plan } from '../../../src/compiler/plan/plan.js'
import { importPrinted, RUNTIME } from '../../../src/testing/compiled.js'
import { typeErrors } from '../../support/typescript.js'
import { hyper, lamb, plan, program } from './by-hand.js'

afterEach(() => tf.disposeVariables())

/** What the tests printed, checked all at once at the end. */
const printed: Record<string, string> = {}
function typed([text]: readonly string[]): void {
  printed[`file${Object.keys(printed).length}.ts`] = text!
}

const context = { assemble: () => new Uint8Array() }

function printAll(plans: readonly Plan[], form: 'ts' | 'js', schedules: readonly Schedule[] = [], source = 'a.opt') {
  const optimizers = plans.map((one) => {
    const uses = new Set<string>()
    const compiled = printProgram(one, uses)
    return { program: one.program, compiled, uses, targets: [['ops', ops.emit(one, context)] as const] }
  })
  const importFrom = form === 'js' ? RUNTIME : 'optc-lang/runtime'
  return print({ source, importFrom, optimizers, schedules }, form).map((file) => file.text)
}

/** `w := w - h * g`, and one slot that counts in place. */
function simple(part: Partial<Program>): Plan {
  const g = new Graph()
  const [w, grad] = [g.weight(), g.gradient()]
  const h = g.hyper(part.hypers?.[0]?.name ?? 'rate', 'number')
  const next = g.binary('sub', w, g.binary('mul', h, grad))
  const slots = (part.slots ?? []).map((slot) => ({
    ...slot,
    next: g.binary('add', g.slot(slot.name, { level: 'element', place: 'device' }), g.const(1))
  }))
  const from = (name: string) => ({ kind: 'slot', name }) as const
  return plan({
    program: program({ hypers: [hyper('rate', 0.5)], weight: next, ...part, slots }),
    scalars: [{ node: h, name: 'rate' }],
    variants: [
      {
        passes: [
          {
            domain: 'element',
            segment: 0,
            loads: [{ kind: 'weight' }, { kind: 'gradient' }, ...slots.map((s) => from(s.name))],
            reads: [
              { node: w, from: { kind: 'weight' } },
              { node: grad, from: { kind: 'gradient' } },
              ...slots.map((s) => ({ node: s.next.args[0]!, from: from(s.name) }))
            ],
            stores: [
              { to: { kind: 'weight' }, value: next },
              ...slots.map((s) => ({ to: from(s.name), value: s.next }))
            ],
            reductions: [],
            finish: []
          }
        ],
        cells: [],
        scratch: 0,
        vectors: [],
        shares: [],
        layerState: [],
        observations: [],
        bytesPerWeight: 12,
        bytesCompulsory: 12,
        provedLeast: true
      }
    ]
  })
}

const slotNamed = (name: string): Program['slots'][number] => {
  const g = new Graph()
  return { name, over: 'element', place: 'device', init: g.const(3), next: g.const(0), doc: '' }
}

async function classesOf(plans: readonly Plan[], schedules: readonly Schedule[] = []) {
  return (await importPrinted(printAll(plans, 'js', schedules)[0]!)) as Record<
    string,
    new (
      options?: object
    ) => tf.Optimizer
  >
}

async function trainOne(
  Optimizer: new (options?: object) => tf.Optimizer
): Promise<{ weight: number; state: Record<string, number> }> {
  const optimizer = new Optimizer()
  const w = tf.variable(tf.tensor1d([1]), true, 'layer')
  optimizer.applyGradients({ layer: tf.tensor1d([1]) })
  const weights = await optimizer.getWeights()
  const state = Object.fromEntries(weights.map(({ name, tensor }) => [name, tensor.dataSync()[0]!]))
  return { weight: w.dataSync()[0]!, state }
}

const HOSTILE = [
  '*/ globalThis.broken = true /*',
  '`${globalThis.broken = true}`',
  '\'"\\',
  'line\r\nline\u2028globalThis.broken = true\u2029',
  '@ts-nocheck',
  '@ts-expect-error',
  '</script>'
]

describe('doc comments', () => {
  test.each(HOSTILE)('%j stays a comment', async (doc) => {
    const g = new Graph()
    const one = simple({
      name: 'Sample',
      doc,
      hypers: [{ ...hyper('rate', 0.5), doc }],
      masks: [{ name: 'some', predicate: g.match('a*/b', ''), doc }]
    })
    const schedule = { name: 'flat', doc, params: [{ name: 'value', init: 1 }], body: g.hyper('value', 'number') }
    typed(printAll([one], 'ts', [schedule]))
    const { Sample } = await classesOf([one], [schedule])
    expect((await trainOne(Sample!)).weight).toBe(0.5)
    expect(globalThis).not.toHaveProperty('broken')
  })
})

test('a path stays in its comment', () => {
  const [text] = printAll([simple({})], 'ts', [], 'a\nthrow 1\u2028throw 2\u0000.opt')
  expect(text!.split('\n')[0]).toBe(
    '// Generated by optc from a?throw 1?throw 2?.opt. DO NOT EDIT: change a?throw 1?throw 2?.opt and compile it again.'
  )
})

describe('patterns', () => {
  test.each(['/', '[/]', '"\'`', '\\/', 'a*/', '\n', '\u2028', '^$', 'a{1,2}(?:b)', '\\d', 'ü'])(
    '%j',
    async (pattern) => {
      const g = new Graph()
      const one = simple({ name: 'Sample', masks: [{ name: 'some', predicate: g.match(pattern, 'i'), doc: '' }] })
      typed(printAll([one], 'ts'))
      const { Sample } = await classesOf([one])
      const mask = (new Sample!() as unknown as { some: (layer: { name: string }) => boolean }).some
      for (const name of ['/', '"\'`', '*/', 'a\nb', 'aab', 'AB', '7', 'Ü', '']) {
        expect(mask({ name })).toBe(new RegExp(pattern, 'i').test(name))
      }
    }
  )
})

describe('names', () => {
  const OPTIMIZERS = [
    'Math',
    'class',
    'default',
    'Object',
    'cpu',
    'ops',
    'opsSample0',
    'tf',
    'Schedule',
    'LayerInfo',
    'CompiledOptimizer',
    'Target',
    'undefined',
    'Ω',
    'a_b',
    'number',
    'Float64Array'
  ]
  test.each(OPTIMIZERS)('an optimizer called %s', async (name) => {
    const one = simple({ name })
    typed(printAll([one], 'ts'))
    const classes = await classesOf([one])
    const exported = name === 'Ω' ? 'bigomega$' : name
    expect(Object.keys(classes)).toEqual([exported])
    const Optimizer = classes[exported]! as (new () => tf.Optimizer) & { className: string }
    expect((await trainOne(Optimizer)).weight).toBe(0.5)
    expect(Optimizer.className).toBe(`Optc${exported.replace('_', '$')}`)
  })

  test('several optimizers and schedules of a file, with names that meet', async () => {
    const g = new Graph()
    const schedules = ['schedule', 'Math', 'programSample'].map((name) => ({
      name,
      doc: '',
      params: [
        { name: 'default', init: 2 },
        { name: 't', init: null }
      ],
      body: g.binary(
        'mul',
        g.hyper('default', 'number'),
        g.binary('add', g.hyper('t', 'number'), g.unary('abs', g.step()))
      )
    }))
    const plans = [lamb(), simple({ name: 'Sample' }), simple({ name: 'SampleOptions' }), simple({ name: 'LAMBGroup' })]
    typed(printAll(plans, 'ts', schedules))
    const made = await classesOf(plans, schedules)
    expect(Object.keys(made).sort()).toEqual([
      'LAMB',
      'LAMBGroup',
      'Math',
      'Sample',
      'SampleOptions',
      'programSample',
      'schedule'
    ])
    const make = made.Math as unknown as (args: object) => (t: number) => number
    expect(make({ t: 10 })(5)).toBe(30)
    expect((await trainOne(made.Sample!)).weight).toBe(0.5)
  })

  test.each(['constructor', '__proto__', 'toString', 'w', 'g', 's', 'tf', 'class', 'm̂', 'eval'])(
    'a slot called %s',
    async (name) => {
      const one = simple({ name: 'Sample', slots: [slotNamed(name)] })
      typed(printAll([one], 'ts'))
      const { Sample } = await classesOf([one])
      expect((await trainOne(Sample!)).state).toEqual({ iter: 1, [`layer/${name === 'm̂' ? 'mHat$' : name}`]: 4 })
    }
  )

  test.each(['class', 'h', 'out', 'Math', 'λ', 'options', 'value'])('a hyperparameter called %s', async (name) => {
    const one = simple({ name: 'Sample', hypers: [hyper(name, 0.25)] })
    typed(printAll([one], 'ts'))
    const { Sample } = await classesOf([one])
    expect((await trainOne(Sample!)).weight).toBe(0.75)
  })
})

test('what is no TypeScript is never given out', () => {
  const one = simple({ name: 'Sample' })
  const sheet = { program: one.program, compiled: '{ host: ( }', uses: new Set<string>(), targets: [] }
  const file = { source: 'a.opt', importFrom: 'optc-lang/runtime', schedules: [], optimizers: [sheet] }
  expect(() => print(file, 'ts')).toThrow('no TypeScript')
})

test('the same program gives the same bytes', () => {
  expect(printAll([lamb()], 'js')).toEqual(printAll([lamb()], 'js'))
  expect(printAll([lamb()], 'ts')).toEqual(printAll([lamb()], 'ts'))
})

test('each of these files passes a strict type check', () => {
  expect(Object.keys(printed).length).toBeGreaterThan(40)
  expect(typeErrors(printed)).toEqual([])
})

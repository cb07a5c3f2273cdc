/** The laws that programs claim: true ones hold, false ones are told, and a class that is compiled wrong breaks its own. */
import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { tables } from '../../src/reference/index.js'
import {
  type Case,
  describeFailure,
  describeOptimizer,
  isFailure,
  lawsIn,
  type Outcome,
  propertiesOf,
  runCase,
  type Subject,
  subjectOf,
  verify
} from '../../src/testing/index.js'

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
afterEach(() => vi.restoreAllMocks())

const library = (name: string): string => readFileSync(new URL(`../../optimizers/${name}.opt`, import.meta.url), 'utf8')

/** The program with other laws. */
const claiming = (source: string, ...laws: readonly string[]): string =>
  `${source.slice(0, source.search(/\n+ *(\/\/\/.*\n *)*law |\n*}\s*$/))}\n${laws.map((l) => `  law ${l}\n`).join('')}}\n`

const subject = (source: string): Promise<Subject> => subjectOf(source, { targets: ['cpu'] })

async function tried(of: Subject, runs = 4, seed = 1): Promise<readonly Outcome[]> {
  const laws = propertiesOf(of.reference.laws).filter((p) => p.sides)
  return verify(of, { seed, runs }, laws)
}
const results = async (source: string): Promise<readonly string[]> =>
  (await tried(await subject(source))).map((o) => o.result)

const SGD = library('sgd')
const ADAM = library('adam')
const MOMENTUM = library('momentum')

test.each([
  ['SGD is linear', SGD, 'linear: w -> 8 * w, g -> 8 * g'],
  ['… is odd', SGD, 'odd: w -> -w, g -> -g'],
  ['… knows no place', SGD, 'shift: w -> w + 1'],
  ['rounding is no breach: thirds are not exact', MOMENTUM, 'thirds: g -> g / 3, lr -> 3 * lr, v -> v / 3'],
  ['a condition on a hyperparameter', MOMENTUM, 'plain: nesterov -> not nesterov if μ == 0'],
  ['a condition on the layer', ADAM, 'shift: w -> w + 1 if rank > 1 and ‖g‖ > 0'],
  ['functions of one number', library('rprop'), 'signOnly: g -> sign(g), last -> sign(last)'],
  [
    'state of the model',
    library('dog'),
    'scaleFree: g -> 8 * g, ε -> 64 * ε, G -> 64 * G, λ -> 8 * λ, rate -> rate / 8'
  ],
  ['state that starts as the weight', library('dog'), 'shift: w -> w + 1, w₀ -> w₀ + 1 if t > 1 and λ == 0'],
  ['rows and columns', library('sm3'), 'even: g -> -g, w -> -w, m -> -m']
])('holds: %s', async (_, source, law) => {
  expect(await results(claiming(source, law))).toEqual(['holds'])
})

test.each([
  ['the rate alone', SGD, 'rate: lr -> lr / 8'],
  ['SGD sees how large gradients are', SGD, 'scaleFree: g -> 8 * g'],
  ['Adam has ε', ADAM, 'scaleFree: g -> 8 * g, m -> 8 * m, v -> 64 * v'],
  ['state is claimed, too', ADAM, 'scaleFree: g -> 8 * g, ε -> 8 * ε, m -> 8 * m'],
  ['observations are', library('fromage'), 'follows: w -> 4 * w, g -> g / 4 if ‖w‖ >= δ and ‖g‖ >= 4 * δ'],
  [
    'what holds of most layers',
    library('lars'),
    'follows: w -> 4 * w, g -> g / 4, λ -> λ / 16, ε -> ε / 4, v -> 4 * v, localRate -> 16 * localRate if adapt'
  ]
])('fails: %s', async (_, source, law) => {
  const [outcome] = await tried(await subject(claiming(source, law)), 30)
  expect(outcome).toMatchObject({ result: 'fails' })
})

test('one that says nothing is no pass', async () => {
  const laws = ['never: w -> w + 1 if μ > 1', 'outOfRange: μ -> μ + 1']
  for (const outcome of await tried(await subject(claiming(MOMENTUM, ...laws)))) {
    expect(outcome).toMatchObject({ result: 'undecided', compared: 0 })
    expect(outcome.reason).toContain('it takes a layer for which its condition holds')
    expect(isFailure(outcome)).toBe(true)
  }
  const hangs = SGD.replace('w - lr * g', 'if (0.1 + g) - g > 0.1 then w else w - lr * g')
  const [undecided] = await tried(await subject(claiming(hangs, 'odd: w -> w + 0.1')))
  expect(undecided).toMatchObject({ result: 'undecided' })
})

test('what is told', async () => {
  const [{ failure } = { failure: null }] = await tried(
    await subject(claiming(ADAM, 'scaleFree: g -> 8 * g, m -> 8 * m, v -> 64 * v'))
  )
  const told = describeFailure({ ...failure!, shrinks: 10 }, (seed) => `optc test adam.opt --seed ${seed} --runs 1`)
  expect(readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')).toContain(told)
})

test('of hyperparameters, slots and observations', async () => {
  const source = claiming(
    library('lars'),
    'wrong: η -> 4 * η, v -> 2 * v, localRate -> 4 * localRate if adapt and ‖g‖ > 0'
  )
  const [{ failure } = { failure: null }] = await tried(await subject(source))
  expect(describeFailure({ ...failure!, shrinks: 0 }, String)).toMatchSnapshot()
})

test('of a row, at an element of it', async () => {
  const source =
    'optimizer A { state r over rows = 0; step(w, g) { r := max(r, max(g over rows)); w := w - g } law a: g -> 2 * g }'
  const of = await subject(source)
  const layer = {
    name: 'w',
    shape: [2, 2],
    weight: new Float32Array(4),
    gradients: [Float32Array.of(1, 2, 3, 4)],
    group: {}
  }
  const given = { layers: [layer], hypers: {}, falling: [], masks: {}, inPlace: true, steps: 1, reload: 0 }
  const { check, sides } = propertiesOf(of.reference.laws).at(-1)!
  const run = (...how: [Case]) => runCase(of.Optimizer, of.reference, ...how)
  const { differences } = await check({ subject: of, given, run, table: tables.wasm, exact: true, facts: {} as never })
  const ofRow = differences.find((d) => d.where.endsWith('r[1]'))!
  const shown = await sides!(of, given, ofRow)
  expect(shown.map((s) => [s.text.slice(0, 1), s.plain, s.replaced, s.wanted])).toEqual([
    ['g', 3, 6, null],
    ['r', 4, 8, 4],
    ['w', -3, -6, -3]
  ])
})

type Gradients = Parameters<tf.Optimizer['applyGradients']>[0]

describe('a class that is compiled wrong breaks the laws of its formula', () => {
  const ACCUMULATING = claiming(MOMENTUM, 'rateOfLoss: g -> 8 * g, lr -> lr / 8, v -> 8 * v')

  test.each([
    ['a plus that is a minus', 'μ * v + g', '(if v > 1 then g else μ * v + g)'],
    ['a number that is added', 'w - lr *', 'w + 0.001 - lr * lr *'],
    ['only from the second step on', 'v := μ * v + g', 'v := if age > 1 then g * abs(v) else μ * v + g']
  ])('%s', async (_, right, wrong) => {
    const broken = await subject(ACCUMULATING.replace(right, wrong))
    const { reference } = await subject(ACCUMULATING)
    const [outcome] = await tried({ ...broken, reference }, 12)
    expect(outcome).toMatchObject({ result: 'fails' })
    expect(outcome!.failure!.problems).toEqual(['The formula keeps this law: it is the compiled class that breaks it.'])
    expect(outcome!.failure!.sides.some((s) => s.differs)).toBe(false)
    expect(describeFailure(outcome!.failure!, String)).toContain('numbers of the reference, where the law is kept')
  })

  test('by what it does with its gradients', async () => {
    const right = await subject(claiming(SGD, 'shift: w -> w + 1'))
    class Decaying extends right.Optimizer {
      override applyGradients(gradients: Gradients): void {
        super.applyGradients(gradients)
        for (const { name } of gradients as { name: string }[]) {
          const variable = tf.engine().registeredVariables[name]!
          tf.tidy(() => variable.assign(tf.mul(variable, 0.99)))
        }
      }
    }
    const [outcome] = await tried({ ...right, Optimizer: Decaying })
    expect(outcome).toMatchObject({ result: 'fails' })
  })
})

test('a failure is drawn again by its seed alone', async () => {
  const of = await subject(claiming(SGD, 'scaleFree: g -> 8 * g'))
  const [first] = await tried(of)
  const [again] = await tried(of, 1, first!.failure!.seed)
  expect(again!.failure).toEqual(first!.failure)
})

test('describeOptimizer makes a test of each', async () => {
  const source = claiming(SGD, 'shift: w -> w + 1', 'scaleFree: g -> 8 * g')
  const tests = new Map<string, () => Promise<void>>()
  const { Optimizer } = await subject(source)
  describeOptimizer(Optimizer as never, source, {
    runs: 3,
    describe: (_, body) => body(),
    test: (name, body) => tests.set(name, body)
  })
  const [shift, scaleFree] = [...tests].filter(([name]) => name.startsWith('law '))
  expect([shift![0], scaleFree![0]]).toEqual([
    'law shift: The author claims: w -> w + 1.',
    'law scaleFree: The author claims: g -> 8 * g.'
  ])
  await shift![1]()
  await expect(scaleFree![1]()).rejects.toThrow(/with g -> 8 \* g, but must be[\s\S]*runs: 1 \}\)$/)
})

test('a text with errors claims nothing yet', () => {
  expect(lawsIn(claiming(SGD, 'a: x -> 2 * x'), {})).toEqual([])
  expect(lawsIn(claiming(SGD, 'a: w -> 2 * w'), {}).map((l) => l.text)).toEqual(['w -> 2 * w'])
})

/** Each property on an optimizer that breaks it, and only what it breaks; and what a person is told then. */
import { readFileSync } from 'node:fs'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { tables } from '../../src/reference/index.js'
import { count, elementOf, placeOf } from '../../src/reference/value.js'
import { formulasAt } from '../../src/testing/formulas.js'
import {
  type CompiledClass,
  compareCase,
  describeFailure,
  describeOptimizer,
  isFailure,
  type Outcome,
  PROPERTIES,
  runCase,
  type Subject,
  subjectOf,
  usable,
  verify
} from '../../src/testing/index.js'

const MOMENTUM = `optimizer Momentum {
  hyper learningRate as lr = 0.01 in (0, inf)
  hyper momentum as μ = 0.9 in [0, 1)
  mask matrix = rank > 1
  state v = 0
  step(w, g) {
    v := μ * v + (if matrix then g else 0.5 * g)
    w := w - lr * v
  }
}
`
const EFFORT = { seed: 1, runs: 12 }

type Gradients = Parameters<tf.Optimizer['applyGradients']>[0]
type NamedGradients = { name: string; tensor: tf.Tensor | null }[]

const subject = (source = MOMENTUM): Promise<Subject> => subjectOf(source, { targets: ['cpu'] })
const verifyNamed = (of: Subject, name: string): Promise<readonly Outcome[]> =>
  verify(of, EFFORT, [PROPERTIES.find((p) => p.name === name)!])

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
afterEach(() => vi.restoreAllMocks())

test('a right optimizer has them all', async () => {
  const outcomes = await verify(await subject(), EFFORT)
  expect(outcomes.map((o) => [o.property.name, o.result])).toEqual(PROPERTIES.map((p) => [p.name, 'holds']))
})

test('names and sentences are each of their own', () => {
  expect(new Set(PROPERTIES.map((p) => p.name)).size).toBe(PROPERTIES.length)
  for (const { says } of PROPERTIES) expect(says).toMatch(/^[A-Z].*\.$/)
})

/** Adds something to the first element of each weight after a step. */
function nudged(variables: readonly string[], by: (i: number) => number): void {
  for (const [i, name] of variables.entries()) {
    const variable = tf.engine().registeredVariables[name]!
    const values = variable.dataSync()
    if (values.length > 0) values[0]! += by(i)
  }
}

let made = 0
/** By property: a class that has everything but this. */
const BROKEN: Readonly<Record<string, (Right: CompiledClass) => CompiledClass>> = {
  extremes: (Right) =>
    class extends Right {
      override applyGradients(gradients: Gradients): void {
        // Subnormals count as 0.
        const flushed = (gradients as NamedGradients).map(({ name, tensor }) => ({
          name,
          tensor: tensor && tf.tidy(() => tf.where(tf.less(tf.abs(tensor), 2 ** -126), tf.zerosLike(tensor), tensor))
        }))
        super.applyGradients(flushed as Gradients)
        tf.dispose(flushed.map((g) => g.tensor!).filter(Boolean))
      }
    },
  'not finite': (Right) =>
    class extends Right {
      override applyGradients(gradients: Gradients): void {
        const cleaned = (gradients as NamedGradients).map(({ name, tensor }) => ({
          name,
          tensor: tensor && tf.tidy(() => tf.where(tf.isFinite(tensor), tensor, tf.zerosLike(tensor)))
        }))
        super.applyGradients(cleaned as Gradients)
        tf.dispose(cleaned.map((g) => g.tensor!).filter(Boolean))
      }
    },
  repeatable: (Right) =>
    class extends Right {
      readonly mine = made++
      override applyGradients(gradients: Gradients): void {
        super.applyGradients(gradients)
        nudged(
          (gradients as NamedGradients).map((g) => g.name),
          () => this.mine
        )
      }
    },
  permutation: (Right) =>
    class extends Right {
      override applyGradients(gradients: Gradients): void {
        super.applyGradients(gradients)
        nudged(
          (gradients as NamedGradients).map((g) => g.name),
          () => 1
        )
      }
    },
  together: (Right) =>
    class extends Right {
      override applyGradients(gradients: Gradients): void {
        super.applyGradients(gradients)
        const { length } = gradients as NamedGradients
        nudged(
          (gradients as NamedGradients).map((g) => g.name),
          () => length
        )
      }
    },
  independence: (Right) =>
    class extends Right {
      override applyGradients(gradients: Gradients): void {
        super.applyGradients(gradients)
        const [first] = gradients as NamedGradients
        const sum = first!.tensor ? tf.tidy(() => tf.sum(first!.tensor!).dataSync()[0]!) : 0
        nudged(
          (gradients as NamedGradients).slice(1).map((g) => g.name),
          () => sum
        )
      }
    },
  'host scalars': (Right) =>
    class extends Right {
      override applyGradients(gradients: Gradients): void {
        const { length } = gradients as NamedGradients
        Object.assign(this, { learningRate: 0.01 * length })
        super.applyGradients(gradients)
      }
    },
  order: (Right) =>
    class extends Right {
      override applyGradients(gradients: Gradients): void {
        super.applyGradients(gradients)
        nudged(
          (gradients as NamedGradients).map((g) => g.name),
          (i) => i
        )
      }
    },
  groups: (Right) =>
    class extends Right {
      constructor(options: Record<string, unknown>) {
        super({ ...options, groups: [] })
      }
    },
  resume: (Right) =>
    class extends Right {
      override async getWeights() {
        const weights = await super.getWeights()
        return weights.map(({ name, tensor }, i) =>
          i === 0 ? { name, tensor } : { name, tensor: tf.zerosLike(tensor) }
        )
      }
    },
  'in place': (Right) =>
    class extends Right {
      constructor(options: Record<string, unknown>) {
        super({ ...options, learningRate: options['inPlace'] ? options['learningRate'] : 0.3 })
      }
    }
}

/** How the second of two trainings went. */
const TOLD: Readonly<Record<string, string>> = {
  repeatable: ' the second time',
  permutation: ' with elements permuted',
  together: ' by itself',
  independence: ' with all else changed in the other layers',
  order: ' with the layers in reverse order',
  groups: " with what its group sets as the optimizer's own",
  resume: ' where it was saved, and went on in a new optimizer',
  'in place': ' in fresh arrays'
}

describe('one that breaks', () => {
  test.each(Object.keys(BROKEN))('%s', async (name) => {
    const right = await subject()
    const broken = (of: Subject): Subject => ({
      ...of,
      Optimizer: BROKEN[name]!(of.Optimizer),
      again: async (change) => broken(await of.again(change))
    })
    const [outcome] = await verifyNamed(broken(right), name)
    expect(outcome).toMatchObject({ result: 'fails' })
    // The laws go to the bit: what is shown of them is two numbers.
    expect(outcome!.failure!.difference!.actual).not.toBe(outcome!.failure!.difference!.expected)
    const [first] = describeFailure(outcome!.failure!, String).split('\n')
    expect(first!.replace(/-?\d+(\.\d+)?(e-?\d+)?/g, '0')).toContain(`is 0${TOLD[name] ?? ''}, but must be `)
  })

  test('the reference', async () => {
    const right = await subject()
    const wrong = await subject(MOMENTUM.replace('μ * v +', 'μ * v -'))
    const [outcome] = await verifyNamed({ ...wrong, reference: right.reference }, 'reference')
    const replay = (seed: number): string => `optc test momentum.opt --seed ${seed} --runs 1`
    // How many there were depends on how cases are drawn.
    const told = describeFailure({ ...outcome!.failure!, shrinks: 10 }, replay)
    expect(readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')).toContain(told)
  })

  test('where an infinity or NaN must show', async () => {
    const right = await subject()
    const wrong = await subject(MOMENTUM.replace('lr * v', 'lr * (if v > -1e30 and v < 1e30 then v else 0)'))
    const [outcome] = await verifyNamed({ ...wrong, reference: right.reference }, 'not finite')
    const { formulas } = outcome!.failure!
    expect(formulas.map((f) => f.differs)).toEqual([false, true])
    expect(describeFailure(outcome!.failure!, String)).toMatch(
      /→ {2}w := .* shows nothing of (NaN|-?Infinity); the first/
    )
  })

  test('memory', async () => {
    const right = await subject()
    class Leaking extends right.Optimizer {
      override applyGradients(gradients: Gradients): void {
        super.applyGradients(gradients)
        tf.scalar(1)
      }
    }
    const [outcome] = await verifyNamed({ ...right, Optimizer: Leaking }, 'reference')
    expect(outcome!.failure!.problems).toEqual(['tensors that were left when everything had been disposed: 1'])
  })

  test('by throwing', async () => {
    const right = await subject()
    class Refusing extends right.Optimizer {
      override dispose(): void {
        super.dispose()
        throw new Error('no')
      }
    }
    const [outcome] = await verifyNamed({ ...right, Optimizer: Refusing }, 'order')
    expect(outcome!.failure!.problems).toEqual(['it threw: no'])
  })
})

test('where the mistake is in how a kernel is put together, no formula is blamed', async () => {
  const right = await subject()
  // The class is right by itself; what is wrong hangs on the class alone, not on what the text compiles to.
  const Optimizer = BROKEN['repeatable']!(right.Optimizer)
  const [outcome] = await verifyNamed({ ...right, Optimizer }, 'reference')
  const told = describeFailure(outcome!.failure!, String)
  expect(outcome!.failure!.formulas.some((f) => f.differs)).toBe(false)
  expect(told).toContain('None of them differs there')
})

test('a failure is drawn again by its seed alone', async () => {
  const right = await subject()
  const wrong = await subject(MOMENTUM.replace('0.5 * g', '0.25 * g'))
  const broken = { ...wrong, reference: right.reference }
  const [{ failure } = { failure: null }] = await verifyNamed(broken, 'reference')
  const [reference] = PROPERTIES
  const [again] = await verify(broken, { seed: failure!.seed, runs: 1 }, [reference!])
  expect(again!.failure).toEqual(failure)
})

test('one of which nothing can be determined is no pass', async () => {
  const source = MOMENTUM.replace('w - lr * v', 'if (0.1 + g) - g > 0.1 then w else w - lr * v')
  const [outcome] = await verifyNamed(await subject(source), 'reference')
  expect(outcome).toMatchObject({ result: 'undecided' })
  expect(isFailure(outcome!)).toBe(true)
})

test.each([
  ['√(-1 - g²)', '`w := w - √(-1 - g²)` is NaN'],
  ['log(0 * g)', '`w := w - log(0 * g)` is infinite'],
  ['exp(g + 200)', '`w := w - exp(g + 200)` is more than float32 holds'],
  ['1 / (g - (g + 1e-9))', '`w := w - 1 / (g - (g + 1e-9))` may be rounded to anything'],
  ['(if (0.1 + g) - g > 0.1 then 1 else 2)', 'hangs on a comparison that rounding decides']
])('and its author is told why: %s', async (formula, why) => {
  const source = `optimizer Unclear { step(w, g) { w := w - ${formula} } }`
  const [outcome] = await verify(await subject(source), { seed: 1, runs: 4 }, [PROPERTIES[0]!])
  expect(outcome!.reason).toMatch(/^only \d of 4 cases could be determined, and 4 are few\. In that of seed \d, /)
  expect(outcome!.reason).toContain(why)
  expect(outcome!.reason).toMatch(/: step 1, [a-z]+\/[a-z]+(\[\d+\])?$/)
})

test('a row, column or channel has a first element', () => {
  const grid = { matrices: 2, rows: 3, cols: 4 }
  for (const level of ['row', 'col', 'channel', 'element', 'layer'] as const) {
    const first = Array.from({ length: count(grid, level) }, (_, j) => elementOf(grid, level, j))
    for (const [j, element] of first.entries()) {
      const before = Array.from({ length: element }, (_, i) => placeOf(grid, level, 'element', i))
      expect([placeOf(grid, level, 'element', element), before.includes(j)]).toEqual([j, false])
    }
  }
})

test('a row that differs is shown at an element of it', async () => {
  const source = (what: string): string =>
    `optimizer Rows { state r over rows = 0; step(w, g) { r := max(r, ${what}(g over rows)); w := w - g } }`
  const { reference } = await subject(source('max'))
  const wrong = await subject(source('min'))
  // Its first row has but one value.
  const values = Float32Array.of(1, 1, 1, 2, 3, 4)
  const layers = [{ name: 'w', shape: [2, 3], weight: new Float32Array(6), gradients: [values], group: {} }]
  const given = { layers, hypers: {}, falling: [], masks: {}, inPlace: true, steps: 1, reload: 0 }
  const { records } = await runCase(wrong.Optimizer, reference, given)
  const [difference] = compareCase(reference, given, records, tables.wasm).differences
  expect(difference).toMatchObject({ where: 'step 1, w, r[1]', at: { element: 3 } })
  const formulas = await formulasAt({ ...wrong, reference }, given, difference!, tables.wasm)
  expect(formulas.map((f) => [f.reference, f.kernel, f.differs])).toEqual([
    [4, 2, true],
    [-2, -2, false]
  ])
})

test('one that does not optimize is said not to', async () => {
  // In Node, WebGPU can't be read while one waits.
  const read = vi.spyOn(tf.Tensor.prototype, 'dataSync')
  const [quadratic, valley] = await usable(await subject(MOMENTUM.replace('w - lr * v', 'w + lr * v')))
  expect([quadratic!.steps, valley!.steps]).toEqual([null, null])
  expect((await usable(await subject())).map((u) => u.steps)).toEqual([expect.any(Number), expect.any(Number)])
  expect(read.mock.contexts.filter((tensor) => tensor instanceof tf.Variable)).toEqual([])
  read.mockRestore()
})

describe('describeOptimizer', () => {
  interface Registered {
    readonly name: string
    readonly body: (...context: unknown[]) => Promise<void>
  }
  function registered(of: Subject, source: string): Registered[] {
    const tests: Registered[] = []
    describeOptimizer(of.Optimizer as never, source, {
      runs: 3,
      describe: (_, body) => body(),
      test: (name, body) => tests.push({ name, body })
    })
    return tests
  }

  test('makes a test of each property', async () => {
    const tests = registered(await subject(), MOMENTUM)
    expect(tests.map((t) => t.name)).toEqual(PROPERTIES.map((p) => `${p.name}: ${p.says}`))
    for (const { body } of tests) await body()
  })

  test('which fails for a class of another text', async () => {
    const [first] = registered(await subject(MOMENTUM.replace('0.5 *', '0.75 *')), MOMENTUM)
    await expect(first!.body()).rejects.toThrow(
      /must be[\s\S]*describeOptimizer\(Momentum, …, \{ seed: \d+, runs: 1 \}\)\nIf the class was compiled from another text/
    )
  })

  test('what the optimizers of cases warn of is kept from the author', async () => {
    const right = await subject()
    class Warning extends right.Optimizer {
      override applyGradients(gradients: Gradients): void {
        console.warn('now')
        super.applyGradients(gradients)
      }
    }
    const [first] = registered({ ...right, Optimizer: Warning }, MOMENTUM)
    await first!.body()
    expect(console.warn).not.toHaveBeenCalled()
    console.warn('again')
    expect(console.warn).toHaveBeenCalledOnce()
  })

  test('a property that has nothing to try is skipped, and says why', async () => {
    const source = MOMENTUM.replace('w - lr * v', 'w - lr * mean(v over model)')
    const tests = registered(await subject(source), source)
    const together = tests.find((t) => t.name.startsWith('together'))!
    const notes: string[] = []
    await together.body({ skip: (note: string) => notes.push(note) })
    await together.body()
    const why = 'together: nothing to try: layers are meant to know of each other: something is over the model'
    expect(notes).toEqual([why])
    // A runner that can't skip from inside.
    expect(vi.mocked(console.warn).mock.calls.flat()).toContain(why)
    // jest waits for a parameter to be called.
    expect(together.body).toHaveLength(0)
  })

  test('and says what it needs', async () => {
    const { Optimizer } = await subject()
    expect(() => describeOptimizer(Optimizer as never, MOMENTUM, {})).toThrow('needs `describe` and `test`')
  })
})

/**
 * The float64 reference against the float64 figures of torch, optax, keras, timm and others (figures.py): relative 1e-12 a
 * step. Compiled classes are held to the reference elsewhere, so this is where the two chains meet.
 */
import { describe, expect, test } from 'vitest'
import { type LayerStart, type Reference, reference, trajectory } from '../../src/reference/index.js'
import { linked, shipped } from '../support/library.js'
import figures from './figures.json' with { type: 'json' }

type Options = Readonly<Record<string, number | boolean>>

interface Case {
  /** The name of what is compared: an optimizer of the library, or what `program` uses of "std". */
  readonly optimizer: string
  readonly program?: string
  readonly options: Options
  /** The layers that a mask holds for. */
  readonly masks?: Readonly<Record<string, readonly string[]>>
  /** What layers of one dimension have in the place of the options. */
  readonly groups?: Options
  /** From this step on the rate is half of what the options say. */
  readonly slowed?: number
  /** The same name, but not the same mathematics. */
  readonly unlike?: boolean
  readonly library: string
  readonly version: string
  readonly call: string
  /** After these steps, of all layers in their order. */
  readonly weights: Readonly<Record<string, readonly number[]>>
}

const cases = figures.cases as unknown as readonly Case[]

const A_STEP = 1e-12
/** Other mathematics, or another hyperparameter, shows by more than this. */
const SHOWS = 1000 * A_STEP

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const remainder = (a: number, n: number): number => ((a % n) + n) % n

/** The formulas of figures.py. */
function start(k: number): Float64Array {
  const { name, shape } = figures.layers[k]!
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
    name === 'zero/kernel' ? 0 : (remainder(5 * i + 3 * k, 11) - 5) / 8
  )
}
function gradient(k: number, t: number): Float64Array {
  const { name, shape } = figures.layers[k]!
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
    name === 'still/kernel' ? 0 : (remainder(7 * i + 13 * t + 5 * k, 17) - 6) / 2 ** (4 + k)
  )
}

const references = new Map<string, Reference>()
function referenceOf({ optimizer, program }: Case): Reference {
  const source = program ?? shipped.get(optimizer)!.source
  const known = references.get(source) ?? reference(linked(source), program ? 'Transformed' : optimizer)
  references.set(source, known)
  return known
}

/**
 * The largest difference a step, relative to the larger of the value and the layer's largest weight in that step; or the
 * first that is more than `enough`.
 */
function worst(c: Case, options: Options = c.options, enough = Infinity): number {
  const layers = figures.layers.map(({ name, shape }, k): LayerStart => {
    const masks = Object.fromEntries(Object.entries(c.masks ?? {}).map(([mask, of]) => [mask, of.includes(name)]))
    return { name, shape, weight: start(k), masks, ...(shape.length === 1 && c.groups && { hypers: c.groups }) }
  })
  const run = trajectory(referenceOf(c), layers, options)
  let difference = 0
  for (let t = 1; t <= Math.max(...Object.keys(c.weights).map(Number)); t++) {
    const now: Options = t >= (c.slowed ?? Infinity) ? { learningRate: (options.learningRate as number) / 2 } : {}
    const result = run.step(
      layers.map((_, k) => gradient(k, t)),
      now
    )
    const theirs = c.weights[t]
    if (!theirs) continue
    let from = 0
    for (const { weight } of result.layers) {
      const figure = theirs.slice(from, from + weight.value.length)
      from += figure.length
      const scale = Math.max(...figure.map(Math.abs), Number.MIN_VALUE)
      figure.forEach((value, i) => {
        difference = Math.max(difference, Math.abs(weight.value[i]! - value) / scale / t)
      })
    }
    if (difference > enough) break
  }
  return difference
}

describe.each(cases.filter((c) => !c.unlike))('$optimizer against $library $version: $call', (c) => {
  test('is the same mathematics', () => {
    expect(worst(c)).toBeLessThanOrEqual(A_STEP)
  })

  if (c.groups) {
    test('would show if biases had the options of the others', () => {
      const { groups: _, ...alike } = c
      expect(worst(alike, c.options, SHOWS)).toBeGreaterThan(SHOWS)
    })
  }

  test.each(Object.entries(c.groups ? {} : c.options).filter(([, value]) => typeof value === 'number' && value !== 0))(
    'would show another %s',
    (name, value) => {
      expect(worst(c, { ...c.options, [name]: (value as number) * 0.99 }, SHOWS)).toBeGreaterThan(SHOWS)
    }
  )
})

describe('the same name, but other mathematics', () => {
  test.each(cases.filter((c) => c.unlike))('$optimizer is not $library $version: $call', (c) => {
    expect(worst(c, c.options, SHOWS)).toBeGreaterThan(SHOWS)
  })
})

test.each(figures.schedules)('$schedule is $library $version: $call', ({ schedule, values }) => {
  const names = [...schedule.matchAll(/\w+(?=\()/g)].join(', ')
  const source = `import { ${names} } from "std" optimizer Rate { step(w, g) { w := ${schedule} + 0 * g } }`
  const run = trajectory(reference(linked(source)), [{ name: 'a', shape: [1], weight: [0] }])
  const scale = Math.max(...Object.values(values))
  for (let t = 1; t <= 100; t++) {
    const rate = run.step([[0]]).layers[0]!.weight.value[0]!
    const theirs = (values as Record<string, number>)[t]
    if (theirs !== undefined) expect(Math.abs(rate - theirs)).toBeLessThanOrEqual(A_STEP * scale)
  }
})

test.each(figures.deviations)('$transform is $library $version: $call', ({ transform, values }) => {
  const noises = [transform, 'gradientNoise(eta = 1, gamma = 0)'].map((use) => {
    const source = `import { gradientNoise } from "std" optimizer Noise { use ${use} step(w, g) { w := g } }`
    return trajectory(reference(linked(source)), [{ name: 'a', shape: [5], weight: [0, 0, 0, 0, 0] }])
  })
  for (let t = 1; t <= 100; t++) {
    const [own, unit] = noises.map((run) => run.step([[0, 0, 0, 0, 0]]).layers[0]!.weight.value)
    const theirs = (values as Record<string, number>)[t]
    if (theirs === undefined) continue
    for (const [i, x] of unit!.entries()) expect(Math.abs(own![i]! / x / theirs - 1)).toBeLessThanOrEqual(A_STEP)
  }
})

test('every optimizer of the library has been compared with somebody else', () => {
  const compared = new Set(cases.filter((c) => !c.unlike).map((c) => c.optimizer))
  expect([...shipped.keys()].filter((name) => !compared.has(name))).toEqual([])
})

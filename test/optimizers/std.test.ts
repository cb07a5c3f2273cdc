/** The standard library says what its comments say: schedules against closed forms, transforms through the reference. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { check } from '../../src/compiler/check/check.js'
import { constantOf } from '../../src/compiler/check/constant.js'
import { Graph } from '../../src/compiler/check/graph.js'
import type { Node } from '../../src/compiler/check/program.js'
import { link } from '../../src/compiler/syntax/modules.js'
import { reference } from '../../src/reference/index.js'

const source = readFileSync(new URL('../../optimizers/std.opt', import.meta.url), 'utf8')
const { schedules } = check(link(source, 'std', () => null).module).checked

/** A schedule as a function of the step. */
function schedule(name: string, args: Readonly<Record<string, number>> = {}): (t: number) => number {
  const { params, body } = schedules.find((s) => s.name === name)!
  return (t) => {
    const graph = new Graph()
    const put = (node: Node): Node => {
      if (node.op === 'step') return graph.const(t)
      if (node.op === 'hyper') return graph.const(args[node.name] ?? params.find((p) => p.name === node.name)!.init!)
      return node.args.length === 0 ? graph.rebuild(node, []) : graph.rebuild(node, node.args.map(put))
    }
    return Number(constantOf(put(body)))
  }
}

/** Fewer than 64 roundings stand between the two, each of half a unit of the largest value. */
const near = (actual: number, expected: number, scale: number): void =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(64 * (Number.EPSILON / 2) * scale)

const STEPS = [1, 2, 7, 50, 99, 100, 101, 500, 999, 1000, 1001, 5000]
const progress = (t: number, first: number, last: number): number =>
  Math.min(1, Math.max(0, (t - first) / (last - first)))

describe('schedules', () => {
  test('all are there', () => {
    expect(schedules.map((s) => s.name)).toEqual([
      'constant',
      'warmup',
      'linear',
      'polynomial',
      'cosine',
      'cosineRestarts',
      'oneCycle',
      'inverseSquareRoot',
      'warming',
      'stepDecay',
      'exponential',
      'warmupPolynomial',
      'warmupCosine',
      'scaleByBatch'
    ])
    for (const s of schedules) for (const p of s.params) expect(p.init, `${s.name}.${p.name}`).not.toBe(null)
  })

  test.each(STEPS)('at step %i', (t) => {
    const total = 1000
    const wave = (p: number): number => (1 + Math.cos(Math.PI * p)) / 2
    near(schedule('constant', { rate: 3 })(t), 3, 3)
    near(schedule('warmup', { peak: 2, steps: 100 })(t), 2 * Math.min(1, t / 100), 2)
    near(schedule('linear', { start: 2, end: 1, total })(t), 2 - progress(t, 0, total), 2)
    near(schedule('polynomial', { start: 2, end: 1, total, power: 2 })(t), 1 + (1 - progress(t, 0, total)) ** 2, 2)
    near(schedule('cosine', { start: 2, end: 1, total })(t), 1 + wave(progress(t, 0, total)), 2)
    near(schedule('stepDecay', { start: 2, factor: 0.5, every: 100 })(t), 2 * 0.5 ** Math.floor(t / 100), 2)
    near(schedule('exponential', { start: 2, factor: 0.5, every: 100 })(t), 2 * 0.5 ** (t / 100), 2)
    const warm = (then: number): number => (t <= 100 ? (2 * t) / 100 : then)
    const left = 1 - progress(t, 100, total)
    near(schedule('warmupPolynomial', { peak: 2, warmup: 100, total, power: 3 })(t), warm(2 * left ** 3), 2)
    near(schedule('warmupCosine', { peak: 2, warmup: 100, total })(t), warm(2 * wave(progress(t, 100, total))), 2)
  })

  test('end where they say, for good', () => {
    for (const name of ['linear', 'polynomial', 'cosine', 'warmupPolynomial', 'warmupCosine']) {
      near(schedule(name)(10_000), 0, 0.001)
      expect(schedule(name)(20_000), name).toBe(schedule(name)(10_000))
    }
  })

  test('a warmup of no steps is none', () => {
    expect(schedule('warmup', { peak: 2, steps: 0 })(1)).toBe(2)
    near(schedule('warmupCosine', { peak: 2, warmup: 0, total: 4 })(2), 1, 2)
  })

  test('the learning rate grows with the batch, in proportion or with the root', () => {
    expect(schedule('scaleByBatch', { base: 0.1, baseBatch: 256, batch: 1024 })(5)).toBe(0.4)
    expect(schedule('scaleByBatch', { base: 0.1, baseBatch: 256, batch: 1024, power: 0.5 })(5)).toBe(0.2)
  })
})

describe('transforms of the gradient', () => {
  /** What a step subtracts from weights of 0, for two layers' gradients. */
  function clipped(use: string, ...gradients: readonly (readonly number[])[]): number[][] {
    const name = use.slice(0, use.indexOf('('))
    const text = `import { ${name} } from "std"\noptimizer Plain { use ${use}\n step(w, g) { w := w - g } }`
    const layers = gradients.map((gradient, i) => {
      return { name: `${i}`, shape: [gradient.length], weight: gradient.map(() => 0), gradient, age: 1, slots: {} }
    })
    const { module } = link(text, 'plain.opt', () => null)
    return reference(module)
      .step({ t: 1, layers })
      .layers.map((l) => Array.from(l.weight.value, (x) => 0 - x))
  }

  test('clipByGlobalNorm: by the norm over all layers', () => {
    expect(clipped('clipByGlobalNorm(1)', [3, 0], [0, 4])).toEqual([
      [3 * (1 / 5), 0],
      [0, 4 * (1 / 5)]
    ])
    expect(clipped('clipByGlobalNorm(5)', [3, 0], [0, 4])).toEqual([
      [3, 0],
      [0, 4]
    ])
    expect(clipped('clipByGlobalNorm(1)', [0, 0])).toEqual([[0, 0]])
  })

  test('clipByLayerNorm: by each layer’s own', () => {
    expect(clipped('clipByLayerNorm(3.5)', [3, 0], [0, 4])).toEqual([
      [3, 0],
      [0, 4 * (3.5 / 4)]
    ])
  })

  test('clipByValue: each by itself', () => {
    expect(clipped('clipByValue(2)', [3, -4], [1, -2])).toEqual([
      [2, -2],
      [1, -2]
    ])
  })
})

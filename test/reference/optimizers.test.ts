/** The six optimizers by hand: plain loops, written from the papers and not from the .opt files. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { link, type Module } from '../../src/compiler/syntax/modules.js'
import { type LayerStart, reference, trajectory } from '../../src/reference/index.js'

type Vector = number[]
interface HandLayer {
  w: Vector
  m: Vector
  v: Vector
  matrix: boolean
}

const norm = (x: Vector): number => Math.sqrt(x.reduce((s, y) => s + y * y, 0))

/** One step of all layers, in place; t counts from 1. */
type Hand = (layers: HandLayer[], gradients: Vector[], t: number) => void

const eachWeight = (
  layers: HandLayer[],
  gradients: Vector[],
  f: (l: HandLayer, i: number, g: number) => void
): void => {
  layers.forEach((l, k) => {
    l.w.forEach((_, i) => {
      f(l, i, gradients[k]![i]!)
    })
  })
}

function adamDirection(l: HandLayer, i: number, g: number, t: number, b1: number, b2: number, eps: number): number {
  l.m[i] = b1 * l.m[i]! + (1 - b1) * g
  l.v[i] = b2 * l.v[i]! + (1 - b2) * g * g
  const mean = l.m[i]! / (1 - b1 ** t)
  const variance = l.v[i]! / (1 - b2 ** t)
  return mean / (Math.sqrt(variance) + eps)
}

const byHand: Record<string, { file: string; options: Record<string, number | boolean>; step: Hand }> = {
  SGD: {
    file: 'sgd',
    options: { learningRate: 0.3 },
    step: (layers, gradients) => eachWeight(layers, gradients, (l, i, g) => (l.w[i]! -= 0.3 * g))
  },
  Momentum: {
    file: 'momentum',
    options: { learningRate: 0.2, momentum: 0.8 },
    step: (layers, gradients) =>
      eachWeight(layers, gradients, (l, i, g) => {
        l.v[i] = 0.8 * l.v[i]! + g
        l.w[i]! -= 0.2 * l.v[i]!
      })
  },
  Nesterov: {
    file: 'momentum',
    options: { learningRate: 0.2, momentum: 0.8, nesterov: true },
    step: (layers, gradients) =>
      eachWeight(layers, gradients, (l, i, g) => {
        l.v[i] = 0.8 * l.v[i]! + g
        l.w[i]! -= 0.2 * (g + 0.8 * l.v[i]!)
      })
  },
  Adam: {
    file: 'adam',
    options: { learningRate: 0.01, beta1: 0.8, beta2: 0.95, epsilon: 1e-3 },
    step: (layers, gradients, t) =>
      eachWeight(layers, gradients, (l, i, g) => (l.w[i]! -= 0.01 * adamDirection(l, i, g, t, 0.8, 0.95, 1e-3)))
  },
  LARS: {
    file: 'lars',
    options: { learningRate: 0.5, momentum: 0.7, weightDecay: 0.1, trustCoefficient: 0.02, epsilon: 1e-3 },
    step: (layers, gradients) =>
      layers.forEach((l, k) => {
        const g = gradients[k]!
        const decay = l.matrix ? 0.1 : 0
        const [nw, ng] = [norm(l.w), norm(g)]
        const rate = l.matrix && nw > 0 && ng > 0 ? (0.02 * nw) / (ng + 0.1 * nw + 1e-3) : 1
        l.w.forEach((w, i) => {
          l.v[i] = 0.7 * l.v[i]! + 0.5 * rate * (g[i]! + decay * w)
          l.w[i] = w - l.v[i]!
        })
      })
  },
  LAMB: {
    file: 'lamb',
    options: { learningRate: 0.05, beta1: 0.85, beta2: 0.98, epsilon: 1e-4, weightDecay: 0.2 },
    step: (layers, gradients, t) =>
      layers.forEach((l, k) => {
        const u = l.w.map((w, i) => {
          return adamDirection(l, i, gradients[k]![i]!, t, 0.85, 0.98, 1e-4) + (l.matrix ? 0.2 * w : 0)
        })
        const [nw, nu] = [norm(l.w), norm(u)]
        const ratio = l.matrix && nw > 0 && nu > 0 ? nw / nu : 1
        u.forEach((x, i) => {
          l.w[i]! -= 0.05 * ratio * x
        })
      })
  },
  ClippedAdamW: {
    file: 'clipped-adamw',
    options: { learningRate: 0.02, beta1: 0.8, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.3, maxNorm: 0.7 },
    step: (layers, gradients, t) => {
      const whole = norm(gradients.flat())
      const scale = whole > 0.7 ? 0.7 / whole : 1
      eachWeight(layers, gradients, (l, i, g) => {
        const u = adamDirection(l, i, g * scale, t, 0.8, 0.9, 1e-3)
        const kept = l.matrix ? l.w[i]! * (1 - 0.02 * 0.3) : l.w[i]!
        l.w[i] = kept - 0.02 * u
      })
    }
  }
}

const LAYERS: readonly { name: string; shape: number[]; w: Vector }[] = [
  { name: 'dense/kernel', shape: [2, 3], w: [0.5, -1.25, 0, 2, -0.375, 0.1] },
  { name: 'dense/bias', shape: [3], w: [0, 0.25, -0.5] },
  { name: 'zero/kernel', shape: [2, 1], w: [0, 0] }
]
const STEPS = 4
const gradientsAt = (t: number): Vector[] => LAYERS.map(({ w }, k) => w.map((_, i) => Math.sin(3 * i + 5 * k + 7 * t)))

const parsed = (source: string, path: string): Module => {
  const { module, diagnostics } = link(source, path, () => null)
  expect(diagnostics).toEqual([])
  return module
}
const sourceOf = (file: string): string =>
  readFileSync(new URL(`../../optimizers/${file}.opt`, import.meta.url), 'utf8')

/** The largest difference between weights by hand and by the reference, after any step. */
function difference(name: string, edit: (source: string) => string = (s) => s): number {
  const { file, options, step } = byHand[name]!
  const layers = LAYERS.map(({ w, shape }): HandLayer => {
    return { w: [...w], m: w.map(() => 0), v: w.map(() => 0), matrix: shape.length > 1 }
  })
  const starts = LAYERS.map(({ name, shape, w }): LayerStart => ({ name, shape, weight: w }))
  const run = trajectory(reference(parsed(edit(sourceOf(file)), `${file}.opt`)), starts, options)
  let largest = 0
  for (let t = 1; t <= STEPS; t++) {
    const gradients = gradientsAt(t)
    step(layers, gradients, t)
    run.step(gradients).layers.forEach((layer, k) => {
      layer.weight.value.forEach((w, i) => {
        largest = Math.max(largest, Math.abs(w - layers[k]!.w[i]!))
      })
    })
  }
  return largest
}

// Some thirty float64 operations a step on values near 1.
const ROUNDING = 100 * STEPS * Number.EPSILON

test.each(Object.keys(byHand))('%s', (name) => {
  expect(difference(name)).toBeLessThanOrEqual(ROUNDING)
})

describe('an optimizer that is slightly another', () => {
  const mutants: readonly (readonly [string, string, string, string])[] = [
    ['Adam', 'ε in the root', '(√v̂ + ε)', '√(v̂ + ε)'],
    ['Adam', 't off by one', 'β1^t', 'β1^(t - 1 + 2)'],
    ['Adam', 'v corrected with β1', 'β2^t', 'β1^t'],
    ['Momentum', 'the rate inside the buffer, once it counts', 'v := μ * v + g', 'v := μ * v + (1 - μ) * g'],
    ['Nesterov', 'plain momentum', 'g + μ * v', 'v'],
    ['LARS', 'decay missing from the ratio', ' + decay * ‖w‖', ''],
    ['LARS', 'decay in the ratio only', '(g + decay * w)', 'g'],
    ['LARS', 'the norm of the model', '(‖g‖ +', '(‖g over model‖ +'],
    ['LAMB', 'a ratio for layers without one', 'if adapt and ‖w‖ > 0 and', 'if ‖w‖ > 0 and'],
    ['LAMB', 'no guard for weights that are 0', 'adapt and ‖w‖ > 0 and ‖u‖ > 0', 'adapt and ‖u‖ > 0'],
    ['LAMB', 'decay outside of the norm', '‖u‖ > 0 then ‖w‖ / ‖u‖', '‖u‖ > 0 then ‖w‖ / ‖m̂ / (√v̂ + ε)‖'],
    ['ClippedAdamW', 'decay that is coupled', 'then (1 - lr * λ) * w', 'then (1 - λ) * w'],
    ['ClippedAdamW', 'no clip', 'use clipByGlobalNorm(maxNorm)', 'use clipByGlobalNorm(100 * maxNorm)']
  ]
  test.each(mutants)('%s with %s differs', (name, _, from, to) => {
    expect(sourceOf(byHand[name]!.file)).toContain(from)
    expect(difference(name, (source) => source.replace(from, to))).toBeGreaterThan(1e-6)
  })
})

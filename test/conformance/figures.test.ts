/**
 * The float64 reference against the float64 figures of torch, optax, keras and timm (figures.py): relative 1e-12 a step.
 * Compiled classes are held to the reference elsewhere, so this is where the two chains meet.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { link } from '../../src/compiler/syntax/modules.js'
import { type LayerStart, reference, trajectory } from '../../src/reference/index.js'
import figures from './figures.json' with { type: 'json' }

interface Case {
  readonly optimizer: string
  readonly options: Readonly<Record<string, number | boolean>>
  /** The layers that the mask `adapt` holds for; absent where the optimizer has none. */
  readonly adapt?: readonly string[]
  readonly library: string
  readonly version: string
  readonly call: string
  readonly weights: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
}

const A_STEP = 1e-12

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
    name === 'still/kernel' ? 0 : (remainder(7 * i + 13 * t + 5 * k, 17) - 8) / 2 ** (4 + k)
  )
}

const fileOf = (optimizer: string): string =>
  fileURLToPath(new URL(`../../optimizers/${optimizer.toLowerCase()}.opt`, import.meta.url))

/** The largest difference, relative to the larger of the value and the layer's largest weight in that step. */
function worst(c: Case, options: Case['options'] = c.options): number {
  const path = fileOf(c.optimizer)
  const { module, diagnostics } = link(readFileSync(path, 'utf8'), path, () => null)
  expect(diagnostics).toEqual([])
  const layers = figures.layers.map(({ name, shape }, k): LayerStart => {
    const masks = c.adapt && { masks: { adapt: c.adapt.includes(name) } }
    return { name, shape, weight: start(k), ...masks }
  })
  const run = trajectory(reference(module, c.optimizer), layers, options)
  let difference = 0
  for (let t = 1; t <= Math.max(...figures.steps); t++) {
    const result = run.step(layers.map((_, k) => gradient(k, t)))
    const theirs = c.weights[t]
    if (!theirs) continue
    for (const layer of result.layers) {
      const figure = theirs[layer.name]!
      const scale = Math.max(...figure.map(Math.abs), Number.MIN_VALUE)
      figure.forEach((value, i) => {
        difference = Math.max(difference, Math.abs(layer.weight.value[i]! - value) / scale / t)
      })
    }
  }
  return difference
}

describe.each(figures.cases as unknown as Case[])('$optimizer against $library $version: $call', (c) => {
  test('is the same mathematics', () => {
    expect(worst(c)).toBeLessThanOrEqual(A_STEP)
  })

  test.each(Object.entries(c.options).filter(([, value]) => typeof value === 'number' && value !== 0))(
    'would show another %s',
    (name, value) => {
      expect(worst(c, { ...c.options, [name]: (value as number) * 0.99 })).toBeGreaterThan(1000 * A_STEP)
    }
  )
})

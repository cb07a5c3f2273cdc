/** What std and the library make of random numbers, through the reference: is it distributed as their comments say? */
import { expect, test } from 'vitest'
import { reference, trajectory } from '../../src/reference/index.js'
import { linked, shipped } from '../support/library.js'

const SIZE = 20_000

/** The weights, from 0, after one step with gradients of 0. */
function drawn(step: string, before = ''): Float64Array {
  const source =
    `import { gaussian, gradientNoise } from "std" optimizer Draw { ${before} step(w, g, t) { ${step} } }`.replace(
      before === '' ? ', gradientNoise' : 'gaussian, ',
      ''
    )
  const zeros = new Float64Array(SIZE)
  return trajectory(reference(linked(source)), [{ name: 'w', shape: [SIZE], weight: zeros }]).step([zeros]).layers[0]!
    .weight.value
}

const mean = (xs: Float64Array, f: (x: number) => number): number => xs.reduce((sum, x) => sum + f(x), 0) / xs.length

/** The error function by its series, exact to 1e-15 for what is asked here. */
function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

test('gaussian() is the normal quantile of noise(), to float32', () => {
  const normal = drawn('w := gaussian() + 0 * g * t')
  const uniform = drawn('w := noise() + 0 * g * t * gaussian()')
  for (let i = 0; i < SIZE; i++) {
    const share = uniform[i]! + 2 ** -25
    // Far out, the series loses its digits.
    if (Math.abs(normal[i]!) < 3)
      expect(Math.abs((1 + erf(normal[i]! / Math.SQRT2)) / 2 - share)).toBeLessThan(2 ** -23)
  }
  // Within four standard deviations of each moment of the normal distribution.
  for (const [power, moment, variance] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96]
  ] as const) {
    expect(Math.abs(mean(normal, (x) => x ** power) - moment)).toBeLessThan(4 * Math.sqrt(variance / SIZE))
  }
})

test('gradientNoise adds a normal number of variance eta / t^gamma', () => {
  const noisy = drawn('w := g / √t * √t', 'use gradientNoise(4)')
  expect(Math.abs(mean(noisy, (x) => x))).toBeLessThan(4 * Math.sqrt(4 / SIZE))
  expect(Math.abs(mean(noisy, (x) => x * x) / 4 - 1)).toBeLessThan(4 * Math.sqrt(2 / SIZE))
})

test('SGLD samples the posterior: of a normal one, its variance', () => {
  const { source, name } = shipped.get('SGLD')!
  const size = 2000
  // −log of N(1, ½²) has the gradient 4 (w − 1).
  const run = trajectory(
    reference(linked(source), name),
    [{ name: 'w', shape: [size], weight: new Float64Array(size) }],
    {
      learningRate: 0.02
    }
  )
  let w = new Float64Array(size)
  for (let t = 0; t < 120; t++)
    w = run.step([w.map((x) => 4 * (x - 1))]).layers[0]!.weight.value as Float64Array<ArrayBuffer>
  // What a rate of ε makes of the variance σ² is σ² / (1 − ε / (4 σ²)).
  const variance = 0.25 / (1 - 0.02)
  expect(Math.abs(mean(w, (x) => x) - 1)).toBeLessThan(4 * Math.sqrt(variance / size))
  expect(Math.abs(mean(w, (x) => (x - 1) ** 2) / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / size))
})

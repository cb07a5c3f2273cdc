/** `noise()`: the published hash, the same numbers on every target and in the reference, and numbers that look random. */
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { reference } from '../../src/reference/index.js'
import { keyOf, noise, threefry } from '../../src/runtime/noise.js'
import { type CompiledClass, subjectOf } from '../../src/testing/index.js'
import { linked } from '../support/library.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { describeWebGpu } from '../support/webgpu.js'

/** The known answers of Random123, `threefry2x32 13` in `tests/kat_vectors`: a counter, a key, and the first word. */
test.each([
  [[0, 0], [0, 0], 0x9d1c5ec6],
  [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], 0xfd36d048],
  [[0x243f6a88, 0x85a308d3], [0x13198a2e, 0x03707344], 0xba3e4725]
] as const)('Threefry of %j by %j', ([x, y], [k0, k1], answer) => {
  expect(threefry(k0, k1, x, y)).toBe(answer)
})

/** Two sites by inlining, one in a transform, and named arguments against the order of the parameters. */
const PROGRAM = `
fn between(low, high) = low + (high - low) * noise()
transform jitter() on (x) { x := x + noise() }
optimizer Random {
  use jitter()
  step(w, g) {
    a = between(high = noise(), low = between(0, 1))
    b = if noise() < 0.5 then a else 1 - a
    w := (noise() + g) / 4 + 0 * b
  }
}
optimizer Plain {
  step(w, g) { w := noise() + 0 * g }
}`

const SIZES = [1, 2, 3, 5, 8, 1023, 8192, 8193, 20000]
const SEED = 0xdeadbeef

/** What a class makes of layers of those sizes, in its second step. */
function drawn(Optimizer: CompiledClass): Float32Array[] {
  const optimizer = new Optimizer({ seed: SEED })
  const variables = SIZES.map((n) => tf.variable(tf.zeros([n]), true, `layer ∇${n}`))
  for (let step = 0; step < 2; step++) {
    tf.tidy(() => optimizer.applyGradients(variables.map((v) => ({ name: v.name, tensor: tf.zeros(v.shape) }))))
  }
  const values = variables.map((v) => v.dataSync().slice() as Float32Array)
  optimizer.dispose()
  tf.dispose(variables)
  return values
}

function equalEverywhere(targets: readonly string[], kernel: string): void {
  test(`${kernel}: the hash, bit for bit`, async () => {
    const { Optimizer } = await subjectOf(PROGRAM, { targets, name: 'Plain' })
    drawn(Optimizer).forEach((values, i) => {
      const key = keyOf(SEED, `layer ∇${SIZES[i]}`, 2)
      expect(values).toEqual(Float32Array.from(values, (_, j) => noise(...key, j, 0)))
    })
  })

  test(`${kernel}: the reference, at every site, bit for bit`, async () => {
    const { Optimizer } = await subjectOf(PROGRAM, { targets, name: 'Random' })
    const layers = SIZES.map((n) => ({
      name: `layer ∇${n}`,
      shape: [n],
      weight: new Float32Array(n),
      gradient: new Float32Array(n),
      age: 2,
      slots: {}
    }))
    const { layers: results } = reference(linked(PROGRAM), 'Random').step({ t: 2, seed: SEED, layers, modelState: {} })
    const expected = results.map(({ weight }) => Float32Array.from(weight.value))
    expect(drawn(Optimizer)).toEqual(expected)
  })
}

describe('on the cpu backend', () => {
  beforeAll(() => tf.setBackend('cpu'))
  equalEverywhere(['cpu'], 'cpu')
  equalEverywhere(['ops'], 'ops')
})

describe('on the cpu backend, in JavaScript', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu')
    vi.stubGlobal('WebAssembly', undefined)
  })
  afterAll(() => vi.unstubAllGlobals())
  equalEverywhere(['cpu'], 'cpu-js')
})

describeTensorFlow('on the tensorflow backend', () => {
  beforeAll(() => tf.setBackend('tensorflow'))
  afterAll(() => tf.setBackend('cpu'))
  equalEverywhere(['tensorflow'], 'tensorflow')
})

describeWebGpu('on the webgpu backend', () => {
  beforeAll(() => tf.setBackend('webgpu'))
  afterAll(() => tf.setBackend('cpu'))

  test('the hash, bit for bit', async () => {
    const { Optimizer } = await subjectOf(PROGRAM, { targets: ['webgpu'], name: 'Plain' })
    const optimizer = new Optimizer({ seed: SEED })
    const variables = SIZES.map((n) => tf.variable(tf.zeros([n]), true, `layer ∇${n}`))
    tf.tidy(() => optimizer.applyGradients(variables.map((v) => ({ name: v.name, tensor: tf.zeros(v.shape) }))))
    expect(optimizer.kernel).toBe('webgpu')
    for (const [i, v] of variables.entries()) {
      const values = (await v.data()) as Float32Array
      const key = keyOf(SEED, `layer ∇${SIZES[i]}`, 1)
      expect(values).toEqual(Float32Array.from(values, (_, j) => noise(...key, j, 0)))
    }
    optimizer.dispose()
    tf.dispose(variables)
  })
})

describe('the option `seed`', () => {
  interface Seeded extends tf.Optimizer {
    seed: number
  }
  type SeededClass = (new (options?: { seed?: number }) => Seeded) & { fromConfig: typeof tf.Optimizer.fromConfig }
  let Random: SeededClass
  beforeAll(async () => {
    await tf.setBackend('cpu')
    Random = (await subjectOf(PROGRAM, { name: 'Random' })).Optimizer as unknown as SeededClass
  })

  const take = (optimizer: tf.Optimizer, steps: number, w: tf.Variable): number[] => {
    for (let i = 0; i < steps; i++)
      tf.tidy(() => optimizer.applyGradients([{ name: w.name, tensor: tf.ones(w.shape) }]))
    return [...w.dataSync()]
  }
  const fresh = (values: number[] = [0, 0, 0, 0]): tf.Variable => tf.variable(tf.tensor1d(values), true, 'w')
  const run = (optimizer: tf.Optimizer, steps: number): number[] => {
    const w = fresh()
    const values = take(optimizer, steps, w)
    w.dispose()
    return values
  }

  test('is 0 unless it is set, and decides the numbers', () => {
    expect(new Random().seed).toBe(0)
    expect(run(new Random({ seed: 3 }), 2)).toEqual(run(new Random({ seed: 3 }), 2))
    expect(run(new Random({ seed: 3 }), 2)).not.toEqual(run(new Random({ seed: 4 }), 2))
    const other = new Random()
    other.seed = 3
    expect(run(other, 2)).toEqual(run(new Random({ seed: 3 }), 2))
  })

  test.each([-1, 0.5, 2 ** 32, NaN, '1'])('is never %s', (seed) => {
    expect(() => new Random({ seed: seed as number })).toThrow('Random: seed must be a whole number in [0, 2^32)')
    expect(() => Object.assign(new Random(), { seed })).toThrow('seed must be a whole number')
  })

  test('is there where there are random numbers', async () => {
    const { Optimizer } = await subjectOf('optimizer Descent { step(w, g) { w := w - g } }')
    expect(() => new Optimizer({ seed: 1 })).toThrow('there is no option "seed"')
    expect(new Optimizer({}).getConfig()).not.toHaveProperty('seed')
  })

  test('is there also where nothing comes of them', async () => {
    const { Optimizer } = await subjectOf(
      'optimizer Descent { step(w, g) { w := w - (if noise() < 2 then g else g) } }'
    )
    expect(run(new Optimizer({ seed: 1 }), 1)).toEqual([-1, -1, -1, -1])
  })

  test('is saved, so that training resumed is training uninterrupted, bit for bit', async () => {
    const whole = run(new Random({ seed: 7 }), 6)
    const first = new Random({ seed: 7 })
    const w = fresh()
    const half = take(first, 3, w)
    const again = Random.fromConfig(Random as never, JSON.parse(JSON.stringify(first.getConfig()))) as Seeded
    await again.setWeights(await first.getWeights())
    w.dispose()
    const resumed = fresh(half)
    expect(take(again, 3, resumed)).toEqual(whole)
    resumed.dispose()
  })
})

/** Numbers one after the other along each of the things that they depend on. */
const ALONG: Readonly<Record<string, (i: number) => number>> = {
  index: (i) => noise(...keyOf(1, 'dense/kernel', 1), i, 0),
  site: (i) => noise(...keyOf(1, 'dense/kernel', 1), 7, i),
  step: (i) => noise(...keyOf(1, 'dense/kernel', i + 1), 7, 0),
  seed: (i) => noise(...keyOf(i, 'dense/kernel', 1), 7, 0),
  name: (i) => noise(...keyOf(1, `dense_${i}/kernel`, 1), 7, 0)
}

/** How many standard deviations a χ² of these counts lies from its mean. */
function deviation(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length
  const chi2 = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  const freedom = counts.length - 1
  return (chi2 - freedom) / Math.sqrt(2 * freedom)
}

/** The seeds are fixed, so this is one draw: of 3 deviations in size, chance makes one in some 400. */
const MOST = 4

describe.each(Object.entries(ALONG))('along the %s', (_, at) => {
  const n = 2 ** 16
  const xs = Float64Array.from({ length: n }, (_, i) => at(i))

  test('numbers of [0, 1) in steps of 2^-24, with their mean and variance', () => {
    expect(xs.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 24))).toBe(true)
    const mean = xs.reduce((a, b) => a + b, 0) / n
    const variance = xs.reduce((a, x) => a + (x - 0.5) ** 2, 0) / n
    expect(Math.abs(mean - 0.5) / Math.sqrt(1 / 12 / n)).toBeLessThan(MOST)
    expect(Math.abs(variance - 1 / 12) / Math.sqrt(1 / 180 / n)).toBeLessThan(MOST)
  })

  test('evenly, by their first bits and by their last', () => {
    const counts = (of: (x: number) => number): number[] => {
      const all = new Array<number>(256).fill(0)
      for (const x of xs) all[of(x)]!++
      return all
    }
    expect(Math.abs(deviation(counts((x) => Math.floor(x * 256))))).toBeLessThan(MOST)
    expect(Math.abs(deviation(counts((x) => (x * 2 ** 24) % 256)))).toBeLessThan(MOST)
  })

  test.each([1, 2, 4, 64])('independent of the number %i before', (lag) => {
    const pairs = new Array<number>(256).fill(0)
    let product = 0
    for (let i = lag; i < n; i++) {
      pairs[16 * Math.floor(16 * xs[i - lag]!) + Math.floor(16 * xs[i]!)]!++
      product += (xs[i - lag]! - 0.5) * (xs[i]! - 0.5)
    }
    expect(Math.abs(deviation(pairs))).toBeLessThan(MOST)
    expect(Math.abs((12 * product) / Math.sqrt(n - lag))).toBeLessThan(MOST)
  })
})

test('each bit of index, site, step and seed turns half of the bits', () => {
  const bits = (index: number, site: number, step: number, seed: number): number =>
    noise(...keyOf(seed, 'dense/kernel', step), index, site) * 2 ** 24
  const start = [11, 1, 5, 99] as const
  for (const place of [0, 1, 2, 3]) {
    for (let bit = 0; bit < 31; bit++) {
      let turned = 0
      for (let k = 0; k < 64; k++) {
        const from = start.map((x, i) => (i === 0 ? x + 1000 * k : x + k)) as unknown as [
          number,
          number,
          number,
          number
        ]
        const to = from.map((x, i) => (i === place ? (x ^ (1 << bit)) >>> 0 : x)) as typeof from
        for (let x = bits(...from) ^ bits(...to); x > 0; x >>>= 1) turned += x & 1
      }
      // Of 64 times 24 bits half: within five deviations.
      expect(Math.abs(turned - 768) / Math.sqrt(384)).toBeLessThan(5)
    }
  }
})

/**
 * The webgl driver in a real Chromium: wherever weights and gradients lie in textures, a step is within the derived bound,
 * lanes that hold no element stay 0, and nothing is read back.
 */
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Case, type CaseLayer, compareCase, type Reference, type Table, tables } from '../../src/testing/index.js'
import { remoteSubjectOf } from '../../src/testing/subject.js'
import { describeBrowser, usePage } from '../support/browser.js'
import type { Place, Places, Watched, WebGl } from '../support/page/webgl.js'
import { EVERY_AXIS } from './support/axes.js'

declare const webgl: WebGl

const ENTRY = 'test/support/page/webgl.ts'
const PLACES: readonly Place[] = ['cpu', 'packed', 'alias', 'unpacked', 'slice']
/** The tests read at once, now and then; the driver never does. */
const STALLS = /GPU stall due to ReadPixels/
const CPU: Places = { weights: 'cpu', gradients: 'cpu' }

const LAMB = readFileSync('optimizers/lamb.opt', 'utf8')
/**
 * What would show a lane that holds no element: f(0) is not 0 in any store or sum, the minimum of positive numbers is above
 * 0, and the maximum of negative ones below it.
 */
const EXPOSED = `optimizer Exposed {
  hyper learningRate as lr = 0.1
  state m = 1
  state low over layer = 0
  step(w, g) {
    size1 = abs(w) + 0.5
    m := exp(-g) * m
    low := min(size1)
    all = sum(size1 * m) / size
    observe max(-size1) as high
    observe sum(size1 over model) as whole
    w := 1 / (size1 + all + low) + lr * g
  }
}`

/** Every function that loses something, each in a slot of its own. */
const FUNCTIONS = `optimizer Functions {
  ${['root', 'inverse', 'cube', 'power', 'growth', 'size2', 'tangent'].map((name) => `state ${name} = 0`).join('\n  ')}
  step(w, g) {
    size1 = abs(w)
    root := sqrt(size1) + 0 * root
    inverse := rsqrt(size1) + 0 * inverse
    cube := cbrt(w) + 0 * cube
    power := size1^g + 0 * power
    growth := exp(w) + 0 * growth
    size2 := log(size1) + 0 * size2
    tangent := tanh(w) + 0 * tangent
    w := w - g
  }
}`

interface Tested {
  readonly reference: Reference
  readonly run: (given: Case, places: Places) => Promise<Watched>
}

async function tested({ page }: { readonly page: Page }, source: string): Promise<Tested> {
  let run!: Tested['run']
  const { reference } = await remoteSubjectOf(source, { targets: ['webgl'] }, async (code, name, slots) => {
    const index = await page.evaluate(([code, name]) => webgl.bring(code, name), [code, name] as const)
    run = (...given) =>
      page.evaluate(([index, slots, given]) => webgl.run(index, slots, ...given), [index, slots, given] as const)
    return (given) => run(given, CPU)
  })
  return { reference, run }
}

/** Runs it, and holds it to all that a step promises. */
async function held(
  { reference, run }: Tested,
  given: Case,
  places = CPU,
  table: Table = tables.glsl
): Promise<Watched> {
  const ran = await run(given, places)
  expect(ran).toMatchObject({ reads: 0, padding: [], errors: [], leaked: 0, reason: null })
  expect(new Set(ran.records.map((r) => r.kernel))).toEqual(new Set(['webgl']))
  const { compared, undetermined, differences } = compareCase(reference, given, ran.records, table)
  expect(differences.slice(0, 3)).toEqual([])
  expect(undetermined).toBeLessThan(compared / 100)
  return ran
}

function caseOf(shapes: readonly (readonly number[])[], steps = 2): Case {
  const layers = shapes.map((shape, i) => {
    const size = shape.reduce((a, b) => a * b, 1)
    const gradients = Array.from({ length: steps }, (_, t) => values(size, 100 * (t + 1) + i))
    return { name: `layer${i}`, shape, weight: values(size, i + 1), gradients, group: {} }
  })
  return { layers, hypers: {}, falling: [], masks: {}, inPlace: true, steps, reload: 0 }
}

/** Of 10 bits, so that float16 holds them too. */
function values(n: number, seed: number): Float32Array {
  let x = Math.imul(2654435761, seed)
  return Float32Array.from({ length: n }, () => {
    x = Math.imul(x, 1664525) + 1013904223
    return (x >> 22) / 512
  })
}

describeBrowser('the webgl driver', () => {
  const here = usePage({ entry: ENTRY, expected: STALLS })
  let exposed: Tested
  let lamb: Tested
  beforeAll(async () => {
    await here.page.evaluate(() => webgl.open())
    exposed = await tested(here, EXPOSED)
    lamb = await tested(here, LAMB)
  })

  describe.each(PLACES)('with weights in %s', (weights) => {
    it.each(PLACES)('and gradients in %s', async (gradients) => {
      // Odd in every way: rows, columns, both, matrices of a batch, none at all.
      const shapes = [[], [1], [17], [5, 7], [2, 3, 5], [3, 3, 3, 17], [4, 1, 1], [33, 10], [6, 4]]
      const { lanes } = await held(exposed, caseOf(shapes), { weights, gradients })
      if (weights === 'packed') expect(lanes).toBeGreaterThan(50)
      await held(lamb, caseOf(shapes), { weights, gradients })
    })
  })

  it('brings gradients to the GPU as it reads them best', async () => {
    const { packed } = await held(lamb, caseOf([[6, 4]]), { weights: 'packed', gradients: 'cpu' })
    expect(packed).toEqual([true, true])
  })

  it('takes tensors of more than a row of a texture', async () => {
    const given = caseOf([[300], [90, 2], [2, 90], [3, 5, 30]])
    await here.page.evaluate(() => webgl.flag('WEBGL_MAX_TEXTURE_SIZE', 32))
    try {
      for (const weights of PLACES) await held(exposed, given, { weights, gradients: 'unpacked' })
      for (const gradients of PLACES) await held(exposed, given, { weights: 'alias', gradients })
    } finally {
      await here.page.evaluate((size) => webgl.flag('WEBGL_MAX_TEXTURE_SIZE', size), 8192)
    }
  })

  it('takes layers that come later, and are more than the atlas of partial sums has room for', async () => {
    // Tiles of 1 by 1, of 3 by 3, and more of 64 by 1 than fit side by side.
    const given = caseOf([[2, 2], [70, 70], ...Array.from({ length: 17 }, () => [1, 2048])])
    const late = (layer: CaseLayer, i: number): CaseLayer =>
      i < 1 ? layer : { ...layer, gradients: [null, ...layer.gradients.slice(1)] }
    await held(lamb, { ...given, layers: given.layers.map(late) }, { weights: 'packed', gradients: 'unpacked' })
  })

  it('computes functions within what GLSL promises', async () => {
    const sizes = [1e-30, 1e-7, 0.01, 0.2499, 0.25, 0.5, 0.999, 1, 1.001, 2, 3.7, 8, 19, 21, 80].map(Math.fround)
    const weight = Float32Array.from([...sizes, ...sizes.map((x) => -x)])
    const gradients = [weight.map((_, i) => [0.5, 1.7, -0.3, 0.01][i % 4]!)]
    const layers = [weight.length, 1].map((n, i) => ({
      name: `layer${i}`,
      shape: [n],
      weight: weight.slice(-n),
      gradients: gradients.map((g) => g.slice(-n)),
      group: {}
    }))
    await held(await tested(here, FUNCTIONS), { ...caseOf([], 1), layers })
  })

  describe('with rows, columns and channels', () => {
    let axes: Tested
    beforeAll(async () => {
      axes = await tested(here, EVERY_AXIS)
    })

    it.each(PLACES)('reads and sums what lies in %s', async (place) => {
      // Lines of one, of a block, of blocks that are not full, of more than fit into a block of blocks; and batches.
      const shapes = [
        [],
        [5],
        [17],
        [5, 7],
        [3, 4],
        [3, 3, 3, 17],
        [4, 1, 1],
        [2, 3, 33, 20],
        [1, 2, 1],
        [2, 300],
        [400, 2]
      ]
      await held(axes, caseOf(shapes), { weights: place, gradients: place })
    })

    it('brings gradients to the GPU as passes over elements read them best', async () => {
      const sums = await tested(here, 'optimizer Sums { step(w, g) { w := w - g * sum(g over rows) } }')
      const { packed } = await held(sums, caseOf([[6, 4]]), { weights: 'packed', gradients: 'cpu' })
      expect(packed).toEqual([true, true])
    })

    it('goes along rows and columns that are long', async () => {
      await held(axes, caseOf([[3, 8300], [8300, 3], [9001]], 1), { weights: 'packed', gradients: 'unpacked' })
    })

    it('takes more than a row of a texture', async () => {
      await here.page.evaluate(() => webgl.flag('WEBGL_MAX_TEXTURE_SIZE', 32))
      try {
        for (const weights of PLACES)
          await held(axes, caseOf([[300], [40, 20], [3, 5, 30]]), { weights, gradients: 'cpu' })
      } finally {
        await here.page.evaluate((size) => webgl.flag('WEBGL_MAX_TEXTURE_SIZE', size), 8192)
      }
    })

    it('stores and sums more than a draw has targets for, each of what was there before', async () => {
      const slots = [0, 1, 2, 3, 4, 5].map((i) => `r${i}`)
      const terms = (count: number, term: (i: number) => string): string =>
        Array.from({ length: count }, (_, i) => term(i)).join(' + ')
      const source = `optimizer Turn {
        ${slots.map((r, i) => `state ${r} over rows = ${i}`).join('\n')}
        state k over channels = 1
        step(w, g) {
          last = r5
          ${[5, 4, 3, 2, 1].map((i) => `r${i} := r${i - 1}`).join('\n')}
          r0 := last + sum(g over rows)
          k := k + ${terms(6, (i) => `max(g + ${i} * w over channels)`)}
          low = if r0 < 2 * r3 then r1 else r2
          w := w - k / 100 + low + (${terms(18, (i) => `sum(max(r0, ${i} / 8))`)}) / 1000
        }
      }`
      await held(await tested(here, source), caseOf([[5, 7], [3], [2, 3, 4]], 3))
    })
  })

  it.each([17, 70])('makes %s reductions of a pass, over layers and over the model', async (count) => {
    const terms = (over: string): string =>
      Array.from({ length: count }, (_, i) => `sum(abs(w - ${i + 1} * g)${over})`).join(' + ')
    const source = `optimizer Many {
      state seen over model = 0
      step(w, g) {
        seen := ${terms(' over model')}
        w := w - (g + ${terms('')}) / (seen * size + 1)
      }
    }`
    await held(await tested(here, source), caseOf([[5, 7], [3]]))
  })
})

describeBrowser('where the browser keeps float16 only', () => {
  const here = usePage({
    entry: ENTRY,
    expected: RegExp(`${STALLS.source}|^LAMB: TensorFlow.js keeps tensors in float16 here`)
  })

  it('the driver says so, and is right to float16', async () => {
    await here.page.evaluate(() => webgl.open({ WEBGL_FORCE_F16_TEXTURES: true }))
    const said = here.page.waitForEvent('console')
    const { glsl } = tables
    const half = { ...glsl, device: { ...glsl.device, unit: 2 ** -10, tiny: 2 ** -24, largest: 65504 } }
    await held(await tested(here, LAMB), caseOf([[5, 7], [3]], 1), CPU, half)
    expect((await said).text()).toBe(
      'LAMB: TensorFlow.js keeps tensors in float16 here: small gradients vanish, training may go wrong.'
    )
  })
})

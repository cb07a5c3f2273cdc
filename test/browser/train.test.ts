/**
 * A page that imports compiled optimizers through a bundler trains in a real browser, on every backend that there is in one,
 * with and without a strict Content-Security-Policy. Each step that is captured lies within the derived bound.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { compile as assemble } from 'watr'
import { compile } from '../../src/compiler/compile.js'
import { print } from '../../src/compiler/emit/classes.js'
import { reference, type Table } from '../../src/reference/index.js'
import { type Case, compareCase, type Snapshot, TABLE_OF } from '../../src/testing/index.js'
import { describeBrowser, usePage } from '../support/browser.js'
import { linked } from '../support/library.js'
import type { CapturedStep, Trained, Training } from '../support/page/train.js'

declare const training: Training

const OPTIMIZERS = { Adam: 'adam', LAMB: 'lamb' } as const
const source = (name: keyof typeof OPTIMIZERS): string => readFileSync(`optimizers/${OPTIMIZERS[name]}.opt`, 'utf8')

// What `optc compile --emit js` writes, on the runtime that is tested here.
const folder = 'node_modules/.cache/optc/page'
mkdirSync(folder, { recursive: true })
for (const name of Object.keys(OPTIMIZERS) as (keyof typeof OPTIMIZERS)[]) {
  const path = `${OPTIMIZERS[name]}.opt`
  const { code } = compile(source(name), { path, emit: 'js', importFrom: '../../../../src/runtime', print, assemble })
  // The sources are TypeScript, which a bundler finds by their own names.
  writeFileSync(join(folder, `${OPTIMIZERS[name]}.js`), code.replace(/(src\/runtime)'/g, "$1/index'"))
}

const require = createRequire(import.meta.url)
const wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))
const files = Object.fromEntries(
  ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'].map((name) => [
    `/wasm/${name}`,
    join(wasm, name)
  ])
)

const OPTIONS = { learningRate: 0.05 }

/** What was captured, as a case with its records. */
function judge(name: keyof typeof OPTIMIZERS, { steps }: Trained, table: Table): ReturnType<typeof compareCase> {
  const ran = steps.slice(0, -1)
  const snapshot = ({ layers }: CapturedStep): Snapshot => ({ layers, modelState: null })
  const given: Case = {
    layers: steps[0]!.layers.map(({ name, shape, weight }, i) => ({
      name,
      shape,
      weight,
      gradients: ran.map(({ layers }) => layers[i]!.gradient),
      group: {}
    })),
    hypers: OPTIONS,
    falling: [],
    masks: {},
    inPlace: true,
    steps: ran.length,
    reload: 0
  }
  const records = ran.map((step, i) => ({
    before: snapshot(step),
    after: snapshot(steps[i + 1]!),
    observations: {},
    kernel: ''
  }))
  const own = reference(linked(source(name)), name)
  const unobserved = { ...own, step: (...args: Parameters<typeof own.step>) => withoutObservations(own.step(...args)) }
  return compareCase(unobserved, given, records, table)
}

function withoutObservations<R extends { layers: readonly object[] }>(result: R): R {
  return { ...result, layers: result.layers.map((layer) => ({ ...layer, observations: {} })) }
}

const POLICIES = {
  'no policy': undefined,
  'a policy without unsafe-eval': "default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'"
}

/** By net and optimizer, of each step: whether the loss fell. */
const fallen = new Map<string, readonly boolean[]>()

for (const [named, policy] of Object.entries(POLICIES)) {
  describeBrowser(`in a page with ${named}`, () => {
    const here = usePage({ entry: 'test/support/page/train.ts', files, ...(policy && { policy }) })

    it.each([
      ['webgl', 'conv', 'LAMB', 'webgl'],
      ['webgl', 'conv', 'Adam', 'webgl'],
      ['webgpu', 'conv', 'LAMB', 'webgpu'],
      ['wasm', 'dense', 'LAMB', 'wasm'],
      ['webgl', 'dense', 'LAMB', 'webgl']
    ] as const)('%s trains a %s net with %s', { timeout: 120_000 }, async (backend, kind, name, kernel) => {
      const trained = await here.page.evaluate(
        async ([backend, kind, name, options]) => {
          training.wasm('/wasm/')
          return training.train(backend, kind, name, options)
        },
        [backend, kind, name, OPTIONS] as const
      )
      expect(trained.backend).toBe(backend)
      if (kernel) expect(trained.kernel).toBe(kernel)
      const { compared, undetermined, differences } = judge(name, trained, TABLE_OF[trained.kernel!]!)
      expect(differences.slice(0, 3)).toEqual([])
      expect(compared).toBeGreaterThan(1000)
      expect(undetermined / compared).toBeLessThan(0.01)
      expect(trained.losses.at(-1)).toBeLessThan(trained.losses[0]!)
      // The same net falls alike wherever it trains; what each step may lose has been held to its bound above.
      const falls = trained.losses.slice(1).map((loss, i) => loss < trained.losses[i]!)
      const key = `${kind} ${name}`
      expect(falls).toEqual(fallen.get(key) ?? falls)
      fallen.set(key, falls)
      expect(new Set(trained.tensors.slice(1)).size).toBe(1)
      expect(trained.left).toBe(0)
    })
  })
}

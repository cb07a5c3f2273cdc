/** What the cpu target prints is valid and moves what the Plan says. (golden/ has it as a person reads it.) */
import { readdirSync, readFileSync } from 'node:fs'
import { test } from '@fast-check/vitest'
import { beforeAll, describe, expect, it } from 'vitest'
import wabtOf from 'wabt'
import { bufferIndex } from '../../../src/compiler/emit/buffers.js'
import { usesAxes } from '../../../src/compiler/plan/order.js'
import type { Buffer, Plan } from '../../../src/compiler/plan/plan.js'
import { argumentsOf, type CpuArguments, emitCpu } from '../../support/cpu.js'
import { program, programWithAxes } from '../../testing/arbitraries.js'

const sourceOf = (file: string): string => readFileSync(`optimizers/${file}`, 'utf8')
const files = readdirSync('optimizers').filter((file) => file.endsWith('.opt') && file !== 'std.opt')

/** The module's own limit on a page's main thread, in some browsers. */
const MAIN_THREAD = 4096

let wabt: Awaited<ReturnType<typeof wabtOf>>
beforeAll(async () => {
  wabt = await wabtOf()
})

function mustBeValid(wat: string, module: Uint8Array): void {
  const parsed = wabt.parseWat('kernel.wat', wat, { simd: true })
  parsed.validate()
  parsed.destroy()
  expect(WebAssembly.validate(module as BufferSource)).toBe(true)
}

describe.each(files)('%s', (file) => {
  it('is a valid module that any browser takes', () => {
    const { wat, module } = emitCpu(sourceOf(file))
    mustBeValid(wat, module)
    expect(module.length).toBeLessThan(MAIN_THREAD)
  })

  it('moves what the Plan says', () => {
    const { plan, emitted, wat } = emitCpu(sourceOf(file))
    // What moves where there are rows and columns is looked at in test/runtime/axes.test.ts.
    if (!usesAxes(plan.program)) mustMove(plan, argumentsOf(emitted), wat)
  })
})

test.prop([program], { numRuns: 60 })('random programs: valid modules that move what the Plan says', (source) => {
  const { plan, emitted, wat, module } = emitCpu(source)
  mustBeValid(wat, module)
  mustMove(plan, argumentsOf(emitted), wat)
})

test.prop([programWithAxes], { numRuns: 30 })(
  'random programs with rows, columns and channels: valid modules',
  (source) => {
    const { wat, module } = emitCpu(source)
    mustBeValid(wat, module)
  }
)

/** Runs each JavaScript pass on arrays that count, and counts the loads and stores of each WebAssembly function. */
function mustMove(plan: Plan, [{ variants }, kernels]: CpuArguments, wat: string): void {
  const size = 5
  const width = 2 + plan.program.slots.length + Math.max(...variants.map((v) => v.scratch))
  const index = (buffer: Buffer): number => bufferIndex(plan.program, buffer)
  plan.variants.forEach((variant, v) => {
    const numbers = new Float64Array(variants[v]!.count)
    let bytes = 0
    variant.passes.forEach((pass, p) => {
      const loads = pass.loads.map(index)
      const stores = pass.stores.map((s) => index(s.to))
      bytes += 4 * (new Set(loads).size + new Set(stores).size)

      const events: string[] = []
      const printed = variants[v]!.passes[p]!
      kernels[printed.kernel]!(
        size,
        Array.from({ length: width }, (_, b) => counting(b, size, events)),
        numbers
      )
      const expected = Array.from({ length: size }, (_, i) => [
        ...loads.map((b) => `load ${b}[${i}]`),
        ...stores.map((b) => `store ${b}[${i}]`)
      ])
      // Element by element, and of one element all loads before the first store; among either, the order is free.
      const seen = Array.from({ length: size }, (_, i) => {
        const mine = events.slice(i * (loads.length + stores.length), (i + 1) * (loads.length + stores.length))
        return [...mine.slice(0, loads.length).sort(), ...mine.slice(loads.length).sort()]
      })
      expect(events).toHaveLength(expected.flat().length)
      expect(seen).toEqual(expected.map((e) => [...e.slice(0, loads.length).sort(), ...e.slice(loads.length).sort()]))
      expect([printed.loads, printed.stores, printed.segment]).toEqual([loads, stores, pass.segment])

      const text = wat.split(/^ {2}\(func /m).find((f) => f.startsWith(`(export "${printed.kernel}")`))!
      const count = (op: string): number => text.split(`(${op} `).length - 1
      expect([count('v128.load'), count('v128.store')]).toEqual([loads.length, stores.length])
    })
    expect(bytes).toBe(variant.bytesPerWeight)
  })
}

function counting(buffer: number, size: number, events: string[]): Float32Array {
  const isIndex = (key: string | symbol): boolean => typeof key === 'string' && /^\d+$/.test(key)
  return new Proxy(new Float32Array(size).fill(0.5), {
    get(array, key) {
      if (isIndex(key)) events.push(`load ${buffer}[${String(key)}]`)
      return Reflect.get(array, key, array)
    },
    set(array, key, value) {
      if (isIndex(key)) events.push(`store ${buffer}[${String(key)}]`)
      return Reflect.set(array, key, value, array)
    }
  })
}

it('nothing that an author writes ends a comment', () => {
  const { emitted, wat, module } = emitCpu(`optimizer Sly {
    step(w, g) {
      /* */ u = g /* ;) \u2028 globalThis.caught = 1 */ * 2 // (; */
      w := w - 0.1 * u
    }
  }`)
  mustBeValid(wat, module)
  argumentsOf(emitted)
  expect(globalThis).not.toHaveProperty('caught')
})

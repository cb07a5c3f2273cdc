/** Tables and bindings beside the WGSL; its text is reviewed in test/golden. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import { webgpu } from '../../../src/compiler/emit/webgpu.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import type { Plan } from '../../../src/compiler/plan/plan.js'
import { link } from '../../../src/compiler/syntax/modules.js'

const ASSEMBLE = { assemble: () => new Uint8Array() }

function planOf(source: string): Plan {
  const { module, diagnostics } = link(source, 'test.opt', () => null)
  const { checked, diagnostics: more } = check(module)
  expect([...diagnostics, ...more]).toEqual([])
  return makePlan(checked.optimizers[0]!, webgpu.abilities)
}

const textOf = (source: string): string => {
  const { declarations, expression } = webgpu.emit(planOf(source), ASSEMBLE)
  return `${declarations.join('\n')}\nexport default ${expression}\n`
}

it('the same Plan gives the same text', () => {
  const source = readFileSync('optimizers/lamb.opt', 'utf8')
  expect(textOf(source)).toBe(textOf(source))
})

it.each([
  ['elements', 'g'],
  ['rows, columns and elements', 'max(g over rows) + min(g over cols)']
])('binds at most the 8 storage buffers that a stage has: state of %s', (_, value) => {
  const slots = Array.from({ length: 6 }, (_, i) => `s${i}`)
  const more = value === 'g' ? [] : ['rows', 'cols', 'channels']
  const text = textOf(`optimizer Wide {
    ${slots.map((s) => `state ${s} = 0`).join('\n')}
    ${more.map((over) => `state of_${over} over ${over} = 0`).join('\n')}
    step(w, g) {
      ${more.map((over) => `of_${over} := 0.5 * of_${over} + sum(g over ${over})`).join('\n')}
      ${slots.map((s, i) => `${s} := 0.5 * ${s} + ${i + 1} * (${value})`).join('\n')}
      w := w - 0.1 * (${slots.join(' + ')}) / (1 + norm(${slots.join(' + ')}))
    }
  }`)
  const bindings = [...text.matchAll(/\['\w+', \[([\d, ]+)\]\]/g)].map((m) =>
    m[1]!.split(', ').filter((b) => b !== '0')
  )
  expect(bindings.length).toBeGreaterThan(0)
  for (const storage of bindings) expect(storage.length).toBeLessThanOrEqual(8)
})

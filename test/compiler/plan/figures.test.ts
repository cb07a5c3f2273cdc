/** Bytes a weight that the planner finds by itself, for programs by hand and for the files in `optimizers/`. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import type { Program } from '../../../src/compiler/check/program.js'
import { TARGETS } from '../../../src/compiler/emit/targets.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { IDEAL, type Pass, type Plan } from '../../../src/compiler/plan/plan.js'
import { link } from '../../../src/compiler/syntax/modules.js'
import { adam, clippedAdamW, lamb, lars, momentum, sgd } from './support/programs.js'
import { verify } from './support/verify.js'

function parsed(name: string): Program {
  const path = new URL(`../../../optimizers/${name}.opt`, import.meta.url)
  const { checked, diagnostics } = check(link(readFileSync(path, 'utf8'), `${name}.opt`, () => null).module)
  expect(diagnostics).toEqual([])
  return checked.optimizers[0]!
}

const FIGURES: readonly [string, () => Program, number, number][] = [
  ['sgd', sgd, 12, 12],
  ['momentum', momentum, 20, 20],
  ['adam', adam, 28, 28],
  ['lars', lars, 28, 20],
  ['lamb', lamb, 40, 28],
  ['clipped-adamw', clippedAdamW, 32, 28]
]

/** What a target moves that can't reduce in a pass that stores, where it is more. */
const APART: Readonly<Record<string, number>> = { lamb: 44 }

describe.each(FIGURES)('%s', (name, byHand, bytesPerWeight, bytesCompulsory) => {
  test.each([
    ['by hand', byHand],
    ['from its file', () => parsed(name)]
  ])('%s', (_, make) => {
    const plan = makePlan(make(), IDEAL)
    expect(plan).toMatchObject({ bytesPerWeight, bytesCompulsory, provedLeast: true })
    expect(verify(plan)).toEqual([])
  })

  test.each(TARGETS.map((t) => [t.target, t.abilities] as const))('on %s', (_, abilities) => {
    const plan = makePlan(parsed(name), abilities)
    expect(verify(plan)).toEqual([])
    const own = abilities.reducesInPass ? undefined : APART[name]
    expect(plan).toMatchObject({ bytesPerWeight: own ?? bytesPerWeight, provedLeast: true })
  })
})

const traffic = (pass: Pass): string => {
  const name = (b: { kind: string; name?: string }): string => b.name ?? b.kind
  return `${pass.loads.map(name).join(' ')} → ${pass.stores.map((s) => name(s.to)).join(' ')}`
}
const variantWith = (plan: Plan, condition: boolean) => plan.variants[condition ? 1 : 0]!

test('LAMB rebuilds u from m and v as stored; without a ratio it is one pass', () => {
  const plan = makePlan(lamb(), IDEAL)
  expect(plan.conditions).toMatchObject([{ op: 'mask', name: 'adapt' }])
  expect(variantWith(plan, true)).toMatchObject({ bytesPerWeight: 40, scratch: 0 })
  expect(variantWith(plan, true).passes.map(traffic)).toEqual(['weight gradient m v → m v', 'weight m v → weight'])
  expect(variantWith(plan, true).cells.map((c) => c.name)).toEqual(['ratio', 'lr_ratio'])
  expect(variantWith(plan, false).passes.map(traffic)).toEqual(['weight gradient m v → weight m v'])
})

test('the clip of ClippedAdamW is a cell of the model, between two segments', () => {
  const plan = makePlan(clippedAdamW(), IDEAL)
  expect(plan.modelCells).toHaveLength(1)
  expect(plan.barriers).toMatchObject([{ reductions: [{ op: 'sum', over: 'model' }], finish: [0] }])
  for (const variant of plan.variants) expect(variant.passes.map((p) => p.segment)).toEqual([0, 1])
})

test('a flag that decides nothing between two formulas gives one variant', () => {
  const plan = makePlan(momentum(), IDEAL)
  expect(plan.conditions).toHaveLength(1)
  expect(new Set(plan.variants).size).toBe(2)
  expect(new Set(makePlan(adam(), IDEAL).variants).size).toBe(1)
})

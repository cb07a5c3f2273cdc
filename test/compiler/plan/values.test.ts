import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import type { Program } from '../../../src/compiler/check/program.js'
import { evaluatePlan, evaluateProgram, type StepInput, type StepResult } from '../../../src/compiler/plan/evaluate.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { type Abilities, IDEAL, type Plan } from '../../../src/compiler/plan/plan.js'
import { link } from '../../../src/compiler/syntax/modules.js'
import type { Num } from '../../../src/reference/number.js'
import { programWithAxes } from '../../testing/arbitraries.js'
import { type BoundedStep, boundProgram } from './support/bounded.js'
import { SIX } from './support/programs.js'
import { programTape, randomInput, randomProgram, tape, tapeOf } from './support/random.js'
import { verify } from './support/verify.js'

const TARGETS: readonly Abilities[] = [
  IDEAL,
  { target: 'apart', reducesInPass: false, inPlace: true, maxBuffers: 8, maxOutputs: 4 },
  { target: 'narrow', reducesInPass: true, inPlace: true, maxBuffers: 4, maxOutputs: 1 },
  { target: 'ping-pong', reducesInPass: false, inPlace: false, maxBuffers: 5, maxOutputs: 2 }
]

/** Every number of a step beside its bound. */
function* pairs(found: StepResult, bound: BoundedStep): Generator<[number, Num, string]> {
  for (const [i, layer] of found.layers.entries()) {
    const own = bound.layers[i]!
    for (const [j, x] of layer.weight.entries()) yield [x, own.weight[j]!, `w[${j}]`]
    for (const [name, column] of Object.entries(layer.slots)) {
      for (const [j, x] of column.entries()) yield [x, own.slots[name]![j]!, `${name}[${j}]`]
    }
    for (const [name, x] of Object.entries(layer.numbers)) yield [x, own.numbers[name]!, name]
    for (const [name, x] of Object.entries(layer.observations)) yield [x, own.observations[name]!, name]
  }
  for (const [name, x] of Object.entries(found.numbers)) yield [x, bound.numbers[name]!, name]
}

/** No promise: out of range, or made from what is no number. */
const isVacuous = ({ x, low, high }: Num): boolean => Number.isNaN(x) || low === -Infinity || high === Infinity

/** Says what of a step is out of bounds, and counts the numbers that are held to one. */
function compare(program: Program, plan: Plan, input: StepInput): { wrong: string[]; held: number; all: number } {
  const wrong: string[] = []
  let held = 0
  let all = 0
  for (const [x, bound, what] of pairs(evaluatePlan(plan, input), boundProgram(program, input))) {
    all++
    if (isVacuous(bound)) continue
    held++
    if (!(x >= bound.low && x <= bound.high)) wrong.push(`${what}: ${x} is not in [${bound.low}, ${bound.high}]`)
  }
  return { wrong, held, all }
}

describe('a Plan means what its program means', () => {
  test('on random programs, within the bound of float64', () => {
    const shape = { slots: 3, operations: 14, rich: true, model: true }
    const told = { held: 0, all: 0, limited: 0, scratch: 0, variants: 0, barriers: 0 }
    fc.assert(
      fc.property(programTape(shape), tape(80), fc.constantFrom(...TARGETS), (first, second, abilities) => {
        const program = randomProgram(tapeOf(first), shape)
        const plan = makePlan(program, abilities)
        expect(verify(plan)).toEqual([])
        const { wrong, held, all } = compare(program, plan, randomInput(program, tapeOf(second)))
        expect(wrong).toEqual([])
        told.held += held
        told.all += all
        if (plan.bytesPerWeight > makePlan(program, IDEAL).bytesPerWeight) told.limited++
        if (plan.variants.some((v) => v.scratch > 0)) told.scratch++
        if (new Set(plan.variants).size > 1) told.variants++
        if (plan.barriers.length > 0) told.barriers++
      }),
      { numRuns: 500 }
    )
    expect(told.held).toBeGreaterThan(told.all / 2)
    for (const count of [told.limited, told.variants, told.barriers]) expect(count).toBeGreaterThan(20)
    expect(told.scratch).toBeGreaterThan(0)
  })

  test('on random programs with rows and columns, as authors write them', () => {
    const told = { held: 0, all: 0, vectors: 0, across: 0 }
    fc.assert(
      fc.property(programWithAxes, tape(200), (source, numbers) => {
        const program = check(link(source, 'axes.opt', () => null).module).checked.optimizers[0]!
        const plan = makePlan(program, IDEAL)
        expect(verify(plan)).toEqual([])
        const { wrong, held, all } = compare(program, plan, randomInput(program, tapeOf(numbers)))
        expect(wrong).toEqual([])
        told.held += held
        told.all += all
        const passes = plan.variants.flatMap((v) => v.passes)
        if (passes.some((pass) => pass.domain !== 'element')) told.vectors++
        if (passes.some((p) => p.domain !== 'element' && p.reductions.some((r) => r.node.over !== 'layer')))
          told.across++
      }),
      { numRuns: 60 }
    )
    expect(told.held).toBeGreaterThan(told.all / 2)
    expect(told.vectors).toBeGreaterThan(20)
    expect(told.across).toBeGreaterThan(0)
  })

  test.each(TARGETS)('on programs too large to search: $target', (abilities) => {
    const shape = { slots: 12, operations: 160, rich: true, model: true }
    for (const seed of [1, 2, 3]) {
      const numbers = Array.from({ length: 2000 }, (_, i) => Math.floor(Math.abs(Math.sin(seed * 1000 + i)) * 9999))
      const program = randomProgram(tapeOf(numbers), shape)
      const plan = makePlan(program, abilities)
      expect(plan.provedLeast).toBe(false)
      expect(verify(plan)).toEqual([])
      expect(compare(program, plan, randomInput(program, tapeOf(numbers))).wrong).toEqual([])
    }
  })

  for (const [name, make] of Object.entries(SIX)) {
    test(`${name}, all of it decided`, () => {
      const program = make()
      const drawn = randomInput(program, tapeOf([2, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6]))
      const positive = (column: readonly number[]): number[] => column.map((x) => 0.25 + Math.abs(x))
      const layers = drawn.layers.map((layer) => ({
        ...layer,
        slots: Object.fromEntries(Object.entries(layer.slots).map(([slot, column]) => [slot, positive(column)]))
      }))
      const input = { ...drawn, layers }
      const plan = makePlan(program, IDEAL)
      const bound = boundProgram(program, input)
      for (const found of [evaluatePlan(plan, input), evaluateProgram(program, input)]) {
        for (const [x, { low, high }] of pairs(found, bound)) expect(x >= low && x <= high).toBe(true)
      }
    })
  }
})

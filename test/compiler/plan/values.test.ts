import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluatePlan, evaluateProgram, type StepResult } from '../../../src/compiler/plan/evaluate.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { type Abilities, IDEAL } from '../../../src/compiler/plan/plan.js'
import type { Num } from '../../../src/reference/number.js'
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

describe('a Plan means what its program means', () => {
  const told = { decided: 0, all: 0, notProved: 0, plans: 0, scratch: 0, variants: 0 }
  test('on random programs, within the bound of float64', () => {
    const shape = { slots: 3, operations: 14, rich: true, model: true }
    fc.assert(
      fc.property(programTape(shape), tape(80), fc.constantFrom(...TARGETS), (first, second, abilities) => {
        const program = randomProgram(tapeOf(first), shape)
        const input = randomInput(program, tapeOf(second))
        const plan = makePlan(program, abilities)
        expect(verify(plan)).toEqual([])
        told.plans++
        if (!plan.provedLeast) told.notProved++
        if (plan.variants.some((v) => v.scratch > 0)) told.scratch++
        if (plan.variants.length > 1) told.variants++
        for (const [x, bound, what] of pairs(evaluatePlan(plan, input), boundProgram(program, input))) {
          told.all++
          if (isVacuous(bound)) continue
          told.decided++
          expect(x >= bound.low && x <= bound.high, `${what}: ${x} in [${bound.low}, ${bound.high}]`).toBe(true)
        }
      }),
      { numRuns: 1000 }
    )
    console.log(told)
    expect(told.decided).toBeGreaterThan(told.all / 2)
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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { IDEAL } from '../../../src/compiler/plan/plan.js'
import { leastByTryingAll } from './support/exhaustive.js'
import { programTape, randomProgram, tapeOf } from './support/random.js'

describe('the schedule is the least one', () => {
  for (const [what, shape, runs] of [
    ['layers alone', { slots: 1, operations: 5, rich: false, model: false }, 60],
    ['with the model', { slots: 1, operations: 5, rich: false, model: true }, 60],
    ['values worth storing', { slots: 3, operations: 8, rich: false, model: false, dense: true }, 150],
    ['two slots', { slots: 2, operations: 7, rich: false, model: false }, 100]
  ] as const) {
    test(`by exhaustive search: ${what}`, () => {
      const seen = { several: 0, scratch: 0 }
      fc.assert(
        fc.property(programTape(shape), (numbers) => {
          const program = randomProgram(tapeOf(numbers), shape)
          const plan = makePlan(program, IDEAL)
          const variant = plan.variants[0]!
          fc.pre(plan.variants.length === 1 && variant.passes.length <= 4)
          const least = leastByTryingAll(plan.program, 2)
          if (variant.passes.length > 1) seen.several++
          if (variant.scratch > 0) seen.scratch++
          expect(variant.provedLeast).toBe(true)
          expect({
            moved: variant.bytesPerWeight / 4,
            scratch: variant.scratch,
            passes: variant.passes.length
          }).toEqual(least)
        }),
        { numRuns: runs }
      )
      console.log(seen)
    })
  }
})

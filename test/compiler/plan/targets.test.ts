/** Targets that share a Plan: only those whose limits it keeps, and all of them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { computedIn } from '../../../src/compiler/plan/order.js'
import { type Abilities, IDEAL, type Plan } from '../../../src/compiler/plan/plan.js'
import { makePlans } from '../../../src/compiler/plan/targets.js'
import { lamb } from './support/programs.js'
import { programTape, randomChain, randomProgram, tape, tapeOf } from './support/random.js'
import { verify } from './support/verify.js'

const WIDE: Abilities = { ...IDEAL, target: 'wide' }
// Where LAMB takes no ratio, its one pass loads four tensors and stores three of them: not in place it touches seven.
const LIMITS: readonly [does: boolean, limits: Partial<Abilities>][] = [
  [true, {}],
  [true, { maxBuffers: 4, maxOutputs: 3 }],
  [true, { inPlace: false, maxBuffers: 7 }],
  [false, { inPlace: false, maxBuffers: 6 }],
  [false, { maxBuffers: 3 }],
  [false, { maxOutputs: 2 }],
  [true, { maxReductions: 2 }],
  [false, { maxReductions: 1 }],
  [false, { reducesInPass: false }]
]

test.each(LIMITS)('that the least plan of LAMB keeps limits is %s of %j', (does, limits) => {
  const { plan, targets } = makePlans(lamb(), [{ ...WIDE, ...limits }])
  expect(targets[0]!.variants === plan.variants).toBe(does)
  expect(targets[0]!.abilities).toEqual({ ...WIDE, ...limits })
})

test('a target whose passes can not load all that one of the program has to is left out', () => {
  const { targets } = makePlans(lamb(), [
    { ...WIDE, maxLoads: 3 },
    { ...WIDE, maxLoads: 4 }
  ])
  expect(targets.map((t) => t.abilities.maxLoads)).toEqual([4])
})

test('each target gets what it would have got alone, within its limits', () => {
  const shape = { slots: 3, operations: 14, rich: true, model: true }
  const limits = fc.record({
    target: fc.constant('some'),
    reducesInPass: fc.boolean(),
    inPlace: fc.boolean(),
    maxBuffers: fc.integer({ min: 4, max: 9 }),
    maxOutputs: fc.integer({ min: 1, max: 4 }),
    maxReductions: fc.integer({ min: 1, max: 3 }),
    maxLoads: fc.constant(Infinity),
    recomputes: fc.boolean()
  })
  const told = { shared: 0, alone: 0 }
  fc.assert(
    fc.property(programTape(shape), limits, (numbers, abilities) => {
      const program = randomProgram(tapeOf(numbers), shape)
      const { plan, targets } = makePlans(program, [abilities])
      const found = targets[0]!
      expect(verify(found)).toEqual([])
      expect(found.bytesPerWeight).toBe(makePlan(program, abilities).bytesPerWeight)
      told[found.variants === plan.variants ? 'shared' : 'alone']++
    }),
    { numRuns: 150 }
  )
  expect(told.shared).toBeGreaterThan(20)
  expect(told.alone).toBeGreaterThan(20)
})

const operationsOf = ({ variants }: Plan): number =>
  variants.flatMap((v) => v.passes.map((pass) => computedIn(pass).length)).reduce((a, b) => a + b, 0)

test('where arithmetic counts, what would be computed again is kept, if that moves no more', () => {
  const [recomputing, keeping] = makePlans(lamb(), [WIDE, { ...WIDE, recomputes: false }]).targets
  expect(recomputing!.variants.map((v) => v.scratch)).toEqual([0, 0])
  expect(keeping!.variants.map((v) => v.scratch)).toEqual([0, 1])
  expect(keeping!.bytesPerWeight).toBe(recomputing!.bytesPerWeight)
  expect(keeping!.provedLeast).toBe(true)
  const last = keeping!.variants[1]!.passes[1]!
  expect(last.loads.map((b) => b.kind)).toEqual(['weight', 'scratch'])
})

test('so it computes no more than others, and moves the same', () => {
  let less = 0
  fc.assert(
    fc.property(tape(20), (numbers) => {
      const program = randomChain(tapeOf(numbers), 'layer')
      const [recomputing, keeping] = makePlans(program, [WIDE, { ...WIDE, recomputes: false }]).targets
      expect(verify(keeping!)).toEqual([])
      expect(keeping!.bytesPerWeight).toBe(recomputing!.bytesPerWeight)
      const [before, after] = [recomputing!, keeping!].map(operationsOf)
      expect(after).toBeLessThanOrEqual(before!)
      if (after! < before!) less++
    }),
    { numRuns: 150 }
  )
  expect(less).toBeGreaterThan(5)
})

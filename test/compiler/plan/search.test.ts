import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node, Program } from '../../../src/compiler/check/program.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { bufferName } from '../../../src/compiler/plan/names.js'
import { type Abilities, type Buffer, IDEAL } from '../../../src/compiler/plan/plan.js'
import { type Least, leastByTryingAll } from './support/exhaustive.js'
import { Sketch } from './support/programs.js'
import { programTape, randomChain, randomProgram, tape, tapeOf } from './support/random.js'

const small = { slots: 1, operations: 5, rich: false, model: false }
const cases: readonly [string, fc.Arbitrary<Program>, number][] = [
  ['random programs', of(small), 80],
  ['with reductions over the model', of({ ...small, model: true }), 80],
  ['with two slots', of({ ...small, slots: 2, operations: 7 }), 80],
  ['chains of reductions', tape(20).map((numbers) => randomChain(tapeOf(numbers), 'layer')), 80],
  ['chains of reductions over the model', tape(20).map((numbers) => randomChain(tapeOf(numbers), 'model')), 40],
  ['chains of reductions over rows', tape(20).map((numbers) => randomChain(tapeOf(numbers), 'row')), 30]
]

function of(shape: Parameters<typeof programTape>[0]): fc.Arbitrary<Program> {
  return programTape(shape).map((numbers) => randomProgram(tapeOf(numbers), shape))
}

const APART: Abilities = { ...IDEAL, target: 'apart', reducesInPass: false }

/** The least one by exhaustive search, with at most so many values in scratch. */
function expectLeast(program: Program, abilities: Abilities, mostScratch: number): Least {
  const plan = makePlan(program, abilities)
  const variant = plan.variants[0]!
  expect(variant.provedLeast).toBe(true)
  fc.pre(variant.scratch <= mostScratch)
  const { length: passes } = variant.passes.filter((pass) => pass.domain === 'element')
  const found = { moved: variant.bytesPerWeight / 4, scratch: variant.scratch, passes }
  expect(found).toEqual(leastByTryingAll(plan.program, mostScratch, !abilities.reducesInPass))
  return found
}

describe('the schedule is the least one, by exhaustive search', () => {
  const seen = { several: 0, scratch: 0 }
  for (const [what, programs, runs] of cases) {
    test(what, () => {
      fc.assert(
        fc.property(programs, (program) => {
          const { passes, scratch } = expectLeast(program, IDEAL, 2)
          if (passes > 1) seen.several++
          if (scratch > 0) seen.scratch++
        }),
        { numRuns: runs }
      )
    })
  }
  test('and the programs told something', () => {
    expect(seen.several).toBeGreaterThan(50)
    expect(seen.scratch).toBeGreaterThan(10)
  })

  test('where a pass either reduces or stores', () => {
    let several = 0
    fc.assert(
      fc.property(of({ ...small, operations: 4 }), (program) => {
        if (expectLeast(program, APART, 1).passes > 1) several++
      }),
      { numRuns: 600 }
    )
    expect(several).toBeGreaterThan(100)
  })
})

/** r₁ needs g alone. r₂ needs much that the pass after r₁ loads anyway, and little needs r₂: so r₂ is made late. */
test.each(['layer', 'model'] as const)('a reduction over the %s may be worth a pass of its own', (over) => {
  const s = new Sketch()
  const [m, v, k] = [s.slot('m'), s.slot('v'), s.slot('k')]
  const much = s.mul(s.mul(s.w, m), v)
  const first = s.norm(s.g, over)
  const second = s.graph.reduce('sum', over, much)
  s.update('k', s.mul(k, second))
  const plan = makePlan(s.program('Late', s.sub(s.w, s.mul(first, much))), IDEAL)
  const [variant] = plan.variants
  expect(variant!.passes.map((p) => p.loads.length + p.stores.length)).toEqual([1, 4, 2])
  expect(plan.provedLeast).toBe(true)
  expect(plan.barriers.length).toBe(over === 'model' ? 2 : 0)
})

/** A sum is made of i itself, and all else of √i: where no pass may both reduce and store, i is kept, for both of them. */
test('what is kept for later may be needed as it is, though its one use is made from it alone', () => {
  const s = new Sketch()
  const product = s.mul(s.mul(s.slot('a'), s.slot('b')), s.mul(s.slot('c'), s.slot('d')))
  const step = s.mul(s.graph.reduce('sum', 'layer', product), s.sqrt(product))
  const plan = makePlan(s.program('Apart', s.sub(s.w, step)), APART)
  expect(plan.variants[0]!.passes.map((p) => p.loads.length + p.stores.length)).toEqual([5, 1, 3])
})

describe('between schedules that move the same', () => {
  const traffic = (make: (s: Sketch) => Node): string[] => {
    const s = new Sketch()
    const { variants, program } = makePlan(s.program('Tie', make(s)), IDEAL)
    const names = (buffers: readonly Buffer[]): string => buffers.map((b) => bufferName(program, b)).join(' ')
    return variants[0]!.passes.map((p) => `${names(p.loads)} → ${names(p.stores.map((x) => x.to))}`)
  }

  test('the one that recomputes: scratch would cost as much', () => {
    const passes = traffic((s) => {
      const [m, v] = [s.update('m', s.mul(s.slot('m'), s.g)), s.update('v', s.add(s.slot('v'), s.g))]
      const u = s.mul(m, v)
      return s.sub(s.w, s.mul(s.norm(u), u))
    })
    expect(passes).toEqual(['g m v → m v', 'w m v → w'])
  })

  test('the one that writes early', () => {
    const passes = traffic((s) => {
      s.update('k', s.add(s.slot('k'), s.g))
      return s.sub(s.w, s.mul(s.norm(s.g), s.g))
    })
    expect(passes).toEqual(['g k → k', 'w g → w'])
  })

  test('the one that computes less, though it writes late', () => {
    const passes = traffic((s) => {
      const costly = s.sqrt(s.add(s.mul(s.g, s.g), 1))
      s.update('k', s.add(s.slot('k'), costly))
      return s.sub(s.w, s.mul(s.norm(s.g), costly))
    })
    expect(passes).toEqual(['g → ', 'w g k → w k'])
  })
})

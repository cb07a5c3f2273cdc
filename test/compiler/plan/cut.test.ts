import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCutter, type Ground } from '../../../src/compiler/plan/cut.js'

interface Problem extends Ground {
  readonly args: number[][]
  readonly targets: number[]
}

/** Values in order, each with up to three operands among those before it; some can be read, some can't be computed. */
const problems: fc.Arbitrary<Problem> = fc
  .array(fc.tuple(fc.array(fc.nat(), { maxLength: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 4 })), {
    minLength: 1,
    maxLength: 9
  })
  .chain((rows) => {
    const args = rows.map(([operands], i) => [...new Set(i === 0 ? [] : operands.map((n) => n % i))])
    const computable = Uint8Array.from(rows, ([, , c], i) => (args[i]!.length > 0 && c > 0 ? 1 : 0))
    const cost = Int32Array.from(rows, ([, r]) => (r > 1 ? r - 1 : 0))
    const target = fc.nat({ max: rows.length - 1 })
    return fc
      .uniqueArray(target, { minLength: 1, maxLength: 3 })
      .map((targets) => ({ args, cost, computable, targets }))
  })

/** Cheapest first, then fewest operations, among all sets of values to read. */
function byTryingAll({ args, cost, computable, targets }: Problem): { cost: number; operations: number } | null {
  let best: { cost: number; operations: number } | null = null
  for (let bits = 0; bits < 2 ** args.length; bits++) {
    const read = args.flatMap((_, i) => ((bits >> i) & 1 ? [i] : []))
    if (read.some((i) => cost[i] === 0)) continue
    const done = new Set<number>()
    const compute = (i: number): boolean => {
      if (read.includes(i) || done.has(i)) return true
      if (!computable[i] || !args[i]!.every(compute)) return false
      done.add(i)
      return true
    }
    if (!targets.every(compute)) continue
    const found = { cost: read.reduce((sum, i) => sum + cost[i]!, 0), operations: done.size }
    if (!best || found.cost < best.cost || (found.cost === best.cost && found.operations < best.operations))
      best = found
  }
  return best
}

test('a cut is the cheapest, and of those the one that leaves the fewest operations', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const cutter = createCutter(problem.args)
      const least = byTryingAll(problem)
      expect(cutter.isPossible(problem, problem.targets)).toBe(least !== null)
      for (const _ of ['once', 'and again']) {
        const cut = cutter.cut(problem, problem.targets)
        expect(
          cut && { cost: cut.reads.reduce((sum, i) => sum + problem.cost[i]!, 0), operations: cut.operations }
        ).toEqual(least)
      }
    }),
    { numRuns: 1000 }
  )
})

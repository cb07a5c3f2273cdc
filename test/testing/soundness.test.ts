/**
 * The bound is sound: no execution of a random program that docs/numerics.md allows leaves it, whatever the machine does.
 * (test/reference/bound.test.ts has the same of single expressions, wilder ones.)
 */
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { analyse } from '../../src/compiler/compile.js'
import { link } from '../../src/compiler/syntax/modules.js'
import { reference, type Table, tables } from '../../src/reference/index.js'
import { type Case, drawCase, signatureOf } from '../../src/testing/case.js'
import { randomOf } from '../../src/testing/choices.js'
import { compareCase } from '../../src/testing/compare.js'
import { executeCase } from '../reference/execution.js'
import { type Machine, nearest, type Random, shader, wide } from '../reference/machine.js'
import { programWithAxes } from './arbitraries.js'

/** Steps of programs, about, for each machine; `npm run soundness` takes more. */
const STEPS = Number(process.env.OPTC_STEPS ?? 1000)
/** Cases a program: analysing one takes longer than running it. */
const CASES = 20

const machines: readonly (readonly [string, Table, (random: Random) => Machine])[] = [
  ['float32, to nearest', tables.ops, nearest],
  ['float64, rounded now and then', tables.javascript, wide],
  ['a shader', tables.wgsl, shader]
]

const SPECIAL = [0, 1, -1, 2, -3, 0.5, 1e-20, 1e-38, 1e-41, -1e30, 2 ** -126, 16777215, 1 + 2 ** -23]

/** The same case with few weights, and now and then some that are special. */
function small(given: Case, random: Random): Case {
  const special = random() < 0.3
  const whole = random() < 0.1
  const few = (values: Float32Array): Float32Array =>
    values
      .slice(0, 4)
      .map((x) =>
        special && random() < 0.3 ? SPECIAL[Math.floor(random() * SPECIAL.length)]! : whole ? Math.round(8 * x) : x
      )
  return {
    ...given,
    reload: 0,
    layers: given.layers.slice(0, 2).map((layer) => ({
      ...layer,
      shape: layer.weight.length <= 4 ? layer.shape : layer.shape.length < 2 ? [4] : [2, 2],
      weight: few(layer.weight),
      gradients: layer.gradients.map((g) => g && few(g))
    }))
  }
}

describe.each(machines)('%s', (_, table, machineOf) => {
  test(`${STEPS} steps of random programs`, { timeout: 60_000 + STEPS * 100 }, () => {
    let steps = 0
    let compared = 0
    let undetermined = 0
    const property = fc.property(programWithAxes, fc.nat(), (source, seed) => {
      const checked = analyse(source, 'random.opt').checked.optimizers[0]!
      const truth = reference(link(source, 'random.opt', () => null).module)
      const signature = signatureOf(checked)
      const random = randomOf(seed)
      for (let i = 0; i < CASES; i++) {
        const given = small(drawCase(seed + i, signature), random)
        const records = executeCase(checked, given, machineOf(random), table.depth, random)
        const comparison = compareCase(truth, given, records, table)
        steps += given.steps
        compared += comparison.compared
        undetermined += comparison.undetermined
        const [first] = comparison.differences
        if (first)
          throw new Error(
            `${first.where}: ${first.actual}, not ${first.expected} ± ${first.bound}\n${first.trace.join('\n')}\n${source}`
          )
      }
    })
    fc.assert(property, { numRuns: Math.ceil(STEPS / CASES / 2) })
    console.log(
      `${steps} steps, ${compared} numbers, of which ${((100 * undetermined) / compared).toFixed(1)} % are undetermined`
    )
    expect(undetermined).toBeLessThan(compared / 3)
  })
})

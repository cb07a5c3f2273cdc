/** Programs that random testing found wanting, as small as they get. */
import { expect, test } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { reach } from '../../../src/compiler/plan/order.js'
import { IDEAL, type Plan } from '../../../src/compiler/plan/plan.js'
import { link } from '../../../src/compiler/syntax/modules.js'

function planOf(step: string, before = ''): Plan {
  const source = `optimizer Found { hyper learningRate as lr = 0.1 in (0, inf) ${before} step(w, g) { ${step} } }`
  const { checked, diagnostics } = check(link(source, 'found.opt', () => null).module)
  expect(diagnostics).toEqual([])
  return makePlan(checked.optimizers[0]!, IDEAL)
}

test('a product of inverses has no host factors to collect', () => {
  expect(planOf('w := w - lr * ((1 + abs(g))^-2 * (2 + abs(w))^-2)').bytesPerWeight).toBe(12)
})

test('an observation that is a constant is a host scalar all the same', () => {
  const plan = planOf('w := w - lr * g  observe abs(-2) as two')
  expect(plan.scalars.map((s) => s.node)).toContain(plan.program.observations[0]!.value)
})

test('where a mask leaves only values of the model beside it, a rate that a group may set is still one a layer', () => {
  const plan = planOf(
    'u = if all then norm(g over model) else norm(g)  w := w - lr * (1 + u) * g',
    'mask all = rank > 1'
  )
  expect(plan.program.hypers[0]!.groupable).toBe(true)
  const inModel = reach(
    plan.modelCells.map((cell) => cell.node),
    () => true
  )
  expect(inModel.filter((node) => node.op === 'hyper')).toEqual([])
  expect(inModel.some((node) => node.op === 'sum')).toBe(true)
})

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import type { Program } from '../../../src/compiler/check/program.js'
import { TARGETS } from '../../../src/compiler/emit/targets.js'
import { type Explained, explain, explainJson } from '../../../src/compiler/plan/explain.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { IDEAL } from '../../../src/compiler/plan/plan.js'
import { link } from '../../../src/compiler/syntax/modules.js'

function planned(program: Program): Explained {
  const targets = TARGETS.map((t) => makePlan(program, t.abilities))
  return { name: program.name, plan: makePlan(program, IDEAL), targets }
}

function of(source: string): Explained {
  const { checked, diagnostics } = check(link(source, 'test.opt', () => null).module)
  expect(diagnostics).toEqual([])
  return planned(checked.optimizers[0]!)
}

const file = (name: string): string =>
  readFileSync(new URL(`../../../optimizers/${name}.opt`, import.meta.url), 'utf8').replaceAll('\r\n', '\n')

describe('explain', () => {
  test.each(['sgd', 'lars', 'lamb', 'clipped-adamw'])('%s', (name) => {
    expect(explain(of(file(name)))).toMatchSnapshot()
  })

  test('state of every kind, scratch, late stores and several conditions', () => {
    const text = explain(
      of(`
optimizer Everything {
  hyper learningRate as lr = 0.1 in (0, inf)
  hyper nesterov = false
  mask large = size > 100
  state m = 0
  state old = w
  state seen over layer = 0
  state longest over layer = 0
  state total over model = 0
  state product over model = 1
  step(w, g, t) {
    product := product * lr
    seen := seen + 1
    u = m * old + w * g
    n = norm(u)
    v = u * n
    longest := max(longest, n)
    total := total + sum(v over model)
    observe norm(v) as length
    observe product as decay
    m := if large and nesterov then m + g else g
    old := w
    w := w - (if t < 10 then lr else 2 * lr) * u * norm(v) * total / (longest + seen)
  }
}`)
    )
    expect(text).toMatchSnapshot()
  })

  test('the document', () => {
    expect(explainJson([of(file('lamb'))])).toMatchSnapshot()
  })
})

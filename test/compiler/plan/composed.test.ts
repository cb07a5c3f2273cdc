/** Transforms compose into one program, and nobody's kernels by hand move fewer bytes than its Plan. */
import { describe, expect, test } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { IDEAL, type Plan } from '../../../src/compiler/plan/plan.js'
import { reference } from '../../../src/reference/index.js'
import { linked, shipped } from '../../support/library.js'

const planOf = (source: string): Plan => makePlan(check(linked(source)).checked.optimizers[0]!, IDEAL)
const passesOf = (plan: Plan): number => Math.max(...plan.variants.map((v) => v.passes.length))

/** An Adam with `uses` before its step, and `after` on its update `u`. */
const adam = (imports: string, uses: string, after: string): string => `
${imports === '' ? '' : `import { ${imports} } from "std"`}
optimizer Composed {
  hyper learningRate as lr = 0.001 in (0, inf)
  state m = 0
  state v = 0
  ${uses}
  step(w, g, t) {
    m := 0.9 * m + 0.1 * g
    v := 0.999 * v + 0.001 * g²
    u = m / (1 - 0.9^t) / (√(v / (1 - 0.999^t)) + 1e-8)
    ${after}
    w := w - lr * u
  }
}`

describe('what is composed costs what its reductions cost, and no more', () => {
  test.each([
    ['Adam', adam('', '', ''), 28, 1],
    ['Adam, weight decay', adam('l2', '', 'use l2(0.01) on (u, w)'), 28, 1],
    // The norm of the gradient is one more read of it.
    ['clip → Adam', adam('clipByGlobalNorm', 'use clipByGlobalNorm(1)', ''), 32, 2],
    // The ratio is known once all of the update is: w, m and v are read again, and m and v are written by then.
    ['Adam → trust ratio', adam('trustRatio', '', 'use trustRatio() on (u, w)'), 40, 2],
    [
      'clip → Adam → weight decay → trust ratio',
      adam(
        'clipByGlobalNorm, l2, trustRatio',
        'use clipByGlobalNorm(1)',
        'use l2(0.01) on (u, w)\nuse trustRatio() on (u, w)'
      ),
      44,
      3
    ],
    // Three transforms of the gradient that need nothing but its value are no pass of their own.
    [
      'value → value → value → Adam',
      adam('clipByValue', 'use clipByValue(3)\nuse clipByValue(2)\nuse clipByValue(1)', ''),
      28,
      1
    ]
  ])('%s', (_, source, bytes, passes) => {
    const plan = planOf(source)
    expect({ bytes: plan.bytesPerWeight, passes: passesOf(plan), proved: plan.provedLeast }).toEqual({
      bytes,
      passes,
      proved: true
    })
  })

  test('in the order that the author wrote', () => {
    const composed = (...uses: readonly string[]): number => {
      const source = adam('l2, trustRatio', '', uses.map((use) => `use ${use} on (u, w)`).join('\n'))
      const layer = { name: 'w', shape: [2], weight: [3, 4], gradient: [1, 0], age: 1, slots: null }
      const { layers } = reference(linked(source)).step({ t: 1, layers: [layer], modelState: null })
      return layers[0]!.weight.value[1]!
    }
    // Decay before the ratio is scaled with the rest; behind it, it is as it is.
    expect(composed('trustRatio()', 'l2(0.1)')).toBeCloseTo(4 - 0.001 * 0.4, 12)
    expect(composed('l2(0.1)', 'trustRatio()')).toBeCloseTo(4 - (0.001 * 5 * 0.4) / Math.hypot(1.3, 0.4), 9)
  })

  test('as the same rule written by hand, LAMBApex, does', () => {
    expect(planOf(shipped.get('LAMBApex')!.source).bytesPerWeight).toBe(44)
  })
})

/** Bytes a weight of kernels that people wrote by hand: float32 read and written by the passes that each row names. */
describe('no kernel by hand moves fewer bytes', () => {
  test.each([
    ['SGD', 'torch fused: w g → w', 12],
    ['Momentum', 'torch fused: w g v → w v', 20],
    ['AdaGrad', 'torch fused: w g s → w s', 20],
    ['Adam', 'torch fused, apex FusedAdam: w g m v → w m v', 28],
    ['AdamW', 'torch fused, apex FusedAdam: w g m v → w m v', 28],
    ['Lion', 'Triton kernel of lion-pytorch: w g m → w m', 20],
    ['NovoGrad', 'apex FusedNovoGrad: norm of g; w g m → w m', 24],
    ['LAMB', 'apex multi_tensor_lamb: norm of w; w g m v → m v u; norm of u; w u → w', 48],
    ['LAMBApex', 'apex FusedLAMB: norm of g, then as above', 52]
  ])('%s: %s', (name, _, theirs) => {
    expect(planOf(shipped.get(name)!.source).bytesPerWeight).toBeLessThanOrEqual(theirs)
  })
})

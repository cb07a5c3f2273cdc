/** Which passes TensorFlow's training kernels are matched to, and which only look like it. */
import { describe, expect, it } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import { tensorflow } from '../../../src/compiler/emit/tensorflow.js'
import { inPlaceOf } from '../../../src/compiler/emit/tensorflow-kernels.js'
import { keepShared } from '../../../src/compiler/emit/tensorflow-shared.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import type { Plan } from '../../../src/compiler/plan/plan.js'
import { link } from '../../../src/compiler/syntax/modules.js'
import { shipped } from '../../support/library.js'

function planOf(source: string): Plan {
  const { module, diagnostics } = link(source, 'test.opt', () => null)
  const { checked, diagnostics: more } = check(module)
  expect([...diagnostics, ...more].filter((d) => d.severity === 'error')).toEqual([])
  return makePlan(checked.optimizers[0]!, tensorflow.abilities)
}

/** The kernels of each way to make a pass in place, by default the first, and the names of what they leave. */
function matched(source: string, variant = 0, pass = 0): string[] {
  const plan = planOf(source)
  const { passes, cells } = keepShared(plan.variants[variant]!)
  const known = new Map(pass > 0 ? cells.map(({ node }, i) => [node, `s.cells[${i}]!`]) : [])
  return inPlaceOf(plan, passes[pass]!, known).map(({ kernels, one, left }) => {
    const names = kernels
      .flatMap((text) => [...text.matchAll(/apply\('(\w+)', (\[[^\]]*\])/g)])
      .map(([, name, buffers]) => `${name}${buffers}`)
    const others = left.map(({ to }) => (to.kind === 'slot' ? to.name : to.kind))
    return [...names, ...(one ? ['for one layer'] : []), ...(others.length > 0 ? [`left: ${others}`] : [])].join(' ')
  })
}

const HYPERS = { r: 'r = 0.1', a: 'a = 0.9 in [0, 1)', b: 'b = 0.99 in [0, 1)', e: 'e = 0.001 in (0, inf)' }

/** With those hyperparameters that the step reads. */
function optimizer(states: string, step: string): string {
  const reads = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(step)
  return `optimizer Test {
    ${Object.entries(HYPERS)
      .flatMap(([name, text]) => (reads(name) ? [`hyper ${text}`] : []))
      .join('\n')}
    ${states
      .split(' ')
      .flatMap((s) => (s === '' ? [] : [`state ${s} = 0`]))
      .join('\n')}
    step(w, g${reads('t') ? ', t' : ''}) {
      ${step.split('; ').join('\n')}
    }
  }`
}

describe('the library', () => {
  it.each([
    ['SGD', ['GradientDescent[0]']],
    ['Momentum', ['Momentum[0, 2]']],
    ['AdaGrad', ['AdagradV2[0, 2]']],
    ['RMSPropTF', ['RMSProp[0, 2, 3]', 'KerasMomentum[-1, 2] left: weight,b']],
    ['Adam', ['Adam[0, 2, 3]', 'KerasMomentum[-1, 2] KerasMomentum[-1, 3] AdagradV2[0, 3]']],
    ['RMSProp', ['KerasMomentum[-1, 2] AdagradV2[0, 2]']],
    ['AdamW', ['KerasMomentum[-1, 2] KerasMomentum[-1, 3] AdagradV2[0, 3]']],
    ['AMSGrad', ['KerasMomentum[-1, 2] KerasMomentum[-1, 3] left: weight,largest']],
    ['LARS', []]
  ])('%s', (name, kernels) => {
    expect(matched(shipped.get(name)!.source)).toEqual(kernels)
  })
})

describe('what two passes need is kept', () => {
  const lamb = shipped.get('LAMB')!.source

  it('LAMB: the first keeps the update, of which the second is a descent, at a rate of the layer', () => {
    expect(matched(lamb, 1)).toEqual(['KerasMomentum[-1, 2] KerasMomentum[-1, 3] AdagradV2[4, 3]'])
    expect(matched(lamb, 1, 1)).toEqual(['GradientDescent[0] for one layer'])
  })

  it('but not what is one operation', () => {
    const { variants } = planOf(optimizer('', 'u = g * g; w := w - u * norm(u) * norm(w)'))
    expect(variants[0]!.passes.length).toBe(2)
    expect(keepShared(variants[0]!).scratch).toBe(0)
  })

  it('a rate of the layer is for no other kernel', () => {
    const rated = (step: string): string[] => matched(optimizer('v', step), 0, 1)
    expect(rated('v := a * v + norm(w) * g; w := w - r * v')).toEqual([])
    const squares = 'KerasMomentum[-1, 2] left: weight'
    expect(rated('v := v + g²; w := w - norm(g) * g / (√v + e)')).toEqual([squares])
  })
})

describe('what is computed counts, not how it is written', () => {
  it.each([
    ['v := g + a * v; w := w - v * r', ['Momentum[0, 2]']],
    ['v := a * v - r * g; w := w + v', ['KerasMomentum[0, 2]']],
    ['v := -(r * g) + v * a; w := v + w', ['KerasMomentum[0, 2]']],
    ['v := a * v + g; w := w - (g + v * a) * r', ['Momentum[0, 2]']],
    ['v := v + g * g; w := w - g * r / (e + √v)', ['AdagradV2[0, 2]']],
    ['v := v + g²; w := w - r * g / (√(v / (1 - b^t)) + e)', ['AdagradV2[0, 2]']]
  ])('%s', (step, kernels) => {
    expect(matched(optimizer('v', step))).toEqual(kernels)
  })

  it('decay, decoupled', () => {
    expect(matched(optimizer('', 'w := (1 - r * a) * w - r * g'))).toEqual(['GradientDescent[0]'])
  })
})

describe('a near miss is not matched', () => {
  it.each([
    ['another factor ahead', 'v', 'v := a * v + g; w := w - r * (g + b * v)', ['KerasMomentum[-1, 2] left: weight']],
    ['ahead by what was', 'v', 'u = v; v := a * v + g; w := w - r * (g + b * u)', []],
    ['the buffer as it was', 'v', 'u = v; v := a * v + g; w := w - r * u', []],
    ['the weight in the mean', 'v', 'v := a * v + (1 - a) * w; w := w - r * v - r * g', []],
    ['decay', '', 'w := w - r * (g + a * w)', []],
    ['ε in the root', 'v', 'v := v + g²; w := w - r * g / √(v + e)', ['KerasMomentum[-1, 2] left: weight']],
    ['no ε', 'v', 'v := v + g²; w := w - r * g / √v', ['KerasMomentum[-1, 2] left: weight']],
    ['half of the root', 'v', 'v := v + g²; w := w - r * g / (a * √v + e)', ['KerasMomentum[-1, 2] left: weight']],
    ['of another power', 'v', 'v := a * v + g² * g; w := w - r * g / (√v + e)', []],
    [
      'of two slots',
      'v u',
      'v := v + g²; u := a * u + g²; w := w - r * g / (√(v + u) + e)',
      ['KerasMomentum[-1, 2] KerasMomentum[-1, 3] left: weight']
    ],
    [
      'not the mean of squares',
      'm v',
      'm := a * m + (1 - a) * g; v := b * v + (1 - b) * g; w := w - r * m / (√v + e)',
      ['KerasMomentum[-1, 2] KerasMomentum[-1, 3] AdagradV2[0, 3]']
    ],
    [
      'the gradient in the place of its mean',
      'm v',
      'm := a * m + (1 - a) * g; v := b * v + (1 - b) * g²; w := w - r * (g + m) / (√v + e)',
      ['KerasMomentum[-1, 2] KerasMomentum[-1, 3] left: weight']
    ],
    ['the mean of absolute values', 'v', 'v := a * v + (1 - a) * abs(g); w := w - r * v', []],
    ['a reduction', 'v', 'v := a * v + g; w := w - r * v / (1 + norm(v))', ['KerasMomentum[-1, 2]']]
  ])('%s', (_, states, step, kernels) => {
    expect(matched(optimizer(states, step))).toEqual(kernels)
  })
})

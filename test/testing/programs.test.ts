import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { check } from '../../src/compiler/check/check.js'
import { link } from '../../src/compiler/syntax/modules.js'
import { reference } from '../../src/reference/index.js'
import { program, programWithAxes } from './arbitraries.js'

function analyse(source: string, path: string): ReturnType<typeof check> {
  const { module, diagnostics } = link(source, path, () => null)
  expect(diagnostics).toEqual([])
  return check(module)
}

test.prop([fc.oneof(program, programWithAxes)], { numRuns: 500 })('a random program is well typed', (source) => {
  expect(analyse(source, 'random.opt').diagnostics).toEqual([])
})

test.prop([fc.oneof(program, programWithAxes)], { numRuns: 200 })(
  'checker and reference agree on what lives where',
  (source) => {
    const { checked, diagnostics } = analyse(source, 'random.opt')
    expect(diagnostics).toEqual([])
    const { slots } = reference(link(source, 'random.opt', () => null).module)
    const shown = checked.optimizers[0]!.slots.map(({ name, over, place }) => ({ name, over, place }))
    expect(slots.map(({ name, over, place }) => ({ name, over, place }))).toEqual(shown)
  }
)

test('random programs hold everything that the language has', () => {
  const texts = fc.sample(fc.oneof(program, programWithAxes), { numRuns: 400, seed: 1 }).join('\n')
  const wanted = [
    ...['+', '-', '*', '/', '^', '²', '√', '‖', '·', '<', '<=', '>', '>=', '==', '!=', '≤', '≥', '≠'],
    ...['and', 'or', 'not', 'if', '~', 'observe', 'use', 'on', 'fn', 'schedule', 'transform', 'import', 'mask'],
    ...['sqrt', 'rsqrt', 'cbrt', 'abs', 'sign', 'exp', 'log', 'clamp', 'floor', 'tanh'],
    ...['sum', 'mean', 'norm', 'rms', 'dot', 'max', 'min'],
    ...['over layer', 'over model', 'over rows', 'over cols', 'rank', 'size', 'age', ' in {', 'false']
  ]
  expect(wanted.filter((part) => !texts.includes(part))).toEqual([])
})

import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { check } from '../../src/compiler/check/check.js'
import { reach } from '../../src/compiler/plan/order.js'
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
    ...['sum', 'mean', 'count', 'norm', 'rms', 'dot', 'max', 'min'],
    ...['over layer', 'over model', 'over rows', 'over cols', 'over channels', 'rank', 'size', 'age', ' in {', 'false']
  ]
  expect(wanted.filter((part) => !texts.includes(part))).toEqual([])
})

test('random programs have what breaks planners', () => {
  const sources = fc.sample(fc.oneof(program, programWithAxes), { numRuns: 300, seed: 2 })
  const share = (has: (source: string) => boolean): number => sources.filter(has).length / sources.length

  const reads = (line: string, name: string): boolean => line.replace(/^\s*\S+ :?= /, '').includes(name)
  const aroundItsUpdate = (source: string): boolean => {
    const lines = source.slice(source.lastIndexOf('step(')).split('\n')
    return ['m', 'v', 's₁', 'z'].some((name) => {
      const at = lines.findIndex((line) => line.trim().startsWith(`${name} := `))
      const before = lines.slice(0, at + 1).some((line) => reads(line, name))
      return at > 0 && before && lines.slice(at + 1).some((line) => reads(line, name))
    })
  }
  const shared = (source: string): boolean => {
    const { weight, slots } = analyse(source, 'random.opt').checked.optimizers[0]!
    const nodes = reach([weight, ...slots.map((s) => s.next)], () => true)
    const users = nodes.flatMap((n) => [...new Set(n.args)])
    return nodes.some((n) => n.args.length > 1 && n.level === 'element' && users.filter((u) => u === n).length > 1)
  }
  expect({
    'a reduction in a conditional': share((s) => /if .*then .*(‖|mean|rms|norm|dot|sum)/.test(s)) > 0.2,
    'state read before and after its update': share(aroundItsUpdate) > 0.2,
    'transforms in a row': share((s) => /^ *use .*\n *use /m.test(s)) > 0.1,
    'shared terms': share(shared) > 0.5
  }).toEqual({
    'a reduction in a conditional': true,
    'state read before and after its update': true,
    'transforms in a row': true,
    'shared terms': true
  })
})

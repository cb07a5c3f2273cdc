import { describe, expect, test } from 'vitest'
import type { Program } from '../../../src/compiler/check/program.js'
import { checked, programIn, show, step } from './support.js'

const value = (p: Program, name: string): string => show(p.names.find((n) => n.name === name)!.node)
const places = (p: Program): string[] => p.slots.map((s) => `${s.name} ${s.over} ${s.place}`)

describe('state', () => {
  test('over the layer and the model is on the host while only host values go in', () => {
    const p = programIn(
      step(
        'n := n + size\ntotal := 0.9 * total + t\nw := w - lr * g / (n + total)',
        'state n over layer = 0\nstate total over model = 0'
      )
    )
    expect(places(p)).toEqual(['n layer host', 'total model host'])
    expect(p.slots.map((s) => s.next.place)).toEqual(['host', 'host'])
  })

  test('is on the device as soon as a device value goes in, and so is what it feeds', () => {
    const p = programIn(
      step(
        'a := a + b\nb := b + c\nc := 0.9 * c + ‖g‖\nd := d + 1\nw := w - lr * g / (a + d)',
        'state a over layer = 0\nstate b over layer = 0\nstate c over layer = 0\nstate d over layer = 0'
      )
    )
    expect(places(p)).toEqual(['a layer device', 'b layer device', 'c layer device', 'd layer host'])
    expect(p.slots[0]!.next).toMatchObject({ place: 'device', level: 'layer' })
  })

  test('that once held a device value in the step stays on the device', () => {
    const p = programIn(step('a := ‖g‖\nw := w - lr * g / a\na := 1', 'state a over layer = 0'))
    expect(places(p)).toEqual(['a layer device'])
  })

  test('a slot that a device mask or condition decides is on the device', () => {
    const p = programIn(
      step('a := if ‖g‖ > 1 then 1 else 2\nw := w - lr * g / a', 'state a over model = 0').replace(
        '‖g‖',
        '‖g over model‖'
      )
    )
    expect(places(p)).toEqual(['a model device'])
  })

  test('each use of a transform has its own, named by the transform and its turn', () => {
    const p = programIn(
      `transform ema(b) on (x) { state m = 0; state n over model = 0; m := b * m + x; n := n + 1; x := m / n }
transform twice(b) on (x) { state k = w0(); k := k + x; x := k; use ema(b); use ema(b) }
fn w0() = 0
${step('use ema(0.1)\nuse twice(0.2) on (u)\nw := w - u', 'use ema(0.3)\nuse twice(0.4)').replace('  step(w, g) {\n', '  step(w, g) {\n    u = lr * g\n')}`
    )
    expect(p.slots.map((s) => s.name)).toEqual([
      'ema_m',
      'ema_n',
      'twice_k',
      'ema2_m',
      'ema2_n',
      'ema3_m',
      'ema3_n',
      'ema4_m',
      'ema4_n',
      'twice2_k',
      'ema5_m',
      'ema5_n',
      'ema6_m',
      'ema6_n'
    ])
  })

  test('names of slots stay apart whatever transforms and state are called', () => {
    const p = programIn(
      `transform a() on (x) { state m = 0; m := m + x; x := m }
transform a2() on (x) { state m = 0; m := m - x; x := m }
${step('a3_m := a3_m + g\nw := w - lr * a3_m', 'state a3_m = 0\nuse a2()\nuse a()\nuse a()\nuse a()')}`
    )
    const names = p.slots.map((s) => s.name)
    expect(names).toEqual(['a3_m', 'a2_m', 'a_m', 'a4_m', 'a5_m'])
  })

  test('reads the latest value, and the last is what it becomes', () => {
    const p = programIn(step('v := v + g\nu = v\nv := 2 * v\nw := w - lr * u', 'state v = 0'))
    expect(show(p.slots[0]!.next)).toBe('mul(2, add(v, gradient))')
    expect(value(p, 'u')).toBe('add(v, gradient)')
    expect(show(p.weight)).toBe('sub(weight, mul(learningRate, add(v, gradient)))')
  })

  test('that is never updated becomes itself', () => {
    const p = programIn(step('w := w - lr * (g + w - z)', 'state z = w'))
    expect(p.slots[0]!.next).toMatchObject({ op: 'slot', name: 'z' })
    expect(p.slots[0]!.init).toMatchObject({ op: 'weight' })
  })

  test('starts from the weight as it was, whatever the uses before did to it', () => {
    const p = programIn(
      `transform shrink() on (g, w) { w := 0.9 * w; g := g + w }
transform anchor() on (g, w) { state a = w; g := g + w - a }
${step('w := w - lr * g', 'use shrink()\nuse anchor()')}`
    )
    expect(show(p.slots[0]!.init)).toBe('weight')
  })
})

describe('reductions are written with sums', () => {
  const of = (e: string): string => value(programIn(step(`x = ${e}\nw := w - lr * g * x`)), 'x')

  test.each([
    ['‖g‖', 'sqrt(sum:layer(mul(gradient, gradient)))'],
    ['norm(g over model)', 'sqrt(sum:model(mul(gradient, gradient)))'],
    ['sum(g)', 'sum:layer(gradient)'],
    ['mean(g)', 'div(sum:layer(gradient), size)'],
    ['mean(g over model)', 'div(sum:model(gradient), max(modelSize, 1))'],
    ['mean(size over model)', 'div(sum:model(size), max(modelLayers, 1))'],
    ['rms(g)', 'sqrt(div(sum:layer(mul(gradient, gradient)), size))'],
    [
      'rms(‖g‖ over model)',
      'sqrt(div(sum:model(mul(sqrt(sum:layer(mul(gradient, gradient))), sqrt(sum:layer(mul(gradient, gradient))))), max(modelLayers, 1)))'
    ],
    ['dot(g, w)', 'sum:layer(mul(gradient, weight))'],
    ['dot(g, 2)', 'sum:layer(mul(gradient, 2))'],
    ['max(g)', 'max:layer(gradient)'],
    ['max(g over layer)', 'max:layer(gradient)'],
    ['min(g over model)', 'min:model(gradient)'],
    ['max(g, w, 1)', 'max(max(gradient, weight), 1)'],
    ['clamp(g, 0, 1)', 'min(max(gradient, 0), 1)'],
    ['rsqrt(g)', 'rsqrt(gradient)'],
    ['-g^2', 'neg(pow(gradient, 2))'],
    ['if g > 0 and not (w < 0) then 1 else 2', 'select(and(gt(gradient, 0), not(lt(weight, 0))), 1, 2)'],
    ['rank * size * age', 'mul(mul(rank, size), age)']
  ])('%s', (e, nodes) => {
    expect(of(e)).toBe(nodes)
  })

  test.each([
    ['sum(v)', 'mul(1, size)'],
    ['max(v)', '1'],
    ['mean(v)', 'div(mul(1, size), size)'],
    ['norm(v)', 'sqrt(mul(mul(1, 1), size))'],
    ['sum(v over model)', 'mul(1, modelSize)'],
    ['min(v over model)', '1'],
    ['sum(s over model)', 'mul(2, modelLayers)'],
    ['max(s over model)', '2'],
    ['sum(k over model)', 'sum:model(mul(rank, size))'],
    ['max(k over model)', 'max:model(rank)']
  ])('%s of what is the same in all weights', (e, nodes) => {
    const head = 'state v = 0\nstate k = 0\nstate s over layer = 0'
    const p = programIn(step(`v := 1\ns := 2\nk := rank\nx = ${e}\nw := w - lr * g * (x + v + s + k)`, head))
    expect(value(p, 'x')).toBe(nodes)
  })
})

describe('inlining', () => {
  test('functions, schedules and transforms leave no trace', () => {
    const p = programIn(
      `fn correct(x, beta) = x / (1 - beta^t)
schedule decay(rate = 0.1, over = 10) = rate / (1 + t / over)
transform scale(by = 2) on (x) { y = by * x; x := y }
${step('u = correct(g, beta = 0.9)\nuse scale(by = 3) on (u)\nw := w - decay(lr) * u')}`
        .replaceAll('over = 10', 'span = 10')
        .replace('t / over', 't / span')
    )
    expect(show(p.weight)).toBe(
      'sub(weight, mul(div(learningRate, add(1, div(step, 10))), mul(3, div(gradient, sub(1, pow(0.9, step))))))'
    )
    expect(p.names.map((n) => n.name)).toEqual(['u', 'u', 'w'])
  })

  test('a use works on the gradient and the weight unless it is told on what', () => {
    const p = programIn(
      `transform mix(by) on (g, w) { g := g + by * w }
${step('use mix(2)\nu = lr * g\nuse mix(3) on (u)\nuse mix(4) on (u, g)\nw := w - u', 'use mix(1)')}`
    )
    const g = 'add(add(gradient, mul(1, weight)), mul(2, weight))'
    expect(show(p.weight)).toBe(`sub(weight, add(add(mul(learningRate, ${g}), mul(3, weight)), mul(4, ${g})))`)
  })

  test('a transform’s use of another works on what it works on itself', () => {
    const p = programIn(
      `transform half() on (x) { x := x / 2 }
transform quarter() on (x) { use half(); use half() }
${step('u = lr * g\nuse quarter() on (u)\nw := w - u')}`
    )
    expect(show(p.weight)).toBe('sub(weight, div(div(mul(learningRate, gradient), 2), 2))')
  })

  test('masks of a transform are options of the optimizer, a set for each use', () => {
    const p = programIn(
      `transform decay(by) on (g, w) { mask decayed = rank > 1 and not (name ~ /bias/i); g := if decayed then g + by * w else g }
${step('w := w - lr * g', 'use decay(1)\nuse decay(2)')}`
    )
    expect(p.masks.map((m) => m.name)).toEqual(['decayDecayed', 'decay2Decayed'])
    expect(show(p.masks[0]!.predicate)).toBe('and(gt(rank, 1), not(name ~ /bias/i))')
  })

  test('observations of a second use have a number', () => {
    const p = programIn(
      `transform watch() on (x) { observe ‖x‖ as size1 }\n${step('use watch()\nuse watch() on (w)\nw := w - lr * g')}`
    )
    expect(p.observations.map((o) => [o.name, show(o.value)])).toEqual([
      ['size1', 'sqrt(sum:layer(mul(gradient, gradient)))'],
      ['size12', 'sqrt(sum:layer(mul(weight, weight)))']
    ])
  })

  test('a step may have another name, and t is known where it is not named', () => {
    expect(show(programIn(step('w := w - lr * g / k', '', 'w, g, k')).weight)).toContain('step')
    const p = programIn(step('w := w - lr * g / t'))
    expect(show(p.weight)).toContain('step')
    expect(p.symbols).toEqual({ weight: 'w', gradient: 'g', step: 't' })
  })
})

describe('groups', () => {
  const groupable = (source: string): Record<string, boolean> =>
    Object.fromEntries(programIn(source).hypers.map((h) => [h.name, h.groupable]))

  test('a hyperparameter that reaches state of the model, or meets it in a value of the model, is for all', () => {
    const p = step('n := b * n + 1\nw := w - lr * g / (n + c)', 'hyper b = 1\nhyper c = 1\nstate n over model = 0')
    expect(groupable(p)).toEqual({ learningRate: true, b: false, c: false })
  })

  test('so is one that it starts from', () => {
    const p = step('n := n + 1\nw := w - lr * g / n', 'hyper b = 1\nstate n over model = b')
    expect(groupable(p)).toEqual({ learningRate: true, b: false })
  })

  test('so is one that a reduction over the model reads, however deep', () => {
    const p = step('u = b * g\nw := w - lr * g / ‖u over model‖', 'hyper b = 1')
    expect(groupable(p)).toEqual({ learningRate: true, b: false })
  })

  test('one that meets a value of the model in a value of the layer is not', () => {
    const p = step('w := w - lr * g * b / ‖g over model‖', 'hyper b = 1')
    expect(groupable(p)).toEqual({ learningRate: true, b: true })
  })
})

describe('schedules', () => {
  test('are exported with their parameters, and read them as hyperparameters', () => {
    const { checked: file } = checked(
      '/// Falls.\nschedule s(a, b = 1 / 2, flag = true) = if flag then a * b / t else a'
    )
    expect(file.schedules).toHaveLength(1)
    const [s] = file.schedules
    expect(s).toMatchObject({
      name: 's',
      doc: 'Falls.',
      params: [
        { name: 'a', init: null },
        { name: 'b', init: 0.5 },
        { name: 'flag', init: true }
      ]
    })
    expect(show(s!.body)).toBe('select(flag, div(mul(a, b), step), a)')
  })

  test('of other files are not exported again', () => {
    const { checked: file } = checked('import { cosine } from "std"\nschedule mine(a = 1) = cosine(a)')
    expect(file.schedules.map((s) => s.name)).toEqual(['mine'])
  })
})

test('a file may hold several optimizers; those without errors are given', () => {
  const good = step('w := w - lr * g')
  const { checked: file, diagnostics } = checked(
    `${good.replace('Test', 'A')}${step('w := w - lrr * g')}${good.replace('Test', 'B')}`
  )
  expect(file.optimizers.map((p) => p.name)).toEqual(['A', 'B'])
  expect(diagnostics).toHaveLength(1)
})

test('an optimizer that uses what has errors is not given, without errors of its own', () => {
  const { checked: file, diagnostics } = checked(`fn f(x) = y\n${step('w := w - lr * f(g)')}`)
  expect(file.optimizers).toEqual([])
  expect(diagnostics.map((d) => d.code)).toEqual(['OPT2001'])
})

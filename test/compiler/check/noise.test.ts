import { expect, test } from 'vitest'
import { cases } from './cases.js'
import { programIn, step } from './support.js'

cases({
  'in a step': step('w := w - lr * g * noise()'),
  reduced: step('w := w - lr * g * mean(noise())'),
  'a local that is one number': step('u = noise()\nw := w - lr * g * (u - u)'),
  'in a function': `fn either() = if noise() < 0.5 then 1 else -1\n${step('w := w - lr * g * either()')}`,
  'with an argument': step('w := w - lr * g * noise(1)'),
  'over the layer': step('w := w - lr * g * noise(over layer)'),
  'without parentheses': step('w := w - lr * g * noise'),
  'as a name': step('noise = 1\nw := w - lr * g * noise'),
  'into state of a layer': step('s := noise()\nw := w - lr * g * s', 'state s over layer = 0'),
  'where state starts': step('s := s + g\nw := w - lr * s', 'state s = noise()'),
  'where state starts, in a function': `fn r() = noise()\n${step('s := s + g\nw := w - lr * s', 'state s = r()')}`,
  'in a mask': step('w := w - (if odd then lr else 0) * g', 'mask odd = noise() > 0.5'),
  'in a default': step('w := w - lr * g * h', 'hyper h = noise()'),
  'in a schedule': `schedule s(a = 1) = a * noise() / t\n${step('w := w - lr * g * s()')}`,
  'an argument of a schedule': `schedule s(a = 1) = a / t\n${step('w := w - lr * g * s(noise())')}`,
  'an argument of a transform': `transform scale(by) on (g) { g := by * g }\n${step('w := w - lr * g', 'use scale(1 + noise())')}`,
  'beside a hyperparameter that is called seed': step('w := w - lr * g * seed * noise()', 'hyper seed = 1'),
  'beside a mask that is called seed': step('w := w - (if seed then lr else 0) * noise() * g', 'mask seed = rank > 1'),
  'a seed as a symbol': step('w := w - lr * g * seed * noise()', 'hyper start as seed = 1'),
  'a seed without random numbers': step('w := w - lr * g * seed', 'hyper seed = 1')
})

test('an optimizer whose random numbers come to nothing has a seed too', () => {
  expect(programIn(step('w := w - lr * g + (if noise() > 1 then g - g else g - g)')).seeded).toBe(true)
  expect(programIn(step('w := w - lr * g')).seeded).toBe(false)
})

test('each use of a function is a number of its own, and a local is one', () => {
  const sites = (body: string): number => {
    const { weight } = programIn(`fn f() = noise()\ntransform j() on (x) { x := x + f() }\n${step(body)}`)
    const found = new Set<unknown>()
    const visit = (node: { readonly op: string; readonly args: readonly unknown[] }): void => {
      if (node.op === 'noise') found.add(node)
      for (const arg of node.args) visit(arg as typeof node)
    }
    visit(weight)
    return found.size
  }
  expect(sites('w := w - lr * g * f()')).toBe(1)
  expect(sites('w := w - lr * g * (f() + f())')).toBe(2)
  expect(sites('u = f()\nw := w - lr * g * (u + u)')).toBe(1)
  expect(sites('use j()\nuse j() on (g)\nw := w - lr * g')).toBe(2)
})

import { cases } from './cases.js'
import { step } from './support.js'

const half = 'transform half(by = 2) on (x) { x := x / by }\n'
const decay = 'transform decay(rate) on (g, w) { g := g + rate * w }\n'
const good = step('w := w - lr * g')

cases({
  'an unknown transform': step('w := w - lr * g', 'use clip(1)'),
  'a misspelled transform': `${half}${step('w := w - lr * g', 'use hlaf(1)')}`,
  'a function': `fn f(x) = x\n${step('w := w - lr * g', 'use f(1)')}`,
  'a built-in': step('w := w - lr * g', 'use clamp(1)'),
  'a schedule': `schedule s(a = 1) = a / t\n${step('w := w - lr * g', 'use s(1)')}`,
  'a hyperparameter': step('w := w - lr * g', 'use lr(1)'),
  'an optimizer': step('w := w - lr * g', 'use Test()'),
  'without the argument it needs': `${decay}${step('w := w - lr * g', 'use decay()')}`,
  'with an argument too many': `${half}${step('w := w - lr * g', 'use half(1, 2)')}`,
  'with a misspelled argument': `${half}${step('w := w - lr * g', 'use half(bby = 1)')}`,
  'in the step, on a local': `${half}${step('u = lr * g\nuse half() on (u)\nw := w - u')}`,
  'in the step, on the gradient by default': `${half}${step('use half(3)\nw := w - lr * g')}`,
  'in the step, on state and the weight': `${half}${step('v := v + g\nuse half() on (v)\nuse half() on (w)\nw := w - lr * v', 'state v = 0')}`,
  'that updates the weight is an update of the weight': `transform move(by) on (g, w) { w := w - by * g }\n${step('use move(lr)\nobserve ‖g‖ as size1')}`,
  'on a hyperparameter': `${half}${step('use half() on (lr)\nw := w - lr * g')}`,
  'on a mask': `${half}${step('use half() on (big)\nw := w - (if big then lr else 0) * g', 'mask big = rank > 1')}`,
  'on the step': `${half}${step('use half() on (t)\nw := w - lr * g / t', '', 'w, g, t')}`,
  'on an unknown name': `${half}${step('use half() on (gg)\nw := w - lr * g')}`,
  'on a local that is bound further down': `${half}${step('use half() on (u)\nu = lr * g\nw := w - u')}`,
  'on two, where it takes one': `${half}${step('use half() on (g, w)\nw := w - lr * g')}`,
  'on one, where it takes two: the weight is meant': `${decay}${step('u = lr * g\nuse decay(0.1) on (u)\nw := w - u')}`,
  'on one, where it takes three': `transform three() on (a, b, c) { a := b + c }\n${step('use three() on (g)\nw := w - lr * g')}`,
  'that changes nothing': `transform idle() on (x) { y = x; z = y + 1 }\n${step('w := w - lr * g', 'use idle()')}`,
  'that only observes': `transform watch() on (x) { observe ‖x‖ as size1 }\n${step('w := w - lr * g', 'use watch()')}`,
  'that observes, twice': `transform watch() on (x) { observe ‖x‖ as size1 }\n${step('use watch()\nuse watch() on (w)\nw := w - lr * g')}`,
  'that only uses another': `${half}transform quarter() on (x) { use half(4) }\n${step('w := w - lr * g', 'use quarter()')}`,
  'that uses another on a local of its own': `${half}transform quarter() on (x) { y = 2 * x; use half(8) on (y); x := y }\n${step('w := w - lr * g', 'use quarter()')}`,
  'never used, and wrong': `transform bad(c) on (g) { g := g * cc }\n${good}`,
  'with a parameter that is not read': `transform bad(c) on (g) { g := 2 * g }\n${good}`,
  'with a second subject that is not read': `transform bad() on (g, w) { g := 2 * g }\n${good}`,
  'with a local that is not read': `transform bad() on (g) { u = 2; g := 2 * g }\n${good}`,
  'with state that is not read': `transform bad() on (g) { state m = 0; m := g; g := 2 * g }\n${good}`,
  'with state that is not updated': `transform bad() on (g) { state m = 0; g := g + m }\n${good}`,
  'with state that starts from an argument': `transform ema(b, start = 0) on (g) { state m = start; m := b * m + g; g := m }\n${step('w := w - lr * g', 'use ema(0.9, lr)')}`,
  'with state that starts from an argument that has no value yet': `transform ema(b, start = 0) on (g) { state m = start; m := b * m + g; g := m }\n${step('w := w - lr * g', 'use ema(0.9, t)')}`,
  'with state that starts from the weight': `transform anchor() on (g, w) { state a = w; g := g + w - a }\n${step('w := w - lr * g', 'use anchor()')}`,
  'with state that starts from the gradient': `transform bad() on (g) { state a = g; a := g; g := g - a }\n${step('w := w - lr * g', 'use bad()')}`,
  'with := on a parameter': `transform bad(c) on (g) { c := 2; g := c * g }\n${good}`,
  'with = on what it works on': `transform bad(c) on (g) { g = c * g }\n${good}`,
  'with two names alike': `transform bad(g) on (g) { g := 2 * g }\n${good}`,
  'that reads the step and facts': `transform fade() on (g) { g := g / (t + size + age + rank) }\n${step('w := w - lr * g', 'use fade()')}`,
  'that does not know the optimizer’s names': `transform bad() on (x) { x := lr * x }\n${step('w := w - lr * g', 'use bad()')}`,
  'an argument that is wrong': `${half}${step('w := w - lr * g', 'use half(lrr)')}`,
  'an argument that is a local of the step': `${half}${step('u = 2\nw := w - lr * g * u', 'use half(u)')}`,
  'an argument of the wrong kind, told at the use': `${half}${step('w := w - lr * g', 'use half(true)')}`
})

import { cases } from './cases.js'
import { step } from './support.js'

const nesterov = 'hyper nesterov = false'

cases({
  'a bool in a sum': step('w := w - lr * (g + nesterov)', nesterov),
  'a comparison in a product': step('w := w - lr * (g > 0)'),
  'a number in a condition': step('w := w - (if g then lr else 0)'),
  'a number in `and`': step('w := w - (if g and lr > 0 then lr else 0)'),
  'a number in `not`': step('w := w - (if not g then lr else 0)'),
  'a minus before a bool': step('w := w - lr * -nesterov * g', nesterov),
  'a root of a bool': step('w := w - lr * √nesterov * g', nesterov),
  'both sides wrong: both are told': step('w := w - (if g and lr then lr else 0)'),
  'bools compared': step('w := w - (if nesterov == true then lr else g)', nesterov),
  'branches of different kinds': step('w := w - (if g > 0 then lr else false)'),
  'branches that are bools': step(
    'use_it = if g > 0 then nesterov else false\nw := w - (if use_it then lr else 0)',
    nesterov
  ),
  'a bool as a function’s argument': step('w := w - lr * abs(nesterov) * g', nesterov),
  'a bool in a norm': step('w := w - lr * g * ‖g > 0‖'),
  'a bool in a sum over the model': step('w := w - lr * g * sum(g > 0 over model)'),
  'a bool into state': step('v := g > 0\nw := w - lr * v', 'state v = 0'),
  'a bool into the weight': step('w := g > lr'),
  'a bool as a start value': step('v := v + g\nw := w - lr * v', 'state v = false'),
  'a bool observed': step('w := w - lr * g\nobserve nesterov as flag', nesterov),
  'a number as a mask': step('w := w - (if big then lr else 0) * g', 'mask big = rank'),
  'a comparison of comparisons': step('w := w - (if (g > 0) > lr then lr else 0)'),
  'true as an exponent': step('w := w - lr * g^true'),
  'a transform on a bool': `transform half() on (x) { x := x / 2 }\n${step('up = g > 0\nuse half() on (up)\nw := w - (if up then lr else 0)')}`,
  'a function that wants a bool gets a number': `fn pick(c, x) = if c then x else 0\n${step('w := w - lr * pick(g, g)')}`,
  'a function that wants a number gets a bool': `fn double(x) = 2 * x\n${step('w := w - lr * double(nesterov) * g', nesterov)}`,
  'a function may take a bool': `fn pick(c, x) = if c then x else 0\n${step('w := w - lr * pick(g > 0, g)')}`,
  'the kind of a local follows from its value': step('up = g > 0\nw := w - lr * up'),
  'one wrong operand does not spoil the rest': step('u = g + nesterov\nv = u * lrr\nw := w - lr * v', nesterov)
})

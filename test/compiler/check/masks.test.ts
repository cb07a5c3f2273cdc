import { cases } from './cases.js'
import { step } from './support.js'

const using = (head: string, symbol = 'x'): string => step(`w := w - lr * (if ${symbol} then g else w)`, head)

cases({
  'facts, constants and the name': using('mask x = rank > 1 and (size >= 128 or not (name ~ /norm|bias/i)) and true'),
  'a function of facts': `fn matrix(n) = n == 2\n${using('mask x = matrix(rank)')}`,
  'a hyperparameter': using('hyper least = 3\nmask x = size > least'),
  'another mask': using('mask y = rank > 1\nmask x = y and size > 3'),
  state: step('s := s + 1\nw := w - lr * (if x then g else w)', 'state s over layer = 0\nmask x = s > 3'),
  'the weight': using('mask x = w > 0'),
  'the gradient': using('mask x = g > 0'),
  'the step': step('w := w - lr * (if x then g else w)', 'mask x = t > 100', 'w, g'),
  'a renamed step': step('w := w - lr * (if x then g else w) / k', 'mask x = k > 100', 'w, g, k'),
  age: using('mask x = age > 1'),
  'a norm of the weight': using('mask x = ‖w‖ > 1'),
  'a sum of a constant': using('mask x = sum(1) > 1'),
  'a local of the step': step('u = rank\nw := w - lr * (if x then g else w) * u', 'mask x = u > 1'),
  'a schedule': `schedule s(a = 1) = a / t\n${using('mask x = s() > 1')}`,
  'a function that reads the step': `fn late(n) = t > n\n${using('mask x = late(3)')}`,
  'a function that reads age, of a fact': `fn late(n) = age > n\n${using('mask x = late(size)')}`,
  'the name alone': using('mask x = name'),
  'the name compared': using('mask x = name == 1'),
  'a match of something else': using('mask x = rank ~ /2/'),
  'a match of a sum': using('mask x = (rank + 1) ~ /2/'),
  'a match in the step': step('w := w - lr * (if name ~ /bias/ then g else w)'),
  'a match in a function': `fn isBias(x) = name ~ /bias/ and x > 1\n${using('mask x = isBias(rank)')}`,
  'the name in the step': step('w := w - lr * g * name'),
  'a reserved name': using('mask layers = rank > 1', 'layers'),
  'an underscore': using('mask is_big = rank > 1', 'is_big'),
  'called like a hyperparameter': using('hyper big = 1\nmask big = rank > big', 'big > 1'),
  'never read': step('w := w - lr * g', 'mask big = rank > 1'),
  'in a transform': `transform shrink(by = 0.1) on (g, w) { mask shrunk = rank > 1; g := g + (if shrunk then by * w else 0) }\n${step('w := w - lr * g', 'use shrink()')}`,
  'in a transform, of an argument': `transform shrink(least) on (g, w) { mask shrunk = size > least; g := g + (if shrunk then w else 0) }\n${step('w := w - lr * g', 'use shrink(12)\nuse shrink(lr)\nuse shrink(12 + lr)')}`
})

import { cases } from './cases.js'
import { step } from './support.js'

const using = (head: string, symbol = 'x'): string => step(`w := w - lr * g * ${symbol}`, head)

cases({
  'below the range': using('hyper x = -1 in [0, 1]'),
  'at an open bound': using('hyper x = 0 in (0, 1]'),
  'at a closed bound': using('hyper x = 0 in [0, 1)'),
  'at the other open bound': using('hyper x = 1 in [0, 1)'),
  'not in the set': using('hyper x = 3 in {1, 2, 4}'),
  'in the set': using('hyper x = 4 in {1, 2, 4}'),
  'a computed default': using('hyper x = 1 / 3 + sqrt(4) in (2, 3)'),
  'a computed bound': using('hyper x = 0.5 in (-1 / 2, 2^-1]'),
  'a default by a function': `fn half(x) = x / 2\n${using('hyper x = half(1) in (0, 1)')}`,
  'a range the wrong way round': using('hyper x = 0.5 in [1, 0]'),
  'an open range of one number': using('hyper x = 1 in (1, 1]'),
  'a closed range of one number': using('hyper x = 1 in [1, 1]'),
  'a bound that is a hyperparameter': using('hyper x = 0.5 in (0, lr)'),
  'a bound that is the step': using('hyper x = 0.5 in (0, t)'),
  'a bound that is a bool': using('hyper x = 0.5 in (0, true)'),
  'a bound that is not a number': using('hyper x = 0.5 in (0, 0 / 0)'),
  'a default that is another hyperparameter': using('hyper x = lr'),
  'a default that is a later hyperparameter': step('w := w - lr * g * x * y', 'hyper x = y\nhyper y = 1'),
  'a default that is unknown': using('hyper x = z'),
  'a default that reads a fact': using('hyper x = rank'),
  'a default that reads the weight': using('hyper x = w'),
  'a default that reduces': using('hyper x = norm(1)'),
  'a default that is no number': using('hyper x = 0 / 0'),
  'an infinite default without a range': using('hyper x = inf'),
  'an infinite default in a range that holds it': step('w := w - lr * clamp(g, -x, x)', 'hyper x = inf in (0, inf]'),
  'an infinite default in a range that does not hold it': using('hyper x = inf in (0, inf)'),
  'a range on a bool': step('w := w - lr * (if x then g else w)', 'hyper x = true in [0, 1]'),
  'a reserved name': using('hyper groups as x = 1'),
  'a reserved name as its own symbol': using('hyper iterations = 1', 'iterations'),
  'a reserved name as a symbol only': using('hyper count as groups = 1', 'groups'),
  'a name that every object has': using('hyper toString as x = 1'),
  'an underscore': using('hyper weight_decay as x = 1'),
  'an underscore in a symbol': using('hyper decay as weight_decay = 1', 'weight_decay'),
  'a leading underscore': using('hyper _decay as x = 1'),
  'underscores alone': using('hyper __ as x = 1'),
  __proto__: using('hyper __proto__ as x = 1'),
  'a Greek name for callers': using('hyper λ = 1', 'λ'),
  'one name for callers twice': step('w := w - lr * g * x * y', 'hyper decay as x = 1\nhyper decay as y = 1'),
  'a mask called like a hyperparameter is for callers': step(
    'w := w - (if decay then lr else x) * g',
    'hyper decay as x = 1\nmask decay = rank > 1'
  ),
  'never read': step('w := w - lr * g', 'hyper decay as λ = 1'),
  'several wrong at once': using('hyper x = -1 in [0, 1]\nhyper y_z as y = true in (0, 1)', 'x * (if y then 1 else 2)')
})

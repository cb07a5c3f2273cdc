import { cases } from './cases.js'
import { step } from './support.js'

cases({
  'an element into state over the layer': step('s := abs(g)\nw := w - lr * g / (1 + s)', 'state s over layer = 0'),
  'an element into state over the model': step('s := g²\nw := w - lr * g / (1 + s)', 'state s over model = 0'),
  'a layer’s value into state over the model': step('s := ‖g‖\nw := w - lr * g / (1 + s)', 'state s over model = 0'),
  'a fact into state over the model': step('s := size\nw := w - lr * g / (1 + s)', 'state s over model = 0'),
  'a mask into state over the model': step(
    's := if big then 1 else 0\nw := w - lr * g / (1 + s)',
    'mask big = rank > 1\nstate s over model = 0'
  ),
  'an element’s condition into state over the layer': step(
    's := if g > 0 then 1 else 0\nw := w - lr * g / (1 + s)',
    'state s over layer = 0'
  ),
  'a lower level fits everywhere': step(
    's := 1\nm := lr\nv := t\nw := w - lr * g * (s + m + v)',
    'state s over layer = 0\nstate m over model = 0\nstate v = 0'
  ),
  'per-weight state stays per weight when it is set to a constant': step(
    'v := 0\ns := v\nw := w - lr * (g + s + v)',
    'state v = w\nstate s over layer = 0'
  ),
  'an element observed': step('w := w - lr * g\nobserve g as gradient'),
  'a step’s, a layer’s and the model’s value observed': step(
    'w := w - lr * g\nobserve t as count\nobserve ‖g‖ as norm1\nobserve ‖g over model‖ as norm2'
  ),
  'a layer’s state that starts from the weight': step('s := ‖g‖ + s\nw := w - lr * g / s', 'state s over layer = w'),
  'the model’s state that starts from a fact': step('s := s + 1\nw := w - lr * g / s', 'state s over model = size'),
  'the norm of a norm': step('w := w - lr * g / ‖‖g‖‖'),
  'the sum of a hyperparameter': step('w := w - lr * g / sum(lr)'),
  'the mean of t over the model': step('w := w - lr * g / mean(t over model)'),
  'the sum of a value of the model over the model': step('w := w - lr * g / sum(‖g over model‖ over model)'),
  'the norm of a fact over the layer': step('w := w - lr * g / norm(size)'),
  'the sum of one value a layer over the model': step(
    'w := w - lr * g / (1 + sum(size over model) + mean(‖g‖ over model))'
  ),
  'the norm of a constant': step('w := w - lr * g / norm(2)'),
  'the dot of two layers’ values': step('w := w - lr * g / dot(‖g‖, ‖w‖)'),
  'reductions of what was just set to a constant': step(
    'v := 1\nw := w - lr * v * g / (norm(v) + mean(v) + max(v) + sum(v over model))',
    'state v = 0'
  ),
  'over rows': step('w := w - lr * g / sqrt(mean(g² over rows))'),
  'over cols in a norm': step('w := w - lr * g / ‖g over cols‖'),
  'state over rows': step('r := r + 1\nw := w - lr * g / r', 'state r over rows = 0'),
  'rows of rows': step('w := w - lr * g / max(max(g over rows) over rows)'),
  'columns of rows, and rows over the layer and the model': step(
    'r = max(g over rows)\nw := w - lr * g / (mean(r over cols) + sum(r) + sum(r over model))'
  ),
  'rows and columns cross in an element': step(
    'l := max(g over rows) * max(g over cols)\nw := w - lr * g / l',
    'state l over rows = 0'
  ),
  'an element where one value a column is wanted': step('c := g²\nw := w - lr * g / c', 'state c over cols = 0'),
  'a row in state of the layer': step('l := max(g over rows)\nw := w - lr * g / l', 'state l over layer = 0'),
  'state over columns that starts as the weight': step(
    'c := max(c, max(g over cols))\nw := w - lr * g / c',
    'state c over cols = w'
  ),
  'over channels, by themselves and where one value a column is wanted': step(
    'k := mean(g over channels)\nc := max(k, max(g over cols))\nw := w - lr * (g - c) / count(g over channels)',
    'state k over channels = 0\nstate c over cols = 0'
  ),
  'a column where one value a channel is wanted': step(
    'k := max(g over cols)\nw := w - lr * g / k',
    'state k over channels = 0'
  ),
  'a channel is one value for each column: nothing to reduce': step(
    'w := w - lr * g / max(mean(g over channels) over cols)'
  ),
  'how many values there are of what has one': step('w := w - lr * g / count(‖g‖)'),
  'over on a function': step('w := w - lr * abs(g over layer)'),
  'over on max of two': step('w := w - lr * max(g, 1 over layer)'),
  'over on a function of the file': `fn half(x) = x / 2\n${step('w := w - lr * half(g over model)')}`,
  'a transform that keeps a layer’s value of an element': `transform keep() on (g) { state s over layer = 0; s := g; g := g + s }\n${step('use keep()\nw := w - lr * g')}`,
  'a transform that is fine on one value and not on another': `transform peak() on (x) { state s over layer = 0; s := max(s, x); x := s }\n${step('n = ‖g‖\nuse peak() on (n)\nuse peak() on (g)\nw := w - lr * g / n')}`,
  'a function that reduces what does not vary': `fn scaled(x) = x / ‖x‖\n${step('w := w - lr * scaled(g) * scaled(lr)')}`,
  'an element as an argument of a schedule': `schedule s(base = 1) = base / t\n${step('w := w - lr * s(g)')}`,
  'a layer’s value as an argument of a schedule': `schedule s(base = 1) = base / t\n${step('w := w - lr * s(base = ‖g‖) * g')}`,
  'a hyperparameter as an argument of a schedule': `schedule s(base = 1) = base / t\n${step('w := w - s(lr) * g')}`
})

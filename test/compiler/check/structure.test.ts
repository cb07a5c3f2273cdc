import { cases } from './cases.js'
import { step } from './support.js'

const good = step('w := w - lr * g')

cases({
  'an empty file': '',
  'comments alone': '// nothing\n/* here */\n',
  'functions alone': 'fn half(x) = x / 2\n',
  'no step': 'optimizer A {\n  hyper learningRate as lr = 0.1\n  state m = 0\n}\n',
  'an empty optimizer': 'optimizer A {\n}\n',
  'two steps': 'optimizer A {\n  step(w, g) { w := w - g }\n  step(w, g) { w := w - 2 * g }\n}\n',
  'three steps':
    'optimizer A {\n  step(w, g) { w := w - g }\n  step(w, g) { w := w - 2 * g }\n  step(w, g) { w := w }\n}\n',
  'an empty step': step(''),
  'a step without names': 'optimizer A {\n  step() { }\n}\n',
  'a step of one name': 'optimizer A {\n  step(w) { w := 0.9 * w }\n}\n',
  'a step of four names': 'optimizer A {\n  step(w, g, t, x) { w := w - g * t * x }\n}\n',
  'use before definition': `${step('w := w - lr * half(g)')}\nfn half(x) = x / two()\nfn two() = 2\n`,
  'an optimizer that no class can be called': good.replace('Test', 'LayerInfo'),
  'an optimizer called like the options of another': `${good}\n${good.replace('Test', 'TestOptions')}`,
  'an optimizer called like the observations of another': `${good.replace('Test', 'TestObservations')}\n${good}`,
  'an optimizer called like the groups of another': `${good}\n${good.replace('Test', 'TestGroup')}`,
  'an optimizer called like the arguments of a schedule': `schedule flat(a = 1) = a / t\n${good.replace('Test', 'FlatArguments')}`,
  'a schedule called like the options of an optimizer': `schedule TestOptions(a = 1) = a / t\n${good}`,
  'schedules whose arguments are called the same': 'schedule flat(a = 1) = a / t\nschedule Flat(b = 1) = b / t\n',
  'two schedules of one name': 'schedule flat(a = 1) = a / t\nschedule flat(b = 1) = b / t\n',
  'a schedule called Schedule': `schedule Schedule(a = 1) = a / t\n${good}`,
  'a schedule called Schedule where no optimizer is': 'schedule Schedule(a = 1) = a / t\n',
  'a schedule of a reserved name': 'schedule dispose(a = 1) = a / t\n',
  'a schedule with an underscore': 'schedule warm_up(a = 1) = a / t\n',
  'errors come in source order, whatever finds them': `optimizer B {
  hyper a_b as x = 2 in (0, 1)
  mask big = x > 1
  state v = g
  use nothing(y)
  step(w, g) {
    w = w - lr * g
    observe g as seen
  }
}
fn f(x) = zz
`,
  'a syntax error makes nothing unused': `optimizer A {
  hyper learningRate as lr = 0.1
  state m = 0
  step(w, g) {
    m := m + * g
    w := w - lr * m
  }
}
`,
  'a syntax error hides no other error': `optimizer A {
  hyper learningRate as lr = 0.1
  step(w, g) {
    w := w - lr * * g
    w := w - lr * (g > 0)
  }
}
`
})

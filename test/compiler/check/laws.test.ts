/** What is said of a law that can't be read; and that nothing of one gets into what is compiled. */
import { describe, expect, test } from 'vitest'
import { cases } from './cases.js'
import { errors, programIn, step } from './support.js'

const BODY = 'decay = if adapt then λ * w else 0\nv := 0.9 * v + g + decay\nobserve ‖v‖ as length\nw := w - lr * v'
const HEAD = 'hyper weightDecay as λ = 0 in [0, inf)\nhyper flag = false\nmask adapt = rank > 1\nstate v = 0'
const law = (text: string, file = ''): string =>
  `${step(BODY.replace('λ * w', '(if flag then λ * w else 0)'), HEAD).replace(/}\n$/, `\n${text.replace(/^(?=.)/gm, '  ')}\n}\n`)}${file}`

cases({
  'all that can be replaced': law(
    '/// Doc.\nlaw all: g -> 8 * g, lr → lr / 8, v -> 8 * v, w -> w, λ -> λ, flag -> not flag, length -> 8 * length if adapt and ‖g‖ > 0'
  ),
  'a function of the file': law('law all: g -> twice(g)', '\nfn twice(x) = 2 * x\n'),
  'a name that nothing has': law('law a: h -> 8 * h'),
  'a name that is nearly one': law('law a: lenght -> 2 * lenght'),
  'what callers call it': law('law a: learningRate -> 2 * lr'),
  'a mask, a local, a fact and a function': law(
    'law a: adapt -> true, decay -> 2 * decay, rank -> 2, sqrt -> 2, t -> 1'
  ),
  'another thing': law('law a: g -> λ * g'),
  'a mask, a fact, a local, the step': law(
    'law a: g -> if adapt then g else -g, w -> rank * w, v -> decay * v, lr -> t * lr'
  ),
  'a reduction, a random number': law('law a: g -> g / ‖g‖, w -> w + noise()'),
  'a random condition': law('law a: g -> 8 * g if noise() < 0.5'),
  'a condition on weights': law('law a: g -> 8 * g if g > 0'),
  'a condition that is a number': law('law a: g -> 8 * g if λ'),
  'a number for true or false': law('law a: flag -> 1, g -> true'),
  'twice the same thing': law('law a: g -> 8 * g, g -> -g'),
  'two of one name': law('law a: g -> 8 * g\nlaw a: g -> -g'),
  'one that claims nothing': law('law a: g -> g, w -> w'),
  'what only a law reads is unused': step('w := w - lr * g', 'hyper rate = 1').replace(
    /}\n$/,
    '\n  law a: rate -> 2 * rate\n}\n'
  )
})

describe('`law` is a name', () => {
  test.each([
    step('law = 2 * g\nv = law\nlaw2 = v\nw := w - lr * law2 * law'),
    step('law := law + g\nx = law\nw := w - lr * x', 'state law = 0\nmask m = rank > 1').replace(
      '* x',
      '* (if m then x else law)'
    ),
    `transform law() on (law) {\n  law := 2 * law\n}\n\n${step('w := w - lr * g', 'use law()')}`,
    `${step('w := w - lr * law(g)')}\nfn law(law) = 2 * law\n`
  ])('%s', (source) => expect(errors(source)).toBe(''))

  test('also where it begins one', () => {
    const source = step('law := law + g\nw := w - lr * law', 'state law = 0').replace(
      /}\n$/,
      '\n  law law: law -> 8 * law, g -> 8 * g,\n    lr -> lr / 8 if lr > 0\n  law other: w -> w + 1\n}\n'
    )
    expect(errors(source)).toBe('')
    expect(programIn(source).laws).toEqual([
      { name: 'law', doc: '', text: 'law -> 8 * law, g -> 8 * g, lr -> lr / 8 if lr > 0' },
      { name: 'other', doc: '', text: 'w -> w + 1' }
    ])
  })
})

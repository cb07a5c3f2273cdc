import { expect, test } from 'vitest'
import { didYouMean, nearest } from '../../src/compiler/suggest.js'

test.each([
  ['lrr', ['lr', 'beta'], 'lr'],
  ['learningrate', ['learningRate', 'learning'], 'learningRate'],
  ['beta1', ['β2', 'β1'], 'β1'],
  ['mhat', ['m', 'm̂'], 'm̂'],
  ['μ', ['µ'], 'µ'],
  ['ϵ', ['ε', 'η'], 'ε'],
  ['optimiser', ['optimizer', 'step'], 'optimizer'],
  ['trustRatio', ['ratio', 'lr'], 'ratio'],
  ['weightDecay', ['ratio', 'lr'], null],
  ['x', ['g', 'w', 't'], null],
  ['ab', ['xy', 'ba'], null],
  ['constructor', [], null],
  ['w', ['w'], null]
])('%s among %j is %s', (name, known, found) => expect(nearest(name, known)).toBe(found))

test('a hint tells look-alikes apart', () => {
  expect(didYouMean('lrr', 'lr')).toBe('Did you mean `lr`?')
  expect(didYouMean('lr', null)).toBe('')
  expect(didYouMean('\u00b5', '\u03bc')).toBe(
    'Did you mean `\u03bc` (U+03BC)? `\u00b5` is U+00B5: they only look alike.'
  )
})

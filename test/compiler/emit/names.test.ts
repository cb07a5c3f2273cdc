import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { ascii, freshNames } from '../../../src/compiler/emit/names.js'

/** Identifiers of the language, from few letters, so that what could be confused is. */
const identifier = fc
  .tuple(
    fc.constantFrom(...'abehtBHUu_∇βηθςσΒΔδ𝛽Ж'),
    fc.array(fc.constantFrom(...'abeghtuBEHU01₀₁_βηςσΒΔδ′𝛽Ж\u0302\u0304'), { maxLength: 6 })
  )
  .map(([first, rest]) => (first + rest.join('')).normalize('NFC'))
/** What `ascii` would make of other names, to meet it half-way. */
const alike = fc.oneof(
  identifier,
  identifier.map((name) =>
    ascii(name)
      .replaceAll('$', '')
      .replace(/^(?=\d)/, 'u')
  )
)

describe('ascii', () => {
  it.each([
    ['learningRate', 'learningRate'],
    ['β1', 'beta$1'],
    ['m̂', 'mHat$'],
    ['∇', 'grad$'],
    ['x₁', 'x1$'],
    ['é', 'eAcute$'],
    ['Δ', 'bigdelta$'],
    ['Ж', '$$u416$']
  ])('%s → %s', (name, text) => expect(ascii(name)).toBe(text))

  test.prop([alike, alike], { numRuns: 5000 })('is injective', (a, b) => {
    expect(ascii(a) === ascii(b)).toBe(a === b)
  })

  test.prop([identifier])('gives identifiers of JavaScript, and leaves ASCII as it is', (name) => {
    expect(ascii(name)).toMatch(/^[A-Za-z_$][\w$]*$/)
    if (/^\w+$/.test(name)) expect(ascii(name)).toBe(name)
  })

  it('can be undone', () => {
    // What is between the marks tells the character, so equal texts come of equal names.
    const undo = (text: string): string[] =>
      text.match(/\$\$u[0-9a-f]+\$|(?:^[a-z]+|[A-Z][a-z]*|\d)\$(?!\$u)|[\s\S]/g) ?? []
    fc.assert(
      fc.property(identifier, (name) => {
        expect(undo(ascii(name))).toHaveLength([...name.normalize('NFD')].length)
      })
    )
  })
})

describe('freshNames', () => {
  it('takes the plainest words', () => {
    const fresh = freshNames([])
    expect(['β1', 'm̂', '∇f', 'beta1', 'x₁', 'Δw', 'learningRate'].map(fresh)).toEqual([
      'beta1',
      'mHat',
      'grad_f',
      'beta1_2',
      'x1',
      'bigdelta_w',
      'learningRate'
    ])
  })

  it('goes round what is reserved', () => {
    const fresh = freshNames(['g'])
    expect(['g', 'new', '__x', '_', 'λ'].map(fresh)).toEqual(['g_2', 'new_2', 'x', 'x_2', 'lambda'])
  })

  test.prop([fc.array(alike, { maxLength: 20 })])(
    'never gives a name twice, and only such as any target can spell',
    (names) => {
      const fresh = freshNames([])
      const given = names.map(fresh)
      expect(new Set(given).size).toBe(names.length)
      for (const name of given) expect(name).toMatch(/^[A-Za-z]\w*$/)
    }
  )
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FnDecl } from '../../../src/compiler/syntax/ast.js'
import { parse } from '../../../src/compiler/syntax/parse.js'
import { print, printExpression } from '../../../src/compiler/syntax/print.js'
import { expr, file, inFunction, parsed, rendered, withoutSpans } from './support.js'

test('what is printed is read back as the same tree', () => {
  fc.assert(
    fc.property(file, (tree) => {
      const text = print(tree)
      const { file, diagnostics } = parse(text, 'printed.opt')
      expect(diagnostics, rendered(text)).toEqual([])
      expect(withoutSpans({ imports: file.imports, declarations: file.declarations })).toEqual(withoutSpans(tree))
    }),
    { numRuns: 150 }
  )
})

test('no parenthesis is there for nothing', () => {
  fc.assert(
    fc.property(expr, (e) => {
      const text = printExpression(e)
      for (let at = text.indexOf('('); at >= 0; at = text.indexOf('(', at + 1)) {
        // A call's own parentheses stand right behind a name.
        if (
          /[\p{ID_Continue}₀-₉′∇]$/u.test(text.slice(0, at)) &&
          !/(?:^|[^\p{ID_Continue}])(?:not|and|or|if|then|else)$/u.test(text.slice(0, at))
        )
          continue
        const close = closing(text, at)
        const without = `${text.slice(0, at)} ${text.slice(at + 1, close)} ${text.slice(close + 1)}`
        const { file, diagnostics } = parse(inFunction(without), 'without.opt')
        const same = () => withoutSpans((file.declarations[0] as FnDecl).body)
        if (diagnostics.length === 0) expect(same(), `${text} is ${without}`).not.toEqual(withoutSpans(e))
      }
    }),
    { numRuns: 100 }
  )
})

function closing(text: string, open: number): number {
  let depth = 0
  for (let at = open; ; at++) {
    if (text[at] === '(') depth++
    if (text[at] === ')' && --depth === 0) return at
  }
}

describe('the shipped programs', () => {
  const folder = join(import.meta.dirname, '..', '..', '..', 'optimizers')
  test.each(readdirSync(folder))('%s', (name) => {
    const tree = parsed(readFileSync(join(folder, name), 'utf8'))
    const again = parsed(print(tree))
    expect(withoutSpans(again.declarations)).toEqual(withoutSpans(tree.declarations))
  })

  test('read well when printed', () => {
    expect(print(parsed(readFileSync(join(folder, 'lamb.opt'), 'utf8')))).toMatchInlineSnapshot(`
      "/// LAMB: layer-wise adaptive moments for large-batch training.
      /// @see arXiv:1904.00962, Algorithm 2
      optimizer LAMB {
        hyper learningRate as lr = 0.001 in [0, inf)
        hyper beta1 as β1 = 0.9 in [0, 1)
        hyper beta2 as β2 = 0.999 in [0, 1)
        hyper epsilon as ε = 0.000001 in (0, inf)
        hyper weightDecay as λ = 0.01 in [0, inf)

        /// Layers that get the trust ratio and weight decay; biases and normalization scales do not.
        mask adapt = rank > 1

        state m = 0
        state v = 0

        step(w, g, t) {
          m := β1 * m + (1 - β1) * g
          v := β2 * v + (1 - β2) * g^2
          m̂ = m / (1 - β1^t)
          v̂ = v / (1 - β2^t)
          u = m̂ / (√v̂ + ε) + (if adapt then λ * w else 0)
          ratio = if adapt and ‖w‖ > 0 and ‖u‖ > 0 then ‖w‖ / ‖u‖ else 1
          observe ratio as trustRatio
          w := w - lr * ratio * u
        }
      }
      "
    `)
  })
})

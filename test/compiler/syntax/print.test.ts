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

test.each([
  'a^b^c',
  '(a^b)^c',
  'a^-b',
  '-a^2',
  '(-a)^2',
  '(√a)^2',
  '√(a^2)',
  '√√a',
  '√(a + b)',
  '2^(a + b)',
  '2^(if a then b else c)',
  'a - (b - c)',
  'a - b - c',
  'a / (b * c)',
  '(a + b) * c',
  '-(a + b)',
  '-a + b',
  'a * -b',
  '--a',
  'not (a and b)',
  'not a and b',
  'a and (b or c)',
  '(a == b) == c',
  'not a == b',
  '(not a) == b',
  'a + (if b then c else d)',
  'if a then b else if c then d else e',
  'if if a then b else c then d else e',
  '‖a + b‖',
  '‖‖a‖ * b over model‖',
  'f(a, b = c + d over layer)',
  'inf'
])('%s is printed as it is', (text) => {
  expect(printExpression((parsed(inFunction(text)).declarations[0] as FnDecl).body)).toBe(text)
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
})

test('a printed program reads well', () => {
  const text = `/// A doc.
optimizer Clipped {
  hyper learningRate as lr = 1e-3 in (0, inf); hyper nesterov = false
  mask decayed = rank > 1 and not (name ~ /norm/i)
  state m = 0
  state n over layer = 0
  use clip(1, limit = (2))
  step(w, g) {
    m := (0.9 * m) + ((1 - 0.9) * g²)
    use halve on (m); n ← max(n, norm(g over model))
    observe n as largest
    w := w - lr * (if decayed then m else -(m))
  }
}
transform clip(limit = 1) on (g) { g := g / limit }`
  expect(print(parsed(text))).toMatchInlineSnapshot(`
    "/// A doc.
    optimizer Clipped {
      hyper learningRate as lr = 0.001 in (0, inf)
      hyper nesterov = false

      mask decayed = rank > 1 and not name ~ /norm/i

      state m = 0
      state n over layer = 0

      use clip(1, limit = 2)

      step(w, g) {
        m := 0.9 * m + (1 - 0.9) * g^2
        use halve() on (m)
        n := max(n, norm(g over model))
        observe n as largest
        w := w - lr * (if decayed then m else -m)
      }
    }

    transform clip(limit = 1) on (g) {
      g := g / limit
    }
    "
  `)
})

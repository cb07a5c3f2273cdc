/** What is said of mistakes, how the parser goes on after them, and what it keeps. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type * as ast from '../../../src/compiler/syntax/ast.js'
import { parse } from '../../../src/compiler/syntax/parse.js'
import { MAX_MISTAKES } from '../../../src/compiler/syntax/recovery.js'
import { codesOf, diagnosticsOf, everyNode, inStep, rendered } from './support.js'

describe('in a step', () => {
  test.each([
    ['m 3 * g'],
    ['m = ]'],
    ['m ='],
    ['m = 2 g'],
    ['m = g +'],
    ['m = (g + 1'],
    ['m = g)'],
    ['m = f(g 1)'],
    ['m = f(g,'],
    ['m = ‖g'],
    ['m = 0 < g < 1'],
    ['m = g - if t > 1 then 1 else 2'],
    ['m = if t > 1 then g'],
    ['m = if t = 1 then g else w'],
    ['m = g ** 2'],
    ['m = g^^2'],
    ['m = t > 1 && t < 3'],
    ['m = t > 1 ? g : w'],
    ['m = |g|'],
    ['m = g³'],
    ['m = g ÷ 2'],
    ['m = g – 2'],
    ["m = g'"],
    ['m = “g”'],
    ['m = g\u200b + 1'],
    ['m = ∑(g)'],
    ['m = name ~ /a+'],
    ['m = name ~ norm'],
    ['m = a == not b'],
    ['m = step * g'],
    ['m = max(state, mask) + state'],
    ['state = 3'],
    ['use := use + 1'],
    ['m == 3'],
    ['w += g'],
    ['w <- w - g'],
    ['w : = w - g'],
    ['let m = 3'],
    ['f(x) = 3'],
    ['return w'],
    ['observ ratio as r'],
    ['observe ratio'],
    ['observe ratio as'],
    ['use clip on g'],
    ['use clip(1) on ()'],
    ['use'],
    ['hyper x = 3'],
    ['fn f(x) = x'],
    ['import { a } from "b"']
  ])('%s', (statement) => {
    const source = inStep(`${statement}\n    w := w - g`)
    // The statement behind it is understood whatever stands before it.
    expect(rendered(source).replace(/^.*?: error/gm, (head) => head.replace('test.opt:', ''))).toMatchSnapshot()
  })
})

describe('in a file', () => {
  test.each([
    ['optimizer'],
    ['optimizer A'],
    ['optimizer { step(w, g) { w := w - g } }'],
    ['optimiser A { }'],
    ['optimizer A { hyper }'],
    ['optimizer A { hyper lr }'],
    ['optimizer A { hyper lr in (0, 1) }'],
    ['optimizer A { hyper lr := 1 }'],
    ['optimizer A { hyper a as b as c = 1 }'],
    ['optimizer A { hyper lr = 1 in 2 }'],
    ['optimizer A { hyper lr = 1 in (0 1) }'],
    ['optimizer A { hyper lr = 1 in (0, 1 }'],
    ['optimizer A { hyper lr = 1 in {1, 2 }'],
    ['optimizer A { mask = rank > 1 }'],
    ['optimizer A { state m over = 0 }'],
    ['optimizer A { state m over layers = 0 }'],
    ['optimizer A { stat m = 0 }'],
    ['optimizer A { m := 3 }'],
    ['optimizer A { step { w := w - g } }'],
    ['optimizer A { step() { w := w - g } }'],
    ['optimizer A { step(w g) { w := w - g } }'],
    ['optimizer A { step(w, g) { w := w - g }'],
    ['optimizer A { step(w, g) { w := w - g '],
    ['optimizer A { step(w, g) { w := w - g } } }'],
    ['optimizer A {\n  fn f(x) = x\n}'],
    ['optimizer A {\n  law\n}'],
    ['optimizer A {\n  law a: }'],
    ['optimizer A {\n  law a: g\n}'],
    ['optimizer A {\n  law a: g = 8 * g\n}'],
    ['optimizer A {\n  law a: g -> 8 * g,\n}'],
    ['optimizer A {\n  law a: g -> 8 * g\n  w -> w\n}'],
    ['optimizer A {\n  law a = g -> 8 * g\n}'],
    ['optimizer A {\n  law if: g -> 8 * g\n}'],
    ['optimizer A {\n  law a: g -> 8 * g for adapt\n}'],
    ['optimizer A {\n  step(w, g) {\n    law a: g -> 8 * g\n  }\n}'],
    ['law a: g -> 8 * g'],
    ['fn f = 3'],
    ['fn f(x = 3'],
    ['fn f(x) 3'],
    ['schedule s = 3'],
    ['transform u(a) { g := 1 }'],
    ['m = 3'],
    ['import "std"'],
    ['import { } from "std"'],
    ['import { a b } from "std"'],
    ['import { a } from std'],
    ['import { a } from "std'],
    ["import { a } from 'std'"],
    ['fn f(x) = x\nimport { a } from "std"'],
    ['/* never\nends'],
    ['fn f(x) = x /* a */ */'],
    ['\u0000\u0001'],
    ['\ufffd\ufffd'],
    ['hello, world'],
    ['{ "json": [1, 2] }'],
    ['<html></html>'],
    ['$$$$$$$$$$$$$$$'],
    [')']
  ])('%s', (source) => expect(rendered(source)).toMatchSnapshot())
})

test('all mistakes of a file are told at once, in order, one a line', () => {
  const statements = ['a = 2 x', 'b = * 3 * * 4 )', 'c = if', 'd = & &', 'observe x', 'e = 1', 'f = [3'].join('\n')
  const found = diagnosticsOf(inStep(statements))
  expect(found.map((d) => d.code)).toEqual(['OPT1018', 'OPT1002', 'OPT1002', 'OPT1001', 'OPT1002', 'OPT1002'])
  const starts = found.map((d) => d.span.start)
  expect(starts).toEqual([...starts].sort((a, b) => a - b))
})

describe('what is known of something broken is kept', () => {
  const stepOf = (statements: string): readonly ast.Statement[] => {
    const { file } = parse(inStep(statements), 'x.opt')
    return (file.declarations[0] as ast.OptimizerDecl).steps[0]!.body
  }

  test('statements bind their names', () => {
    const body = stepOf('a = ]\nb := 2 3\nc = (1\nd 4\nobserve 1 +\n e = 5')
    expect(body.map((s) => 'name' in s && `${s.kind} ${s.name.text}`)).toEqual([
      'local a',
      'update b',
      'local c',
      'local d',
      'local e'
    ])
  })

  test('a bracket that is missing at the end of a statement is put in', () => {
    const body = stepOf('a = f(1, (2 + b)\nc = 3')
    expect(body).toMatchObject([
      { value: { args: [{ value: { value: 1 } }, { value: { op: '+' } }] } },
      { value: { value: 3 } }
    ])
    const [{ start, end }] = body as [ast.Statement]
    expect(inStep('a = f(1, (2 + b)\nc = 3').slice(start, end)).toBe('a = f(1, (2 + b)')
  })

  test('what stands behind a missing operand is read on', () => {
    expect(stepOf('a = b * + c')).toMatchObject([{ value: { op: '+', left: { kind: 'error' }, right: { text: 'c' } } }])
  })

  test('declarations keep names, and those inside them', () => {
    const { file } = parse(
      `optimizer A { hyper x as y mask m = state s over foo = 0 hyper z = 3 in 7 step(w, g) { w := }
       fn f(a, b = ) = a
       transform u(a) on (g) { state s = ) g := a }
       schedule s(a`,
      'x.opt'
    )
    expect(file.declarations.map((d) => `${d.kind} ${d.name.text}`)).toEqual([
      'optimizer A',
      'fn f',
      'transform u',
      'schedule s'
    ])
    const [optimizer, fn, transform] = file.declarations as [ast.OptimizerDecl, ast.FnDecl, ast.TransformDecl]
    expect(optimizer.hypers.map((h) => h.symbol.text)).toEqual(['y', 'z'])
    expect(optimizer.masks.map((m) => m.name.text)).toEqual(['m'])
    expect(optimizer.states.map((s) => [s.name.text, s.over])).toEqual([['s', null]])
    expect(optimizer.steps[0]!.params.map((p) => p.text)).toEqual(['w', 'g'])
    expect(fn.params.map((p) => p.text)).toEqual(['a', 'b'])
    expect(transform.states.map((s) => s.name.text)).toEqual(['s'])
    expect(transform.body).toHaveLength(1)
  })

  test('no name is made up', () => {
    for (const source of [
      'optimizer { }',
      'optimizer A { state = 0 hyper = 1 mask = true step() { = 3 } }',
      'fn (a) = a'
    ]) {
      everyNode(parse(source, 'x.opt').file.declarations, (node) => {
        if ('text' in node) expect(node.text).not.toBe('')
      })
    }
  })
})

test('past a hundred mistakes the rest are not listed, and that is said', () => {
  const codes = codesOf(inStep('w := w - * g\n'.repeat(150)))
  expect(codes).toHaveLength(MAX_MISTAKES + 1)
  expect(codes.at(-1)).toBe('OPT1019')
  expect(codesOf(inStep('w := w - * g\n'.repeat(MAX_MISTAKES)))).toEqual(Array(MAX_MISTAKES).fill('OPT1002'))
  expect(codesOf('@\n'.repeat(150))).toHaveLength(MAX_MISTAKES + 1)
  expect(codesOf('@\n'.repeat(MAX_MISTAKES))).not.toContain('OPT1019')
})

describe('whatever the text', () => {
  const lamb = readFileSync(join(import.meta.dirname, '..', '..', '..', 'optimizers', 'lamb.opt'), 'utf8')
  const piece = fc.oneof(
    fc.constantFrom(...'(){}[]‖∥,;=:~^²√+-*/<>!.|&@#"\'\\ \n\t'.split('')),
    fc.constantFrom(...lamb.split(/(?<=\s)|\b/)),
    fc.constantFrom(
      'optimizer A {',
      'step(w, g) {',
      'w := ',
      'if a then b else c',
      '///',
      '/*',
      '*/',
      'name ~ /a/',
      'f(x = 1, 2)'
    ),
    fc.string({ unit: 'binary', maxLength: 3 })
  )

  function check(source: string): void {
    const { file, diagnostics } = parse(source, 'x.opt')
    for (const { span, message } of diagnostics) {
      expect(span.start).toBeGreaterThanOrEqual(0)
      expect(span.end).toBeGreaterThanOrEqual(span.start)
      expect(span.end).toBeLessThanOrEqual(source.length)
      expect(message).not.toMatch(/undefined|NaN|\{\w+\}|something else/)
    }
    let broken = false
    everyNode(file.declarations, (node) => {
      const span = node as ast.Span
      expect(span.start >= 0 && span.start <= span.end && span.end <= source.length).toBe(true)
      if ('kind' in node && node.kind === 'error') broken = true
    })
    // What the parser did not understand it has complained of.
    if (broken) expect(diagnostics.length).toBeGreaterThan(0)
  }

  test('parsing ends with a tree, and diagnostics that lie in the text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => check(pieces.join(''))),
      { numRuns: 400 }
    )
  })

  test('also when a program has a piece taken out, put in or moved', () => {
    const at = fc.nat(lamb.length)
    fc.assert(
      fc.property(at, at, at, piece, (a, b, c, put) => {
        const [from, to] = [Math.min(a, b), Math.min(Math.max(a, b), a + 40)]
        const cut = lamb.slice(from, to)
        const rest = lamb.slice(0, from) + lamb.slice(to)
        check(rest)
        check(rest.slice(0, c) + cut + rest.slice(c))
        check(lamb.slice(0, from) + put + lamb.slice(from))
      }),
      { numRuns: 150 }
    )
  })

  test('a program that lost one token still has an error, or is one', () => {
    const tokens = lamb.split(/(?<=\s)|\b/)
    for (let i = 0; i < tokens.length; i++) check([...tokens.slice(0, i), ...tokens.slice(i + 1)].join(''))
  })
})

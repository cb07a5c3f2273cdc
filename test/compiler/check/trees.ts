/** Syntax trees at random: not well typed, and mostly not what a parser would make, but never more than it could. */
import { fc } from '@fast-check/vitest'
import type * as ast from '../../../src/compiler/syntax/ast.js'

const span = { start: 0, end: 0 }
const NAMES = [
  'w',
  'g',
  't',
  'lr',
  'm',
  'n',
  'f',
  'h',
  's',
  'x',
  'name',
  'size',
  'norm',
  'max',
  'clamp',
  'Other',
  '__proto__'
]

const name: fc.Arbitrary<ast.Name> = fc.constantFrom(...NAMES).map((text) => ({ ...span, text }))
const over = fc.constantFrom<ast.Over | null>(null, null, 'layer', 'model', 'rows', 'cols', 'channels')
const few = <T>(of: fc.Arbitrary<T>, maxLength = 3): fc.Arbitrary<T[]> => fc.array(of, { maxLength, size: 'max' })

const { expression } = fc.letrec<{ expression: ast.Expr; argument: ast.Argument }>((tie) => ({
  argument: fc.record({ name: fc.option(name, { freq: 4 }), value: tie('expression') }).map((a) => ({ ...a, ...span })),
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(0, 1, 0.5, Infinity).map((value): ast.Expr => ({ kind: 'number', value, ...span })),
    name.map(({ text }): ast.Expr => ({ kind: 'name', text, ...span })),
    fc.boolean().map((value): ast.Expr => ({ kind: 'bool', value, ...span })),
    fc.constant<ast.Expr>({ kind: 'error', ...span }),
    fc
      .tuple(fc.constantFrom<ast.UnaryOp>('-', 'not', '√'), tie('expression'))
      .map(([op, arg]): ast.Expr => ({ kind: 'unary', op, arg, ...span })),
    fc
      .tuple(
        fc.constantFrom<ast.BinaryOp>('+', '-', '*', '/', '^', '<', '<=', '>', '>=', '==', '!=', 'and', 'or'),
        tie('expression'),
        tie('expression')
      )
      .map(([op, left, right]): ast.Expr => ({ kind: 'binary', op, left, right, ...span })),
    tie('expression').map((subject): ast.Expr => ({ kind: 'match', subject, pattern: 'a', flags: '', ...span })),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([condition, then, otherwise]): ast.Expr => ({ kind: 'if', condition, then, otherwise, ...span })),
    fc
      .tuple(name, few(tie('argument')), over)
      .map(([callee, args, o]): ast.Expr => ({ kind: 'call', callee, args, over: o, ...span })),
    fc.tuple(tie('expression'), over).map(([arg, o]): ast.Expr => ({ kind: 'norm', arg, over: o, ...span }))
  )
}))

const use: fc.Arbitrary<ast.UseItem> = fc
  .record({ transform: name, args: few(expression), on: fc.option(few(name, 2)) })
  .map(({ transform, args, on }) => ({
    kind: 'use',
    transform,
    args: args.map((value) => ({ name: null, value, ...span })),
    on,
    ...span
  }))

const statement: fc.Arbitrary<ast.Statement> = fc.oneof(
  fc.record({ name, value: expression }).map((s): ast.Statement => ({ kind: 'update', ...s, ...span })),
  fc.record({ name, value: expression }).map((s): ast.Statement => ({ kind: 'local', ...s, ...span })),
  fc.record({ name, value: expression }).map((s): ast.Statement => ({ kind: 'observe', ...s, ...span })),
  use
)

const range: fc.Arbitrary<ast.Range | null> = fc.option(
  fc.oneof(
    fc
      .record({ low: expression, lowOpen: fc.boolean(), high: expression, highOpen: fc.boolean() })
      .map((r): ast.Range => ({ kind: 'interval', ...r, ...span })),
    few(expression).map((values): ast.Range => ({ kind: 'set', values, ...span }))
  )
)
const hyper: fc.Arbitrary<ast.HyperDecl> = fc
  .record({ external: name, symbol: name, init: expression, range })
  .map((h) => ({ kind: 'hyper', doc: '', ...h, ...span }))
const mask: fc.Arbitrary<ast.MaskDecl> = fc
  .record({ name, predicate: expression })
  .map((m) => ({ kind: 'mask', doc: '', ...m, ...span }))
const state: fc.Arbitrary<ast.StateDecl> = fc
  .record({ name, over, init: expression })
  .map((s) => ({ kind: 'state', doc: '', ...s, ...span }))
const params: fc.Arbitrary<ast.Param[]> = few(
  fc.record({ name, init: fc.option(expression) }).map(({ name: n, init }) => ({ ...n, init }))
)
const step: fc.Arbitrary<ast.StepDecl> = fc
  .record({ params: few(name, 4), body: few(statement, 4) })
  .map((s) => ({ kind: 'step', ...s, ...span }))

const law: fc.Arbitrary<ast.LawDecl> = fc
  .record({
    name,
    replacements: few(fc.record({ name, value: expression }).map((r) => ({ ...r, ...span }))),
    condition: fc.option(expression)
  })
  .map((l) => ({ kind: 'law', doc: '', ...l, ...span }))

const declaration: fc.Arbitrary<ast.Declaration> = fc.oneof(
  fc
    .record({
      name,
      hypers: few(hyper),
      masks: few(mask, 2),
      states: few(state),
      uses: few(use, 2),
      steps: few(step, 2),
      laws: few(law, 2)
    })
    .map((o): ast.Declaration => ({ kind: 'optimizer', doc: '', ...o, ...span })),
  fc.record({ name, params, body: expression }).map((f): ast.Declaration => ({ kind: 'fn', doc: '', ...f, ...span })),
  fc
    .record({ name, params, body: expression })
    .map((s): ast.Declaration => ({ kind: 'schedule', doc: '', ...s, ...span })),
  fc
    .record({ name, params, on: few(name, 2), masks: few(mask, 1), states: few(state, 2), body: few(statement) })
    .map((t): ast.Declaration => ({ kind: 'transform', doc: '', ...t, ...span }))
)

/** A file of random declarations. */
export const file: fc.Arbitrary<ast.File> = few(declaration, 5).map((declarations) => ({
  path: 'random.opt',
  source: '',
  imports: [],
  declarations
}))

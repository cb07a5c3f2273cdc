/** What the tests of the parser share. */
import fc from 'fast-check'
import type { Diagnostic } from '../../../src/compiler/diagnostics.js'
import { render } from '../../../src/compiler/render.js'
import type * as ast from '../../../src/compiler/syntax/ast.js'
import { parse } from '../../../src/compiler/syntax/parse.js'
import { WORDS } from '../../../src/compiler/syntax/tokens.js'

export const diagnosticsOf = (source: string): Diagnostic[] => parse(source, 'test.opt').diagnostics
export const codesOf = (source: string): string[] => diagnosticsOf(source).map((d) => d.code)

/** All that a source's author would read. */
export const rendered = (source: string): string =>
  diagnosticsOf(source)
    .map((d) => render(d, source))
    .join('\n')

/** A file that has to be without mistakes. */
export function parsed(source: string): ast.File {
  const { file, diagnostics } = parse(source, 'test.opt')
  if (diagnostics.length > 0) throw new Error(rendered(source))
  return file
}

const AROUND: readonly [string, string] = ['fn f(x) = ', '\n']
export const inFunction = (expression: string): string => AROUND.join(expression)

/** An expression's tree, without spans. */
export function expression(text: string): unknown {
  const [decl] = parsed(inFunction(text)).declarations
  return withoutSpans((decl as ast.FnDecl).body)
}

/** What stands in a step, between `{` and `}`. */
export const inStep = (statements: string): string => `optimizer A {\n  step(w, g, t) {\n    ${statements}\n  }\n}\n`

export function withoutSpans<T>(node: T): unknown {
  if (Array.isArray(node)) return node.map(withoutSpans)
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node).filter(([key]) => key !== 'start' && key !== 'end')
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutSpans(value)]))
}

/** An expression with its grouping shown: every operation in parentheses. */
export function grouped(text: string): string {
  return show((parsed(inFunction(text)).declarations[0] as ast.FnDecl).body)
}

function show(e: ast.Expr): string {
  switch (e.kind) {
    case 'number':
    case 'bool':
      return String(e.value)
    case 'name':
      return e.text
    case 'unary':
      return `(${e.op} ${show(e.arg)})`
    case 'binary':
      return `(${show(e.left)} ${e.op} ${show(e.right)})`
    case 'match':
      return `(${show(e.subject)} ~ /${e.pattern}/${e.flags})`
    case 'if':
      return `(if ${show(e.condition)} ${show(e.then)} ${show(e.otherwise)})`
    case 'call': {
      const args = e.args.map((a) => (a.name ? `${a.name.text}=` : '') + show(a.value))
      return `${e.callee.text}(${[...args, ...(e.over ? [`over ${e.over}`] : [])].join(', ')})`
    }
    case 'norm':
      return `‖${show(e.arg)}${e.over ? ` over ${e.over}` : ''}‖`
    case 'error':
      return '<error>'
  }
}

/** Calls a function with every node of a tree, and with what it stands in. */
export function everyNode(
  node: unknown,
  visit: (node: object, parent: object | null) => void,
  parent: object | null = null
): void {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) visit(node, parent)
  for (const child of Object.values(node)) everyNode(child, visit, Array.isArray(node) ? parent : node)
}

const nowhere = { start: 0, end: 0 }
const OVERS = [null, 'layer', 'model', 'rows', 'cols', 'channels'] as const

const identifier = fc
  .oneof(
    fc.constantFrom(
      'w',
      'g',
      'lr',
      'β1',
      'm̂',
      '∇f',
      'x′',
      'v₀',
      '𝛽',
      '_a',
      'constructor',
      '__proto__',
      'layer',
      'law',
      'inflow',
      'iff'
    ),
    fc.stringMatching(/^[a-z][a-zA-Z0-9_]{0,6}$/)
  )
  .filter((text) => !(WORDS as readonly string[]).includes(text))
const name: fc.Arbitrary<ast.Name> = identifier.map((text) => ({ text: text.normalize('NFC'), ...nowhere }))
const over = fc.constantFrom(...OVERS)
const number: fc.Arbitrary<ast.Expr> = fc
  .oneof(
    fc.constantFrom(0, 1, 2, 0.5, 1e-7, 1e300, 5e-324, Number.POSITIVE_INFINITY),
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })
  )
  .map((value) => ({ kind: 'number', value: value + 0, ...nowhere }))

/** Any expression that can be written, to a given depth. */
export const expr: fc.Arbitrary<ast.Expr> = fc.letrec<{ expr: ast.Expr }>((tie) => {
  const e = tie('expr')
  const argument = (named: boolean): fc.Arbitrary<ast.Argument> =>
    fc.record({ name: named ? name : fc.constant(null), value: e }).map((a) => ({ ...a, ...nowhere }))
  const args = fc
    .tuple(fc.array(argument(false), { maxLength: 2 }), fc.array(argument(true), { maxLength: 2 }))
    .map(([bare, named]) => [...bare, ...named])
  const node = <K extends ast.Expr['kind']>(kind: K, rest: fc.Arbitrary<object>): fc.Arbitrary<ast.Expr> =>
    rest.map((more) => ({ kind, ...more, ...nowhere }) as ast.Expr)
  return {
    expr: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      name.map(({ text }) => ({ kind: 'name', text, ...nowhere }) as ast.Expr),
      number,
      node('bool', fc.record({ value: fc.boolean() })),
      node('unary', fc.record({ op: fc.constantFrom('-', 'not', '√'), arg: e })),
      node(
        'binary',
        fc.record({
          op: fc.constantFrom('+', '-', '*', '/', '^', '<', '<=', '>', '>=', '==', '!=', 'and', 'or'),
          left: e,
          right: e
        })
      ),
      node(
        'match',
        fc.record({
          subject: e,
          pattern: fc.constantFrom('norm', 'a/b'.replace('/', '\\/'), '[/"]', '^x|y$'),
          flags: fc.constantFrom('', 'i')
        })
      ),
      // biome-ignore lint/suspicious/noThenProperty: the tree has one
      node('if', fc.record({ condition: e, then: e, otherwise: e })),
      node('call', fc.record({ callee: name, args, over })),
      node('norm', fc.record({ arg: e, over }))
    )
  }
}).expr

const doc = fc.oneof(fc.constant(''), fc.constantFrom('A doc.', 'Two\nlines', '  indented */', '/ slash'))
const statement: fc.Arbitrary<ast.Statement> = fc.oneof(
  fc
    .record({ kind: fc.constantFrom('local' as const, 'update' as const), name, value: expr })
    .map((s) => ({ ...s, ...nowhere })),
  fc.record({ kind: fc.constant('observe' as const), value: expr, name }).map((s) => ({ ...s, ...nowhere })),
  fc
    .record({
      kind: fc.constant('use' as const),
      transform: name,
      args: fc.array(
        expr.map((value) => ({ name: null, value, ...nowhere })),
        { maxLength: 2 }
      ),
      on: fc.option(fc.array(name, { minLength: 1, maxLength: 2 }))
    })
    .map((s) => ({ ...s, ...nowhere }))
)
const mask = fc
  .record({ kind: fc.constant('mask' as const), doc, name, predicate: expr })
  .map((m) => ({ ...m, ...nowhere }))
const state = fc
  .record({ kind: fc.constant('state' as const), doc, name, over, init: expr })
  .map((s) => ({ ...s, ...nowhere }))
const range: fc.Arbitrary<ast.Range> = fc.oneof(
  fc
    .record({
      kind: fc.constant('interval' as const),
      low: expr,
      lowOpen: fc.boolean(),
      high: expr,
      highOpen: fc.boolean()
    })
    .map((r) => ({ ...r, ...nowhere })),
  fc
    .record({ kind: fc.constant('set' as const), values: fc.array(number, { minLength: 1, maxLength: 3 }) })
    .map((r) => ({ ...r, ...nowhere }))
)
const hyper: fc.Arbitrary<ast.HyperDecl> = fc
  .record({
    kind: fc.constant('hyper' as const),
    doc,
    external: name,
    symbol: name,
    init: expr,
    range: fc.option(range)
  })
  .map((h) => ({ ...h, ...nowhere }))
const params = fc.array(
  fc.tuple(name, fc.option(expr)).map(([n, init]): ast.Param => ({ ...n, init })),
  { maxLength: 3 }
)
const law: fc.Arbitrary<ast.LawDecl> = fc
  .record({
    kind: fc.constant('law' as const),
    doc,
    name,
    replacements: fc.array(
      fc.record({ name, value: expr }).map((r) => ({ ...r, ...nowhere })),
      { minLength: 1, maxLength: 2 }
    ),
    condition: fc.option(expr)
  })
  .map((l) => ({ ...l, ...nowhere }))
const few = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(of, { maxLength: 3 })

const declaration: fc.Arbitrary<ast.Declaration> = fc.oneof(
  fc
    .record({
      kind: fc.constant('optimizer' as const),
      doc,
      name,
      hypers: few(hyper),
      masks: few(mask),
      states: few(state),
      uses: few(statement).map((all) => all.filter((s) => s.kind === 'use')),
      steps: few(
        fc
          .record({
            kind: fc.constant('step' as const),
            params: fc.array(name, { minLength: 1, maxLength: 3 }),
            body: few(statement)
          })
          .map((s) => ({ ...s, ...nowhere }))
      ),
      laws: few(law)
    })
    .map((d) => ({ ...d, ...nowhere })),
  fc
    .record({ kind: fc.constantFrom('fn' as const, 'schedule' as const), doc, name, params, body: expr })
    .map((d) => ({ ...d, ...nowhere })),
  fc
    .record({
      kind: fc.constant('transform' as const),
      doc,
      name,
      params,
      on: fc.array(name, { minLength: 1, maxLength: 2 }),
      masks: few(mask),
      states: few(state),
      body: few(statement)
    })
    .map((d) => ({ ...d, ...nowhere }))
)
const importDecl: fc.Arbitrary<ast.ImportDecl> = fc
  .record({
    kind: fc.constant('import' as const),
    names: fc.array(name, { minLength: 1, maxLength: 3 }),
    from: fc.constantFrom('std', './a.opt', "it's").map((text) => ({ text, ...nowhere }))
  })
  .map((d) => ({ ...d, ...nowhere }))

/** Any file that can be written. */
export const file = fc.record({ imports: few(importDecl), declarations: few(declaration) })

/** The grammar of declarations and statements. The tree is built as the parser goes; grammar/optc.ebnf is made from it. */
import type { IToken, ParserMethod, TokenType } from 'chevrotain'
import type * as ast from './ast.js'
import { ExpressionParser } from './expressions.js'
import { nameOf, startOf } from './recovery.js'
import * as T from './tokens.js'

const { words } = T

/** A rule that may have come to nothing. */
type Rule<R> = ParserMethod<[], R | null>

type Item = ast.HyperDecl | ast.MaskDecl | ast.StateDecl | ast.UseItem | ast.StepDecl | ast.LawDecl | ast.Statement

export class OptParser extends ExpressionParser {
  /** The doc comment between two tokens. Set before each file. */
  docBetween: (previous: IToken, first: IToken) => ast.Doc = () => ''
  /** What the file has, as far as it has been read. */
  imports: ast.ImportDecl[] = []
  declarations: ast.Declaration[] = []
  /** Imports that stand behind a declaration. */
  lateImports: ast.ImportDecl[] = []

  constructor(skipValidations?: boolean) {
    super(skipValidations)
    this.performSelfAnalysis()
  }

  override begin(tokens: IToken[]): void {
    super.begin(tokens)
    this.imports = []
    this.declarations = []
    this.lateImports = []
  }

  /** Takes in the declaration in which the file ended or the parser gave up. */
  finish(): void {
    const last = this.unfinished() as ast.Declaration | ast.ImportDecl | null
    if (last?.kind === 'import') this.imports.push(last)
    else add(this.declarations, last)
  }

  /** The word that a declaration begins with, and the doc comment before it. */
  #opening(word: TokenType): { readonly doc: ast.Doc; readonly start: number } {
    const previous = this.LA(0)
    const first = this.CONSUME(word)
    return { doc: this.RECORDING_PHASE ? '' : this.docBetween(previous, first), start: startOf(first) }
  }

  names: Rule<ast.Name[]> = this.keeping('names', (keep) => {
    const names: ast.Name[] = []
    keep(() => names)
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => names.push(nameOf(this.CONSUME(T.Identifier))) })
    return names
  })

  /** The names that a step, a transform or a `use` works on. */
  subjects: Rule<ast.Name[]> = this.keeping('subjects', () => {
    this.CONSUME(T.OpenParen)
    const names = this.SUBRULE(this.names) ?? []
    this.CONSUME(T.CloseParen)
    return names
  })

  parameter: Rule<ast.Param> = this.keeping('parameter', (keep) => {
    const name = nameOf(this.CONSUME(T.Identifier))
    let init: ast.Expr | null = null
    const parameter = (): ast.Param => ({ ...name, init })
    keep(parameter)
    this.OPTION(() => {
      init = this.SUBRULE(this.value)
    })
    return parameter()
  })

  parameters: Rule<ast.Param[]> = this.keeping('parameters', (keep) => {
    const params: ast.Param[] = []
    keep(() => params)
    this.CONSUME(T.OpenParen)
    this.MANY_SEP({ SEP: T.Comma, DEF: () => add(params, this.SUBRULE(this.parameter)) })
    this.CONSUME(T.CloseParen)
    return params
  })

  use: Rule<ast.UseItem> = this.keeping('use', (keep) => {
    const { start } = this.#opening(words.use)
    const transform = nameOf(this.CONSUME(T.Name))
    let args: ast.Argument[] = []
    let on: ast.Name[] | null = null
    const use = (): ast.UseItem => ({ kind: 'use', transform, args, on, ...this.spanFrom(start) })
    keep(use)
    this.OPTION(() => {
      this.CONSUME(T.OpenParen)
      args = this.SUBRULE(this.arguments) ?? []
      this.CONSUME(T.CloseParen)
    })
    this.OPTION2(() => {
      this.CONSUME(words.on)
      on = this.SUBRULE(this.subjects) ?? []
    })
    return use()
  })

  assignment: Rule<ast.LocalStatement | ast.UpdateStatement> = this.keeping('assignment', (keep) => {
    const name = nameOf(this.CONSUME(T.Target))
    let kind: 'local' | 'update' = 'local'
    let value: ast.Expr = this.nothing()
    const assignment = (): ast.LocalStatement | ast.UpdateStatement => ({
      kind,
      name,
      value,
      ...this.spanFrom(name.start)
    })
    keep(assignment)
    const sign = this.OR([{ ALT: () => this.CONSUME(T.Equal) }, { ALT: () => this.CONSUME(T.Becomes) }])
    if (sign.tokenType === T.Becomes) kind = 'update'
    value = this.SUBRULE(this.expression)
    return assignment()
  })

  observe: Rule<ast.ObserveStatement> = this.keeping('observe', () => {
    const { start } = this.#opening(words.observe)
    const value = this.SUBRULE(this.expression)
    this.CONSUME(words.as)
    const name = nameOf(this.CONSUME(T.Name))
    return { kind: 'observe', value, name, ...this.spanFrom(start) }
  })

  statement: Rule<ast.Statement> = this.choosing('statement', () =>
    this.OR<ast.Statement | null>([
      { ALT: () => this.SUBRULE(this.assignment) },
      { ALT: () => this.SUBRULE(this.use) },
      { ALT: () => this.SUBRULE(this.observe) }
    ])
  )

  step: Rule<ast.StepDecl> = this.keeping('step', (keep) => {
    const { start } = this.#opening(words.step)
    let params: ast.Name[] = []
    const body: ast.Statement[] = []
    const step = (): ast.StepDecl => ({ kind: 'step', params, body, ...this.spanFrom(start) })
    keep(step)
    params = this.SUBRULE(this.subjects) ?? []
    this.CONSUME(T.OpenBrace)
    this.MANY(() => {
      this.OR([{ ALT: () => add(body, this.SUBRULE(this.statement)) }, { ALT: () => this.CONSUME(T.Semicolon) }])
    })
    this.CONSUME(T.CloseBrace)
    return step()
  })

  range: Rule<ast.Range> = this.choosing('range', () =>
    this.OR<ast.Range | null>([{ ALT: () => this.SUBRULE(this.interval) }, { ALT: () => this.SUBRULE(this.set) }])
  )

  interval: Rule<ast.IntervalRange> = this.keeping('interval', () => {
    const open = this.OR([{ ALT: () => this.CONSUME(T.OpenParen) }, { ALT: () => this.CONSUME(T.OpenBracket) }])
    const low = this.SUBRULE(this.expression)
    this.CONSUME(T.Comma)
    const high = this.SUBRULE2(this.expression)
    const close = this.OR2([{ ALT: () => this.CONSUME(T.CloseParen) }, { ALT: () => this.CONSUME(T.CloseBracket) }])
    const lowOpen = open.tokenType === T.OpenParen
    const highOpen = close.tokenType === T.CloseParen
    return { kind: 'interval', low, lowOpen, high, highOpen, ...this.spanFrom(startOf(open)) }
  })

  set: Rule<ast.SetRange> = this.keeping('set', () => {
    const open = this.CONSUME(T.OpenBrace)
    const values: ast.Expr[] = []
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => values.push(this.SUBRULE(this.expression)) })
    this.CONSUME(T.CloseBrace)
    return { kind: 'set', values, ...this.spanFrom(startOf(open)) }
  })

  hyper: Rule<ast.HyperDecl> = this.keeping('hyper', (keep) => {
    const { doc, start } = this.#opening(words.hyper)
    const external = nameOf(this.CONSUME(T.Identifier))
    let symbol = external
    let init: ast.Expr = this.nothing()
    let range: ast.Range | null = null
    const hyper = (): ast.HyperDecl => ({
      kind: 'hyper',
      doc,
      external,
      symbol,
      init,
      range,
      ...this.spanFrom(start)
    })
    keep(hyper)
    this.OPTION(() => {
      this.CONSUME(words.as)
      symbol = nameOf(this.CONSUME2(T.Identifier))
    })
    init = this.SUBRULE(this.value)
    this.OPTION2(() => {
      this.CONSUME(words.in)
      range = this.SUBRULE(this.range)
    })
    return hyper()
  })

  mask: Rule<ast.MaskDecl> = this.keeping('mask', (keep) => {
    const { doc, start } = this.#opening(words.mask)
    const name = nameOf(this.CONSUME(T.Identifier))
    let predicate: ast.Expr = this.nothing()
    const mask = (): ast.MaskDecl => ({ kind: 'mask', doc, name, predicate, ...this.spanFrom(start) })
    keep(mask)
    predicate = this.SUBRULE(this.value)
    return mask()
  })

  state: Rule<ast.StateDecl> = this.keeping('state', (keep) => {
    const { doc, start } = this.#opening(words.state)
    const name = nameOf(this.CONSUME(T.Identifier))
    let over: ast.Over | null = null
    let init: ast.Expr = this.nothing()
    const state = (): ast.StateDecl => ({ kind: 'state', doc, name, over, init, ...this.spanFrom(start) })
    keep(state)
    over = this.SUBRULE(this.over)
    init = this.SUBRULE(this.value)
    return state()
  })

  replacement: Rule<ast.Replacement> = this.keeping('replacement', (keep) => {
    const name = nameOf(this.CONSUME(T.Identifier))
    let value: ast.Expr = this.nothing()
    const replacement = (): ast.Replacement => ({ name, value, ...this.spanFrom(name.start) })
    keep(replacement)
    this.CONSUME(T.Arrow)
    value = this.SUBRULE(this.expression)
    return replacement()
  })

  law: Rule<ast.LawDecl> = this.keeping('law', (keep) => {
    const { doc, start } = this.#opening(T.LawWord)
    const name = nameOf(this.CONSUME(T.Identifier))
    const replacements: ast.Replacement[] = []
    let condition: ast.Expr | null = null
    const law = (): ast.LawDecl => ({ kind: 'law', doc, name, replacements, condition, ...this.spanFrom(start) })
    keep(law)
    this.CONSUME(T.Colon)
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => add(replacements, this.SUBRULE(this.replacement)) })
    this.OPTION(() => {
      this.CONSUME(words.if)
      condition = this.SUBRULE(this.expression)
    })
    return law()
  })

  optimizer: Rule<ast.OptimizerDecl> = this.keeping('optimizer', (keep) => {
    const { doc, start } = this.#opening(words.optimizer)
    const name = nameOf(this.CONSUME(T.Identifier))
    const items: Item[] = []
    const optimizer = (): ast.OptimizerDecl => ({
      kind: 'optimizer',
      doc,
      name,
      hypers: items.filter((i) => i.kind === 'hyper'),
      masks: items.filter((i) => i.kind === 'mask'),
      states: items.filter((i) => i.kind === 'state'),
      uses: items.filter((i) => i.kind === 'use'),
      steps: items.filter((i) => i.kind === 'step'),
      laws: items.filter((i) => i.kind === 'law'),
      ...this.spanFrom(start)
    })
    keep(optimizer)
    this.CONSUME(T.OpenBrace)
    this.MANY(() => {
      this.OR([
        { ALT: () => add(items, this.SUBRULE(this.hyper)) },
        { ALT: () => add(items, this.SUBRULE(this.mask)) },
        { ALT: () => add(items, this.SUBRULE(this.state)) },
        { ALT: () => add(items, this.SUBRULE(this.use)) },
        { ALT: () => add(items, this.SUBRULE(this.step)) },
        { ALT: () => add(items, this.SUBRULE(this.law)) },
        { ALT: () => this.CONSUME(T.Semicolon) }
      ])
    })
    this.CONSUME(T.CloseBrace)
    return optimizer()
  })

  fn: Rule<ast.FnDecl> = this.keeping('fn', (keep) => {
    const { doc, start } = this.#opening(words.fn)
    const name = nameOf(this.CONSUME(T.Identifier))
    let params: ast.Param[] = []
    let body: ast.Expr = this.nothing()
    const fn = (): ast.FnDecl => ({ kind: 'fn', doc, name, params, body, ...this.spanFrom(start) })
    keep(fn)
    params = this.SUBRULE(this.parameters) ?? []
    body = this.SUBRULE(this.value)
    return fn()
  })

  schedule: Rule<ast.ScheduleDecl> = this.keeping('schedule', (keep) => {
    const { doc, start } = this.#opening(words.schedule)
    const name = nameOf(this.CONSUME(T.Identifier))
    let params: ast.Param[] = []
    let body: ast.Expr = this.nothing()
    const schedule = (): ast.ScheduleDecl => ({ kind: 'schedule', doc, name, params, body, ...this.spanFrom(start) })
    keep(schedule)
    params = this.SUBRULE(this.parameters) ?? []
    body = this.SUBRULE(this.value)
    return schedule()
  })

  transform: Rule<ast.TransformDecl> = this.keeping('transform', (keep) => {
    const { doc, start } = this.#opening(words.transform)
    const name = nameOf(this.CONSUME(T.Identifier))
    let params: ast.Param[] = []
    let on: ast.Name[] = []
    const items: Item[] = []
    const transform = (): ast.TransformDecl => ({
      kind: 'transform',
      doc,
      name,
      params,
      on,
      masks: items.filter((i) => i.kind === 'mask'),
      states: items.filter((i) => i.kind === 'state'),
      body: items.filter((i) => isStatement(i)),
      ...this.spanFrom(start)
    })
    keep(transform)
    this.OPTION(() => {
      params = this.SUBRULE(this.parameters) ?? []
    })
    this.CONSUME(words.on)
    on = this.SUBRULE(this.subjects) ?? []
    this.CONSUME(T.OpenBrace)
    this.MANY(() => {
      this.OR([
        { ALT: () => add(items, this.SUBRULE(this.mask)) },
        { ALT: () => add(items, this.SUBRULE(this.state)) },
        { ALT: () => add(items, this.SUBRULE(this.statement)) },
        { ALT: () => this.CONSUME(T.Semicolon) }
      ])
    })
    this.CONSUME(T.CloseBrace)
    return transform()
  })

  import: Rule<ast.ImportDecl> = this.keeping('import', () => {
    const { start } = this.#opening(words.import)
    this.CONSUME(T.OpenBrace)
    const names = this.SUBRULE(this.names) ?? []
    this.CONSUME(T.CloseBrace)
    this.CONSUME(words.from)
    const text = nameOf(this.CONSUME(T.Text))
    return { kind: 'import', names, from: { ...text, text: text.text.replaceAll('"', '') }, ...this.spanFrom(start) }
  })

  /** Imports, then declarations in any order. */
  file: ParserMethod<[], void> = this.RULE('file', () => {
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const declared = this.declarations.length > 0
            const found = this.SUBRULE(this.import)
            add(this.imports, found)
            if (declared) add(this.lateImports, found)
          }
        },
        { ALT: () => add(this.declarations, this.SUBRULE(this.optimizer)) },
        { ALT: () => add(this.declarations, this.SUBRULE(this.fn)) },
        { ALT: () => add(this.declarations, this.SUBRULE(this.schedule)) },
        { ALT: () => add(this.declarations, this.SUBRULE(this.transform)) },
        { ALT: () => this.CONSUME(T.Semicolon) }
      ])
    })
  })
}

function add<T>(list: T[], item: T | null): void {
  if (item !== null) list.push(item)
}

const isStatement = (item: Item): item is ast.Statement =>
  item.kind === 'local' || item.kind === 'update' || item.kind === 'use' || item.kind === 'observe'

/** One for all files: it is made once, and reads one file at a time. */
export const parser: OptParser = new OptParser()

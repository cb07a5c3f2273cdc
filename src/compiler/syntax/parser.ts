/** The grammar, as a Chevrotain parser that builds the syntax tree as it goes. grammar/optc.ebnf is the same for readers. */
import { EmbeddedActionsParser, type IToken, type TokenType } from 'chevrotain'
import type * as ast from './ast.js'
import * as T from './tokens.js'

const { words } = T

const COMPARISONS: readonly [TokenType, ast.BinaryOp][] = [
  [T.LessEqual, '<='],
  [T.GreaterEqual, '>='],
  [T.NotEqual, '!='],
  [T.EqualEqual, '=='],
  [T.Less, '<'],
  [T.Greater, '>']
]

export interface Parsed {
  readonly imports: ast.ImportDecl[]
  readonly declarations: ast.Declaration[]
}

type Item = ast.HyperDecl | ast.MaskDecl | ast.StateDecl | ast.UseItem | ast.StepDecl

const start = (t: IToken): number => (Number.isFinite(t.startOffset) && t.startOffset >= 0 ? t.startOffset : 0)
const end = (t: IToken): number => (Number.isFinite(t.endOffset) && t.endOffset! >= 0 ? t.endOffset! + 1 : start(t))
const nameOf = (t: IToken): ast.Name => ({ text: t.image.normalize('NFC'), start: start(t), end: end(t) })

class OptParser extends EmbeddedActionsParser {
  /** The doc comment that ends before an offset. Set before each file. */
  docBefore: (offset: number) => string = () => ''

  constructor() {
    super(T.tokens, { recoveryEnabled: true, maxLookahead: 2 })
    this.performSelfAnalysis()
  }

  #spanFrom(first: number): ast.Span {
    const last = this.LA(0)
    return { start: first, end: Math.max(first, end(last)) }
  }

  file = this.RULE('file', (): Parsed => {
    const imports: ast.ImportDecl[] = []
    const declarations: ast.Declaration[] = []
    this.MANY(() => {
      this.OR([
        { ALT: () => imports.push(this.SUBRULE(this.importDecl)) },
        { ALT: () => declarations.push(this.SUBRULE(this.optimizer)) },
        { ALT: () => declarations.push(this.SUBRULE(this.fn)) },
        { ALT: () => declarations.push(this.SUBRULE(this.schedule)) },
        { ALT: () => declarations.push(this.SUBRULE(this.transform)) },
        { ALT: () => this.CONSUME(T.Semicolon) }
      ])
    })
    return { imports, declarations }
  })

  importDecl = this.RULE('import', (): ast.ImportDecl => {
    const first = start(this.CONSUME(words.import))
    this.CONSUME(T.OpenBrace)
    const names: ast.Name[] = []
    this.MANY_SEP({ SEP: T.Comma, DEF: () => names.push(nameOf(this.CONSUME(T.Identifier))) })
    this.CONSUME(T.CloseBrace)
    this.CONSUME(words.from)
    const text = this.CONSUME(T.Text)
    return { kind: 'import', names, from: { ...nameOf(text), text: text.image.slice(1, -1) }, ...this.#spanFrom(first) }
  })

  optimizer = this.RULE('optimizer', (): ast.OptimizerDecl => {
    const first = start(this.CONSUME(words.optimizer))
    const name = nameOf(this.CONSUME(T.Identifier))
    this.CONSUME(T.OpenBrace)
    const items: Item[] = []
    this.MANY(() => {
      this.OR([
        { ALT: () => items.push(this.SUBRULE(this.hyper)) },
        { ALT: () => items.push(this.SUBRULE(this.mask)) },
        { ALT: () => items.push(this.SUBRULE(this.state)) },
        { ALT: () => items.push(this.SUBRULE(this.use)) },
        { ALT: () => items.push(this.SUBRULE(this.step)) },
        { ALT: () => this.CONSUME(T.Semicolon) }
      ])
    })
    this.CONSUME(T.CloseBrace)
    const of = <K extends Item['kind']>(kind: K) =>
      items.filter((i): i is Extract<Item, { kind: K }> => i?.kind === kind)
    return {
      kind: 'optimizer',
      doc: this.docBefore(first),
      name,
      hypers: of('hyper'),
      masks: of('mask'),
      states: of('state'),
      uses: of('use'),
      steps: of('step'),
      ...this.#spanFrom(first)
    }
  })

  hyper = this.RULE('hyper', (): ast.HyperDecl => {
    const first = start(this.CONSUME(words.hyper))
    const external = nameOf(this.CONSUME(T.Identifier))
    let symbol = external
    let range: ast.Range | null = null
    this.OPTION(() => {
      this.CONSUME(words.as)
      symbol = nameOf(this.CONSUME2(T.Identifier))
    })
    this.CONSUME(T.Equal)
    const init = this.SUBRULE(this.expression)
    this.OPTION2(() => {
      this.CONSUME(words.in)
      range = this.SUBRULE(this.range)
    })
    return { kind: 'hyper', doc: this.docBefore(first), external, symbol, init, range, ...this.#spanFrom(first) }
  })

  range = this.RULE('range', (): ast.Range => {
    return this.OR([
      {
        ALT: (): ast.Range => {
          const open = this.OR2([{ ALT: () => this.CONSUME(T.OpenParen) }, { ALT: () => this.CONSUME(T.OpenBracket) }])
          const low = this.SUBRULE(this.expression)
          this.CONSUME(T.Comma)
          const high = this.SUBRULE2(this.expression)
          const close = this.OR3([
            { ALT: () => this.CONSUME(T.CloseParen) },
            { ALT: () => this.CONSUME(T.CloseBracket) }
          ])
          return {
            kind: 'interval',
            low,
            lowOpen: open.image === '(',
            high,
            highOpen: close.image === ')',
            ...this.#spanFrom(start(open))
          }
        }
      },
      {
        ALT: (): ast.Range => {
          const open = this.CONSUME(T.OpenBrace)
          const values: ast.Expr[] = []
          this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => values.push(this.SUBRULE3(this.expression)) })
          this.CONSUME(T.CloseBrace)
          return { kind: 'set', values, ...this.#spanFrom(start(open)) }
        }
      }
    ])
  })

  mask = this.RULE('mask', (): ast.MaskDecl => {
    const first = start(this.CONSUME(words.mask))
    const name = nameOf(this.CONSUME(T.Identifier))
    this.CONSUME(T.Equal)
    const predicate = this.SUBRULE(this.expression)
    return { kind: 'mask', doc: this.docBefore(first), name, predicate, ...this.#spanFrom(first) }
  })

  state = this.RULE('state', (): ast.StateDecl => {
    const first = start(this.CONSUME(words.state))
    const name = nameOf(this.CONSUME(T.Identifier))
    const over = this.SUBRULE(this.over)
    this.CONSUME(T.Equal)
    const init = this.SUBRULE(this.expression)
    return { kind: 'state', doc: this.docBefore(first), name, over, init, ...this.#spanFrom(first) }
  })

  /** `over layer`, or nothing. The words after `over` are ordinary names. */
  over = this.RULE('over', (): ast.Over | null => {
    let over: ast.Over | null = null
    this.OPTION(() => {
      this.CONSUME(words.over)
      const word = this.CONSUME(T.Identifier)
      this.ACTION(() => {
        over = word.image as ast.Over
        this.overs.push(word)
      })
    })
    return over
  })
  /** Words that stood after `over`: whoever parses checks them. */
  overs: IToken[] = []

  use = this.RULE('use', (): ast.UseItem => {
    const first = start(this.CONSUME(words.use))
    const transform = nameOf(this.CONSUME(T.Identifier))
    let args: ast.Argument[] = []
    let on: ast.Name[] | null = null
    this.OPTION(() => {
      this.CONSUME(T.OpenParen)
      args = this.SUBRULE(this.arguments)
      this.CONSUME(T.CloseParen)
    })
    this.OPTION2(() => {
      this.CONSUME(words.on)
      this.CONSUME2(T.OpenParen)
      const names: ast.Name[] = []
      this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => names.push(nameOf(this.CONSUME2(T.Identifier))) })
      this.CONSUME2(T.CloseParen)
      on = names
    })
    return { kind: 'use', transform, args, on, ...this.#spanFrom(first) }
  })

  step = this.RULE('stepDecl', (): ast.StepDecl => {
    const first = start(this.CONSUME(words.step))
    this.CONSUME(T.OpenParen)
    const params: ast.Name[] = []
    this.MANY_SEP({ SEP: T.Comma, DEF: () => params.push(nameOf(this.CONSUME(T.Identifier))) })
    this.CONSUME(T.CloseParen)
    const body = this.SUBRULE(this.block)
    return { kind: 'step', params, body, ...this.#spanFrom(first) }
  })

  block = this.RULE('block', (): ast.Statement[] => {
    const statements: ast.Statement[] = []
    this.CONSUME(T.OpenBrace)
    this.MANY(() => {
      this.OR([
        { ALT: () => statements.push(this.SUBRULE(this.assignment)) },
        { ALT: () => statements.push(this.SUBRULE(this.use)) },
        { ALT: () => statements.push(this.SUBRULE(this.observe)) },
        { ALT: () => this.CONSUME(T.Semicolon) }
      ])
    })
    this.CONSUME(T.CloseBrace)
    return statements.filter((s) => s !== undefined)
  })

  assignment = this.RULE('statement', (): ast.Statement => {
    const name = nameOf(this.CONSUME(T.Identifier))
    const kind = this.OR([
      {
        ALT: () => {
          this.CONSUME(T.Equal)
          return 'local' as const
        }
      },
      {
        ALT: () => {
          this.CONSUME(T.Becomes)
          return 'update' as const
        }
      }
    ])
    const value = this.SUBRULE(this.expression)
    return { kind, name, value, ...this.#spanFrom(name.start) }
  })

  observe = this.RULE('observeStatement', (): ast.ObserveStatement => {
    const first = start(this.CONSUME(words.observe))
    const value = this.SUBRULE(this.expression)
    this.CONSUME(words.as)
    const name = nameOf(this.CONSUME(T.Identifier))
    return { kind: 'observe', value, name, ...this.#spanFrom(first) }
  })

  fn = this.RULE('function', (): ast.FnDecl => {
    const first = start(this.CONSUME(words.fn))
    const name = nameOf(this.CONSUME(T.Identifier))
    const params = this.SUBRULE(this.params)
    this.CONSUME(T.Equal)
    const body = this.SUBRULE(this.expression)
    return { kind: 'fn', doc: this.docBefore(first), name, params, body, ...this.#spanFrom(first) }
  })

  schedule = this.RULE('scheduleDecl', (): ast.ScheduleDecl => {
    const first = start(this.CONSUME(words.schedule))
    const name = nameOf(this.CONSUME(T.Identifier))
    const params = this.SUBRULE(this.params)
    this.CONSUME(T.Equal)
    const body = this.SUBRULE(this.expression)
    return { kind: 'schedule', doc: this.docBefore(first), name, params, body, ...this.#spanFrom(first) }
  })

  transform = this.RULE('transformDecl', (): ast.TransformDecl => {
    const first = start(this.CONSUME(words.transform))
    const name = nameOf(this.CONSUME(T.Identifier))
    let params: ast.Param[] = []
    this.OPTION(() => {
      params = this.SUBRULE(this.params)
    })
    this.CONSUME(words.on)
    this.CONSUME(T.OpenParen)
    const on: ast.Name[] = []
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => on.push(nameOf(this.CONSUME2(T.Identifier))) })
    this.CONSUME(T.CloseParen)
    this.CONSUME(T.OpenBrace)
    const masks: ast.MaskDecl[] = []
    const states: ast.StateDecl[] = []
    const body: ast.Statement[] = []
    this.MANY(() => {
      this.OR([
        { ALT: () => masks.push(this.SUBRULE(this.mask)) },
        { ALT: () => states.push(this.SUBRULE(this.state)) },
        { ALT: () => body.push(this.SUBRULE(this.assignment)) },
        { ALT: () => body.push(this.SUBRULE(this.use)) },
        { ALT: () => body.push(this.SUBRULE(this.observe)) },
        { ALT: () => this.CONSUME(T.Semicolon) }
      ])
    })
    this.CONSUME(T.CloseBrace)
    return {
      kind: 'transform',
      doc: this.docBefore(first),
      name,
      params,
      on,
      masks,
      states,
      body,
      ...this.#spanFrom(first)
    }
  })

  params = this.RULE('params', (): ast.Param[] => {
    const params: ast.Param[] = []
    this.CONSUME(T.OpenParen)
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () => {
        const name = nameOf(this.CONSUME(T.Identifier))
        let init: ast.Expr | null = null
        this.OPTION(() => {
          this.CONSUME(T.Equal)
          init = this.SUBRULE(this.expression)
        })
        params.push({ ...name, init })
      }
    })
    this.CONSUME(T.CloseParen)
    return params
  })

  arguments = this.RULE('arguments', (): ast.Argument[] => {
    const args: ast.Argument[] = []
    this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.argument)) })
    return args
  })

  argument = this.RULE('argument', (): ast.Argument => {
    let name: ast.Name | null = null
    const first = start(this.LA(1))
    this.OPTION({
      GATE: () => this.LA(2).tokenType === T.Equal,
      DEF: () => {
        name = nameOf(this.CONSUME(T.Identifier))
        this.CONSUME(T.Equal)
      }
    })
    const value = this.SUBRULE(this.expression)
    return { name, value, ...this.#spanFrom(first) }
  })

  expression = this.RULE('expression', (): ast.Expr => {
    return this.OR([{ ALT: () => this.SUBRULE(this.conditional) }, { ALT: () => this.SUBRULE(this.disjunction) }])
  })

  conditional = this.RULE('conditional', (): ast.Expr => {
    const first = start(this.CONSUME(words.if))
    const condition = this.SUBRULE(this.expression)
    this.CONSUME(words.then)
    const then = this.SUBRULE2(this.expression)
    this.CONSUME(words.else)
    const otherwise = this.SUBRULE3(this.expression)
    return { kind: 'if', condition, then, otherwise, ...this.#spanFrom(first) }
  })

  disjunction = this.RULE('disjunction', (): ast.Expr => {
    let left = this.SUBRULE(this.conjunction)
    this.MANY(() => {
      this.CONSUME(words.or)
      left = this.#binary('or', left, this.SUBRULE2(this.conjunction))
    })
    return left
  })

  conjunction = this.RULE('conjunction', (): ast.Expr => {
    let left = this.SUBRULE(this.negation)
    this.MANY(() => {
      this.CONSUME(words.and)
      left = this.#binary('and', left, this.SUBRULE2(this.negation))
    })
    return left
  })

  negation = this.RULE('negation', (): ast.Expr => {
    return this.OR([
      {
        ALT: (): ast.Expr => {
          const not = this.CONSUME(words.not)
          const arg = this.SUBRULE(this.negation)
          return { kind: 'unary', op: 'not', arg, ...this.#spanFrom(start(not)) }
        }
      },
      { ALT: () => this.SUBRULE(this.comparison) }
    ])
  })

  comparison = this.RULE('comparison', (): ast.Expr => {
    let left = this.SUBRULE(this.sum)
    this.OPTION(() => {
      this.OR([
        {
          ALT: () => {
            const sign = this.OR2(COMPARISONS.map(([type]) => ({ ALT: () => this.CONSUME(type) })))
            const right = this.SUBRULE2(this.sum)
            this.ACTION(() => {
              left = this.#binary(COMPARISONS.find(([type]) => type === sign.tokenType)![1], left, right)
            })
          }
        },
        {
          ALT: () => {
            this.CONSUME(T.Tilde)
            const regex = this.CONSUME(T.Regex)
            this.ACTION(() => {
              const close = regex.image.lastIndexOf('/')
              left = {
                kind: 'match',
                subject: left,
                pattern: regex.image.slice(1, close),
                flags: regex.image.slice(close + 1),
                start: left.start,
                end: end(regex)
              }
              this.regexes.push(regex)
            })
          }
        }
      ])
    })
    return left
  })
  regexes: IToken[] = []

  sum = this.RULE('sum', (): ast.Expr => {
    let left = this.SUBRULE(this.product)
    this.MANY(() => {
      const op = this.OR([
        {
          ALT: () => {
            this.CONSUME(T.Plus)
            return '+' as const
          }
        },
        {
          ALT: () => {
            this.CONSUME(T.Minus)
            return '-' as const
          }
        }
      ])
      left = this.#binary(op, left, this.SUBRULE2(this.product))
    })
    return left
  })

  product = this.RULE('product', (): ast.Expr => {
    let left = this.SUBRULE(this.negative)
    this.MANY(() => {
      const op = this.OR([
        {
          ALT: () => {
            this.CONSUME(T.Times)
            return '*' as const
          }
        },
        {
          ALT: () => {
            this.CONSUME(T.Slash)
            return '/' as const
          }
        }
      ])
      left = this.#binary(op, left, this.SUBRULE2(this.negative))
    })
    return left
  })

  negative = this.RULE('negative', (): ast.Expr => {
    return this.OR([
      {
        ALT: (): ast.Expr => {
          const minus = this.CONSUME(T.Minus)
          const arg = this.SUBRULE(this.negative)
          return { kind: 'unary', op: '-', arg, ...this.#spanFrom(start(minus)) }
        }
      },
      { ALT: () => this.SUBRULE(this.power) }
    ])
  })

  power = this.RULE('power', (): ast.Expr => {
    let left = this.SUBRULE(this.postfix)
    this.OPTION(() => {
      this.CONSUME(T.Caret)
      left = this.#binary('^', left, this.SUBRULE(this.negative))
    })
    return left
  })

  postfix = this.RULE('postfix', (): ast.Expr => {
    let left = this.SUBRULE(this.primary)
    this.MANY(() => {
      const square = this.CONSUME(T.Squared)
      this.ACTION(() => {
        left = this.#binary('^', left, { kind: 'number', value: 2, start: start(square), end: end(square) })
      })
    })
    return left
  })

  primary = this.RULE('primary', (): ast.Expr => {
    return this.OR([
      {
        ALT: (): ast.Expr => {
          const t = this.CONSUME(T.Numeral)
          return { kind: 'number', value: Number(t.image), start: start(t), end: end(t) }
        }
      },
      {
        ALT: (): ast.Expr => {
          const t = this.CONSUME(words.inf)
          return { kind: 'number', value: Infinity, start: start(t), end: end(t) }
        }
      },
      {
        ALT: (): ast.Expr => {
          const t = this.CONSUME(words.true)
          return { kind: 'bool', value: true, start: start(t), end: end(t) }
        }
      },
      {
        ALT: (): ast.Expr => {
          const t = this.CONSUME(words.false)
          return { kind: 'bool', value: false, start: start(t), end: end(t) }
        }
      },
      { ALT: () => this.SUBRULE(this.root) },
      { ALT: () => this.SUBRULE(this.norm) },
      { ALT: () => this.SUBRULE(this.call) },
      {
        ALT: (): ast.Expr => {
          const open = this.CONSUME(T.OpenParen)
          const inner = this.SUBRULE(this.expression)
          this.CONSUME(T.CloseParen)
          // The span has the parentheses: what is printed of the source is whole.
          return { ...inner, ...this.#spanFrom(start(open)) }
        }
      }
    ])
  })

  root = this.RULE('root', (): ast.Expr => {
    const sign = this.CONSUME(T.Root)
    const arg = this.SUBRULE(this.primary)
    const after = this.LA(1)
    this.ACTION(() => {
      if (after.tokenType === T.Caret || after.tokenType === T.Squared) this.powersOfRoots.push(after)
    })
    return { kind: 'unary', op: '√', arg, ...this.#spanFrom(start(sign)) }
  })
  powersOfRoots: IToken[] = []

  norm = this.RULE('norm', (): ast.Expr => {
    const first = start(this.CONSUME(T.Bars))
    const arg = this.SUBRULE(this.expression)
    const over = this.SUBRULE(this.over)
    this.CONSUME2(T.Bars)
    return { kind: 'norm', arg, over, ...this.#spanFrom(first) }
  })

  call = this.RULE('name', (): ast.Expr => {
    const name = this.CONSUME(T.Identifier)
    let called = false
    let args: ast.Argument[] = []
    let over: ast.Over | null = null
    this.OPTION(() => {
      this.CONSUME(T.OpenParen)
      args = this.SUBRULE(this.arguments)
      over = this.SUBRULE(this.over)
      this.CONSUME(T.CloseParen)
      called = true
    })
    const callee = nameOf(name)
    return called
      ? { kind: 'call', callee, args, over, ...this.#spanFrom(callee.start) }
      : { kind: 'name', text: callee.text, start: callee.start, end: callee.end }
  })

  #binary(op: ast.BinaryOp, left: ast.Expr, right: ast.Expr): ast.Expr {
    return this.RECORDING_PHASE ? left : { kind: 'binary', op, left, right, start: left.start, end: right.end }
  }
}
export const parser: OptParser = new OptParser()

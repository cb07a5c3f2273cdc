/** The grammar of expressions, from the tightest to the loosest. */
import type { IRecognitionException, IRuleConfig, IToken, ParserMethod, TokenType } from 'chevrotain'
import type * as ast from './ast.js'
import { endOf, MAX_DEPTH, nameOf, RecoveringParser, spanOf, startOf } from './recovery.js'
import * as T from './tokens.js'
import { isDeeperThan } from './walk.js'

const { words } = T

type Rule<R> = ParserMethod<[], R>

const OPERATORS: ReadonlyMap<TokenType, ast.BinaryOp> = new Map([
  [T.Plus, '+'],
  [T.Minus, '-'],
  [T.Times, '*'],
  [T.Slash, '/'],
  [T.LessEqual, '<='],
  [T.GreaterEqual, '>='],
  [T.NotEqual, '!='],
  [T.EqualEqual, '=='],
  [T.Less, '<'],
  [T.Greater, '>'],
  [words.and, 'and'],
  [words.or, 'or']
])

const OVERS: ReadonlySet<string> = new Set<ast.Over>(['layer', 'model', 'rows', 'cols', 'channels'])

export class ExpressionParser extends RecoveringParser {
  /** Tokens of which something is to be said that the grammar does not say. */
  readonly noted: {
    overs: IToken[]
    regexes: IToken[]
    rootPowers: IToken[]
    bareArguments: ast.Span[]
    numerals: IToken[]
  } = {
    overs: [],
    regexes: [],
    rootPowers: [],
    bareArguments: [],
    numerals: []
  }

  override begin(tokens: IToken[]): void {
    super.begin(tokens)
    for (const list of Object.values(this.noted)) list.length = 0
  }

  /** A rule whose value, where the parser has to go on behind it, is an ErrorExpr. */
  protected expressionRule(name: string, impl: () => ast.Expr): Rule<ast.Expr> {
    const config: IRuleConfig<ast.Expr> = {
      recoveryValueFunc: ({ token }: IRecognitionException) => ({
        kind: 'error',
        ...this.spanFrom(startOf(token) || 0)
      })
    }
    return this.RULE(name, impl, config)
  }

  /** `operand (sign operand)*`, grouped to the left. */
  protected chain(name: string, operand: Rule<ast.Expr>, sign: TokenType): Rule<ast.Expr> {
    return this.expressionRule(name, () => {
      let left = this.SUBRULE(operand)
      this.MANY(() => {
        const op = this.CONSUME(sign)
        left = this.binary(op, left, this.SUBRULE2(operand))
      })
      return left
    })
  }

  protected binary(sign: IToken, left: ast.Expr, right: ast.Expr): ast.Expr {
    if (this.RECORDING_PHASE) return left
    const op = OPERATORS.get(sign.tokenType) ?? '^'
    return { kind: 'binary', op, left, right, start: left.start, end: right.end }
  }

  /** `over layer`, or nothing. The words after `over` are ordinary names. */
  over: Rule<ast.Over | null> = this.keeping('over', (): ast.Over | null => {
    let over: ast.Over | null = null
    this.OPTION(() => {
      this.CONSUME(words.over)
      const word = this.CONSUME(T.Identifier)
      this.ACTION(() => {
        if (OVERS.has(word.image)) over = word.image as ast.Over
        else this.noted.overs.push(word)
      })
    })
    return over
  })

  literal: Rule<ast.Expr> = this.expressionRule('literal', () =>
    this.OR<ast.Expr>([
      {
        ALT: () => {
          const numeral = this.CONSUME(T.Numeral)
          this.ACTION(() => this.noted.numerals.push(numeral))
          return { kind: 'number', value: Number(numeral.image), ...spanOf(numeral) }
        }
      },
      { ALT: () => ({ kind: 'number', value: Number.POSITIVE_INFINITY, ...spanOf(this.CONSUME(words.inf)) }) },
      { ALT: () => ({ kind: 'bool', value: true, ...spanOf(this.CONSUME(words.true)) }) },
      { ALT: () => ({ kind: 'bool', value: false, ...spanOf(this.CONSUME(words.false)) }) }
    ])
  )

  /** A power right behind a root is noted: it is not clear what it would raise. */
  root: Rule<ast.Expr> = this.expressionRule('root', () => {
    const sign = this.CONSUME(T.Root)
    const arg = this.deeper(() => this.SUBRULE(this.primary))
    this.ACTION(() => {
      const after = this.LA(1)
      if (after.tokenType === T.Caret || after.tokenType === T.Squared) this.noted.rootPowers.push(after)
    })
    return { kind: 'unary', op: '√', arg, ...this.spanFrom(startOf(sign)) }
  })

  /** `‖` opens where an operand is due, and closes where an operator is. */
  norm: Rule<ast.Expr> = this.expressionRule('norm', () => {
    const open = this.CONSUME(T.Bars)
    const arg = this.SUBRULE(this.expression)
    const over = this.SUBRULE(this.over)
    this.CONSUME2(T.Bars)
    return { kind: 'norm', arg, over, ...this.spanFrom(startOf(open)) }
  })

  argument: ParserMethod<[], ast.Argument | null> = this.keeping('argument', () => {
    const named = this.OPTION({
      GATE: () => this.LA(2).tokenType === T.Equal,
      DEF: () => {
        const name = nameOf(this.CONSUME(T.Identifier))
        this.CONSUME(T.Equal)
        return name
      }
    })
    const value = this.SUBRULE(this.expression)
    const start = named?.start ?? value.start
    return { name: named ?? null, value, start, end: Math.max(start, value.end) }
  })

  /** Positional arguments, then named ones. */
  arguments: ParserMethod<[], ast.Argument[] | null> = this.keeping('arguments', (keep) => {
    const args: ast.Argument[] = []
    keep(() => args)
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () => {
        const argument = this.SUBRULE(this.argument)
        this.ACTION(() => {
          if (!argument) return
          if (argument.name === null && args.at(-1)?.name) this.noted.bareArguments.push(argument)
          args.push(argument)
        })
      }
    })
    return args
  })

  /** A name, or a call of it. */
  reference: Rule<ast.Expr> = this.expressionRule('reference', () => {
    const token = this.CONSUME(T.Name)
    const callee = nameOf(token)
    const call = this.OPTION(() => {
      this.CONSUME(T.OpenParen)
      const args = this.SUBRULE(this.arguments) ?? []
      const over = this.SUBRULE(this.over)
      this.CONSUME(T.CloseParen)
      return { args, over }
    })
    // A word that stands for a name means nothing; that has been said.
    if (T.isWord(token.image)) return { kind: 'error', ...this.spanFrom(callee.start) }
    if (!call) return { kind: 'name', ...callee }
    return { kind: 'call', callee, ...call, ...this.spanFrom(callee.start) }
  })

  /** Its span has the parentheses: what is printed of the source is whole. */
  parenthesis: Rule<ast.Expr> = this.expressionRule('parenthesis', () => {
    const open = this.CONSUME(T.OpenParen)
    const inner = this.SUBRULE(this.expression)
    this.CONSUME(T.CloseParen)
    return { ...inner, ...this.spanFrom(startOf(open)) }
  })

  primary: Rule<ast.Expr> = this.expressionRule('primary', () =>
    this.OR([
      { ALT: () => this.SUBRULE(this.literal) },
      { ALT: () => this.SUBRULE(this.reference) },
      { ALT: () => this.SUBRULE(this.parenthesis) },
      { ALT: () => this.SUBRULE(this.root) },
      { ALT: () => this.SUBRULE(this.norm) }
    ])
  )

  postfix: Rule<ast.Expr> = this.expressionRule('postfix', () => {
    let left = this.SUBRULE(this.primary)
    this.MANY(() => {
      const square = this.CONSUME(T.Squared)
      left = this.binary(square, left, { kind: 'number', value: 2, ...spanOf(square) })
    })
    return left
  })

  /** To the right; what is raised to may have a sign of its own: `2^-t`. */
  power: Rule<ast.Expr> = this.expressionRule('power', () => {
    const left = this.SUBRULE(this.postfix)
    const right = this.OPTION(() => {
      const sign = this.CONSUME(T.Caret)
      return { sign, exponent: this.deeper(() => this.SUBRULE(this.negative)) }
    })
    return right ? this.binary(right.sign, left, right.exponent) : left
  })

  negative: Rule<ast.Expr> = this.expressionRule('negative', () =>
    this.OR<ast.Expr>([
      {
        ALT: () => {
          const sign = this.CONSUME(T.Minus)
          const arg = this.deeper(() => this.SUBRULE(this.negative))
          return { kind: 'unary', op: '-', arg, ...this.spanFrom(startOf(sign)) }
        }
      },
      { ALT: () => this.SUBRULE(this.power) }
    ])
  )

  product: Rule<ast.Expr> = this.chain('product', this.negative, T.Multiplicative)
  sum: Rule<ast.Expr> = this.chain('sum', this.product, T.Additive)

  /** One comparison: they are not chained. */
  comparison: Rule<ast.Expr> = this.expressionRule('comparison', () => {
    const left = this.SUBRULE(this.sum)
    const right = this.OPTION(() =>
      this.OR<(left: ast.Expr) => ast.Expr>([
        {
          ALT: () => {
            const sign = this.CONSUME(T.Comparison)
            const right = this.SUBRULE2(this.sum)
            return (left) => this.binary(sign, left, right)
          }
        },
        {
          ALT: () => {
            this.CONSUME(T.Tilde)
            const regex = this.CONSUME(T.Regex)
            this.ACTION(() => this.noted.regexes.push(regex))
            return (subject) => ({ kind: 'match', subject, ...partsOf(regex), start: subject.start, end: endOf(regex) })
          }
        }
      ])
    )
    return right && !this.RECORDING_PHASE ? right(left) : left
  })

  negation: Rule<ast.Expr> = this.expressionRule('negation', () =>
    this.OR<ast.Expr>([
      {
        ALT: () => {
          const not = this.CONSUME(words.not)
          const arg = this.deeper(() => this.SUBRULE(this.negation))
          return { kind: 'unary', op: 'not', arg, ...this.spanFrom(startOf(not)) }
        }
      },
      { ALT: () => this.SUBRULE(this.comparison) }
    ])
  )

  conjunction: Rule<ast.Expr> = this.chain('conjunction', this.negation, words.and)
  disjunction: Rule<ast.Expr> = this.chain('disjunction', this.conjunction, words.or)

  /** `else` reaches as far as it can. */
  conditional: Rule<ast.Expr> = this.expressionRule('conditional', () => {
    const first = this.CONSUME(words.if)
    const condition = this.SUBRULE(this.expression)
    this.CONSUME(words.then)
    const then = this.SUBRULE2(this.expression)
    this.CONSUME(words.else)
    const otherwise = this.SUBRULE3(this.expression)
    return { kind: 'if', condition, then, otherwise, ...this.spanFrom(startOf(first)) }
  })

  expression: Rule<ast.Expr> = this.expressionRule('expression', () => {
    const whole = this.isWhole
    const value = this.deeper(() =>
      this.OR([{ ALT: () => this.SUBRULE(this.conditional) }, { ALT: () => this.SUBRULE(this.disjunction) }])
    )
    // Long chains are deep as trees, though the parser goes through them in a loop.
    if (whole && !this.RECORDING_PHASE && isDeeperThan(MAX_DEPTH, value)) this.giveUp(value, MAX_DEPTH)
    return value
  })

  /** `= expression` */
  value: Rule<ast.Expr> = this.expressionRule('value', () => {
    this.CONSUME(T.Equal)
    return this.SUBRULE(this.expression)
  })
}

/** The pattern and the flags of a regular expression. */
export function partsOf(regex: IToken): { readonly pattern: string; readonly flags: string } {
  const close = regex.tokenType === T.Regex ? regex.image.lastIndexOf('/') : regex.image.length
  return { pattern: regex.image.slice(1, close), flags: regex.image.slice(close + 1) }
}

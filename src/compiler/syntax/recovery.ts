/** What every rule of the parser shares: spans, what is kept of a rule that ends early, and where the text went wrong. */
import type { IParserErrorMessageProvider, IToken, ParserMethod, TokenType } from 'chevrotain'
import type { ErrorExpr, Name, Span } from './ast.js'
import { EmbeddedActionsParser, EOF } from './chevrotain.js'
import * as T from './tokens.js'

/** How deep expressions may be nested: the parser takes about a hundred calls a level, and a stack holds some ten thousand. */
export const MAX_NESTING = 50

/** How many levels a tree may have: those who walk it take a few calls a level. */
export const MAX_DEPTH = 200

/** How many mistakes of form are told of one file: going on after one takes the parser a few calls that stay. */
export const MAX_MISTAKES = 100

/** A place where the text can't go on as it does. `expected` is null where there were alternatives. */
export interface Mistake {
  readonly rule: string
  readonly expected: TokenType | null
  readonly found: IToken
}

/** Thrown where the parser gives up the rest of the file: at a mistake too many, or where it is nested deeper than `limit`. */
export class Stop {
  readonly at: Span
  readonly limit: number | null
  constructor(at: Span, limit: number | null) {
    this.at = at
    this.limit = limit
  }
}

/** The parser asks for a message at each mistake, which is the time to write down where it is. */
class Mistakes implements IParserErrorMessageProvider {
  list: Mistake[] = []
  /** After a Stop the parser still complains that there is more to read. */
  closed = false

  #add(rule: string, expected: TokenType | null, found: IToken): string {
    if (this.closed) return ''
    if (this.list.length === MAX_MISTAKES) this.stop(new Stop(spanOf(found), null))
    this.list.push({ rule, expected, found })
    return ''
  }

  stop(reason: Stop): never {
    this.closed = true
    throw reason
  }

  buildMismatchTokenMessage: IParserErrorMessageProvider['buildMismatchTokenMessage'] = (m) =>
    this.#add(m.ruleName, m.expected, m.actual)
  buildNoViableAltMessage: IParserErrorMessageProvider['buildNoViableAltMessage'] = (m) =>
    this.#add(m.ruleName, null, m.actual[0]!)
  buildEarlyExitMessage: IParserErrorMessageProvider['buildEarlyExitMessage'] = (m) =>
    this.#add(m.ruleName, null, m.actual[0]!)
  buildNotAllInputParsedMessage: IParserErrorMessageProvider['buildNotAllInputParsedMessage'] = (m) =>
    this.#add(m.ruleName, EOF, m.firstRedundant)
}

export const startOf = (t: IToken): number => t.startOffset
/** The end of a token; of what stands before the first and after the last, which have no place, 0. */
export const endOf = (t: IToken): number => (Number.isNaN(t.startOffset) ? 0 : t.startOffset + t.image.length)
export const spanOf = (t: IToken): Span => ({ start: startOf(t), end: endOf(t) })
export const nameOf = (t: IToken): Name => ({ text: t.image.normalize('NFC'), ...spanOf(t) })

/** What the parser may not put in where it is missing: names and numbers that nobody wrote, and the end of a body. */
const MEANINGFUL: ReadonlySet<TokenType> = new Set([
  T.Identifier,
  T.Name,
  T.Target,
  T.Numeral,
  T.Text,
  T.Regex,
  T.Comparison,
  T.Additive,
  T.Multiplicative,
  T.CloseBrace
])

/** What may be missing before a statement: the end of the expression before it. */
const CLOSING: ReadonlySet<TokenType> = new Set([T.CloseParen, T.CloseBracket, T.Bars])

interface Begun {
  readonly rule: string
  soFar: () => unknown
}

export class RecoveringParser extends EmbeddedActionsParser {
  readonly #mistakes: Mistakes
  /** Rules that have begun, and what they have kept so far. */
  #begun: Begun[] = []
  #depth = 0

  /** Looking for mistakes in the grammar itself takes as long as all else that is done to begin with: a test does it. */
  constructor(skipValidations = true) {
    const mistakes = new Mistakes()
    super([...T.tokens], { recoveryEnabled: true, maxLookahead: 2, errorMessageProvider: mistakes, skipValidations })
    this.#mistakes = mistakes
  }

  /** Where the text went wrong. */
  get mistakes(): readonly Mistake[] {
    return this.#mistakes.list
  }

  /** Takes the tokens of a file, and forgets the one before. */
  begin(tokens: IToken[]): void {
    this.input = tokens
    this.#mistakes.list = []
    this.#mistakes.closed = false
    this.#begun = []
    this.#depth = 0
  }

  protected giveUp(tooDeep: Span, limit: number): never {
    return this.#mistakes.stop(new Stop(tooDeep, limit))
  }

  protected spanFrom(start: number): Span {
    return { start, end: Math.max(start, endOf(this.LA(0))) }
  }

  /** What stands for an expression that is not there yet. */
  protected nothing(): ErrorExpr {
    return { kind: 'error', ...this.spanFrom(endOf(this.LA(0))) }
  }

  /**
   * A rule that keeps what it knows before it is over; if it ends early, that is its value. A statement whose expression
   * could not be understood still binds its name, so that one mistake does not lead to others.
   */
  protected keeping<T>(rule: string, impl: (keep: (soFar: () => T) => void) => T): ParserMethod<[], T | null> {
    return this.RULE(
      rule,
      (): T | null => {
        const before = this.#begun.length
        const begun: Begun = { rule, soFar: () => null }
        this.#begun.push(begun)
        const value = impl((soFar) => {
          begun.soFar = soFar
        })
        this.#begun.length = before
        return value
      },
      { recoveryValueFunc: () => this.#end(rule)[0]?.soFar() as T | null }
    )
  }

  /** A rule that is one of others: if it ends early, its value is what that one kept. */
  protected choosing<T>(rule: string, impl: () => T | null): ParserMethod<[], T | null> {
    return this.RULE(
      rule,
      (): T | null => {
        const before = this.#begun.length
        this.#begun.push({ rule, soFar: () => null })
        const value = impl()
        this.#begun.length = before
        return value
      },
      { recoveryValueFunc: () => (this.#end(rule)[1]?.soFar() ?? null) as T | null }
    )
  }

  /** A rule that ends early, and those inside it that end with it. */
  #end(rule: string): readonly Begun[] {
    const at = this.#begun.findLastIndex((begun) => begun.rule === rule)
    return this.#begun.splice(at)
  }

  /** What was begun last at the top level, and never came to its end. */
  protected unfinished(): unknown {
    return this.#begun[0]?.soFar() ?? null
  }

  /** Whether no expression has begun. */
  protected get isWhole(): boolean {
    return this.#depth === 0
  }

  /** Whatever leads back to an expression goes through here, so that no text can use up the stack. */
  protected deeper<T>(impl: () => T): T {
    if (this.RECORDING_PHASE) return impl()
    if (this.#depth === MAX_NESTING) this.giveUp(spanOf(this.LA(0)), MAX_NESTING)
    this.#depth++
    try {
      return impl()
    } finally {
      this.#depth--
    }
  }

  protected override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    return CLOSING.has(type) || (!MEANINGFUL.has(type) && this.LA(1).tokenType !== T.Target)
  }

  /** What is put in has a place, and no width. */
  protected override getTokenToInsert(type: TokenType): IToken {
    return { ...super.getTokenToInsert(type), startOffset: endOf(this.LA(0)) }
  }

  /**
   * The first token from here on that some open rule can go on with. Chevrotain's own (of the same name; its types don't
   * tell) compares each token with each of the types, which takes a minute for a megabyte of nonsense.
   */
  protected findReSyncTokenType(): TokenType {
    const wanted = new Set((this as unknown as { flattenFollowSet(): TokenType[] }).flattenFollowSet())
    if (wanted.size === 1) return EOF
    for (let k = 1; ; k++) {
      const { tokenType } = this.LA(k)
      if (wanted.has(tokenType)) return tokenType
      const category = tokenType.CATEGORIES?.find((type) => wanted.has(type))
      if (category) return category
    }
  }
}

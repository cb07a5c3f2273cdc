/**
 * What an author claims: of two trainings, where the second has everything that the law names replaced (hyperparameters, each
 * gradient, the weight and state as they were held), each step's results are those of the first, replaced by the same rule.
 */
import type { Expr, LawDecl } from '../compiler/syntax/ast.js'
import { lawText } from '../compiler/syntax/print.js'
import { type Table, tables } from './arithmetic.js'
import { bools, evaluate, numbers, type Scope } from './expression.js'
import { exactly } from './number.js'
import {
  begin,
  type Change,
  finish,
  hostValue,
  resultOf,
  type StepInput,
  type StepResult,
  type Subject,
  symbolsOf
} from './step.js'
import { spread, type Value } from './value.js'

export interface Law {
  readonly name: string
  readonly doc: string
  /** "g -> 8 * g, lr -> lr / 8" */
  readonly text: string
  /** What is replaced, by its name in the program: of hyperparameters the symbol. */
  readonly replaced: readonly string[]
  /** What the law makes of numbers, in float64; the same numbers where it does not name them. */
  readonly weight: (values: ArrayLike<number>) => ArrayLike<number>
  readonly gradient: (values: ArrayLike<number>) => ArrayLike<number>
  readonly slot: (name: string, values: ArrayLike<number>) => ArrayLike<number>
  readonly observation: (name: string, values: ArrayLike<number>) => ArrayLike<number>
  /** By its external name. */
  readonly hyper: (name: string, value: number | boolean) => number | boolean
  /** Of which layers it is claimed in a step: of those that take part, where its condition holds. */
  readonly claims: (input: StepInput) => readonly boolean[]
  readonly relate: (input: StepInput, table: Table) => Relation
}

/** The two sides of a law in one step. Where it holds, `expected` and `found` are the same but for their bounds. */
export interface Relation {
  /** The step as it is. */
  readonly plain: StepResult
  /** What the law makes of its results. */
  readonly expected: StepResult
  /** The step of what the law makes of its input. */
  readonly found: StepResult
}

export function lawOf(law: LawDecl, subject: Subject): Law {
  const { declaration: optimizer, module } = subject.stage
  const expressions = new Map(law.replacements.map(({ name, value }) => [name.text, value]))
  const goingIn: Change = (name, value, scope) => changed(expressions.get(name), name, value, scope)
  const symbols = symbolsOf(subject)
  const onItsOwn = (name: string, value: Value, rows: number): Value => {
    const extent = { table: tables.exact, grids: [{ matrices: 1, rows, cols: 1 }] }
    const layers = [{ name: '', masks: {} }]
    const random = { seed: 0, step: 0, sites: 0 }
    return goingIn(name, value, { extent, module, facts: new Map(), names: new Map(), layers, random })
  }
  const plainly = (name: string, values: ArrayLike<number>): ArrayLike<number> => {
    if (!expressions.has(name)) return values
    const of = [Array.from(values, exactly)]
    const value = onItsOwn(name, { kind: 'number', level: 'element', place: 'host', of }, values.length)
    return Float64Array.from(numbers(value).of[0]!, (n) => n.x)
  }
  return {
    name: law.name.text,
    doc: law.doc,
    text: lawText(law),
    replaced: [...expressions.keys()],
    weight: (values) => plainly(optimizer.steps[0]!.params[0]!.text, values),
    gradient: (values) => plainly(optimizer.steps[0]!.params[1]!.text, values),
    slot: plainly,
    observation: (name, values) => (symbols.has(name) ? values : plainly(name, values)),
    hyper(external, before) {
      const symbol = optimizer.hypers.find((h) => h.external.text === external)!.symbol.text
      const value = onItsOwn(symbol, hostValue('config', [before]), 1)
      return value.kind === 'bool' ? value.of[0]![0]!.value : value.of[0]![0]!.x
    },
    claims(input) {
      const start = begin(subject, input, tables.float64)
      const holds = law.condition && bools(evaluate(law.condition, start.scope))
      return input.layers.map((layer) => {
        const i = start.present.indexOf(layer)
        if (i < 0 || !holds) return i >= 0
        const { value, decided } = holds.of[i]![0]!
        return value && decided
      })
    },
    relate(input, table) {
      const plain = finish(subject, begin(subject, input, table))
      const replaced = finish(subject, begin(subject, input, table, goingIn))
      return {
        plain: resultOf(subject, plain),
        expected: resultOf(subject, plain, goingIn),
        found: resultOf(subject, replaced)
      }
    }
  }
}

/** What stands in the place of a value: computed on the host, and of the value's level. */
function changed(e: Expr | undefined, name: string, value: Value, scope: Scope): Value {
  if (e === undefined) return value
  const own = onHost(value)
  const made = evaluate(e, { ...scope, names: new Map([[name, { value: own }]]) })
  return made.kind === 'bool' ? { ...made, level: value.level } : spread(scope.extent, made, value.level)
}

/** A number that has been stored is no part of a longer chain of operations. */
function onHost(v: Value): Value {
  if (v.kind === 'bool') return { ...v, place: 'host' }
  return { ...v, place: 'host', of: v.of.map((entries) => entries.map((n) => ({ ...n, chain: null }))) }
}

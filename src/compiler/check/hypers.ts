/** Hyperparameters: a constant default within constant bounds. */
import { problems } from '../messages.generated.js'
import type { Expr, HyperDecl, Range } from '../syntax/ast.js'
import { declare } from './bind.js'
import { constantOf } from './constant.js'
import { evaluate, evaluateAs } from './expression.js'
import { Graph } from './graph.js'
import type { Hyper, HyperRange } from './program.js'
import { mayBeOption } from './reserved.js'
import { bindingOf, type Frame, fixed, report, textOf, type ValueBinding } from './scope.js'
import { asValue } from './value.js'

export type DraftHyper = Omit<Hyper, 'groupable'>

/** Binds the symbols; gives those whose default and range are right. */
export function declareHypers(
  hypers: readonly HyperDecl[],
  frame: Frame
): { readonly bindings: ValueBinding[]; readonly drafts: DraftHyper[] } {
  const bindings: ValueBinding[] = []
  const drafts: DraftHyper[] = []
  const constants = constantFrame(hypers, frame)
  for (const hyper of hypers) {
    const { external, symbol } = hyper
    mayBeOption(external, 'A hyperparameter', frame, `, or keep it as a symbol: \`hyper otherName as ${symbol.text}\``)
    const init = defaultOf(hyper, constants)
    const range = hyper.range && rangeOf(hyper.range, { ...constants, subject: 'a bound of a range' })
    const value =
      init === null ? null : asValue(frame.graph.hyper(external.text, typeof init === 'boolean' ? 'bool' : 'number'))
    const binding = bindingOf('hyper', symbol, fixed(value))
    if (declare(frame, binding)) bindings.push(binding)
    if (init === null) continue
    checkDefault(hyper, init, range, frame)
    const kind = typeof init === 'boolean' ? 'bool' : 'number'
    drafts.push({ name: external.text, symbol: symbol.text, kind, init, range, doc: hyper.doc })
  }
  return { bindings, drafts }
}

/** Knows the hyperparameters, so as to say that they are no constants. */
function constantFrame(hypers: readonly HyperDecl[], frame: Frame): Frame {
  const graph = new Graph()
  const names = hypers.map(
    (h) =>
      [h.symbol.text, bindingOf('hyper', h.symbol, fixed(asValue(graph.hyper(h.external.text, 'number'))))] as const
  )
  return { ...frame, graph, where: 'constant', subject: 'a default', names: new Map(names), later: new Map() }
}

function defaultOf({ external, init: e }: HyperDecl, frame: Frame): number | boolean | null {
  const value = evaluate(e, frame)
  if (value === null) return null
  const init = constantOf(value.node)
  if (!Number.isNaN(init)) return init
  report(frame, problems.notFinite, e, { what: `The default of \`${external.text}\``, value: 'NaN', suggestion: '' })
  return null
}

function boundOf(e: Expr, frame: Frame): number | null {
  const value = evaluateAs('number', e, frame, 'a bound of a range')
  if (value === null) return null
  const bound = Number(constantOf(value.node))
  if (!Number.isNaN(bound)) return bound
  report(frame, problems.notFinite, e, { what: 'This bound', value: 'NaN', suggestion: '' })
  return null
}

function rangeOf(range: Range, frame: Frame): HyperRange | null {
  if (range.kind === 'set') {
    const values = range.values.map((v) => boundOf(v, frame)).filter((v) => v !== null)
    if (range.values.length === 0) report(frame, problems.emptyRange, range, { range: textOf(frame, range) })
    return values.length > 0 && values.length === range.values.length ? { kind: 'set', values } : null
  }
  const [low, high] = [boundOf(range.low, frame), boundOf(range.high, frame)]
  if (low === null || high === null) return null
  const { lowOpen, highOpen } = range
  if (low > high || (low === high && (lowOpen || highOpen))) {
    report(frame, problems.emptyRange, range, { range: textOf(frame, range) })
    return null
  }
  return { kind: 'interval', low, lowOpen, high, highOpen }
}

export const includes = (range: HyperRange, x: number): boolean =>
  range.kind === 'set'
    ? range.values.includes(x)
    : (range.lowOpen ? x > range.low : x >= range.low) && (range.highOpen ? x < range.high : x <= range.high)

function checkDefault(hyper: HyperDecl, init: number | boolean, range: HyperRange | null, frame: Frame): void {
  const name = hyper.external.text
  if (typeof init === 'boolean') {
    if (hyper.range) report(frame, problems.rangeOnBool, hyper.range, { name, range: textOf(frame, hyper.range) })
    return
  }
  if (range && !includes(range, init)) {
    const value = textOf(frame, hyper.init)
    report(frame, problems.defaultOutOfRange, hyper.init, { name, value, range: textOf(frame, hyper.range!) })
  } else if (!hyper.range && !Number.isFinite(init)) {
    const suggestion = 'Give it a range that holds infinity: `in (0, inf]`.'
    report(frame, problems.notFinite, hyper.init, {
      what: `The default of \`${name}\``,
      value: textOf(frame, hyper.init),
      suggestion
    })
  }
}

/** Arguments find their parameters: in order, then by name. */

import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import { nearest } from '../suggest.js'
import type { Argument, Expr, FnDecl, Name, Param, ScheduleDecl, TransformDecl } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'
import { evaluate } from './expression.js'
import { bindingOf, type Frame, fixed, report } from './scope.js'
import type { Maybe } from './value.js'

type Called = FnDecl | ScheduleDecl | TransformDecl

/**
 * The value of each parameter that is given one, or null if the arguments don't fit. Every argument is looked at, so that
 * all that is wrong in them is reported at once.
 */
export function bindArguments(
  called: Called,
  args: readonly Argument[],
  at: Name,
  frame: Frame,
  evaluateArgument: (value: Expr, parameter: string) => Maybe
): Map<string, Maybe> | null {
  const { params } = called
  if (new Set(params.map((p) => p.text)).size < params.length) {
    for (const argument of args) evaluateArgument(argument.value, '')
    return null
  }
  const name = called.name.text
  const values = new Map<string, Maybe>()
  let fit = true
  args.forEach((argument, i) => {
    const wanted = argument.name ? params.find((p) => p.text === argument.name!.text) : params[i]
    const value = evaluateArgument(argument.value, wanted?.text ?? '')
    if (wanted && !values.has(wanted.text)) {
      values.set(wanted.text, value)
      return
    }
    fit = false
    if (wanted) report(frame, problems.argumentTwice, argument, { parameter: wanted.text, name })
    else if (argument.name) unknownParameter(argument.name, called, frame)
    else report(frame, problems.argumentTooMany, argument, { name, form: formOf(called) })
  })
  const missing = params.filter((p) => p.init === null && !values.has(p.text))
  // An argument that found no parameter was most likely meant for the one that is missing.
  if (fit && missing.length > 0) {
    const parameters = missing.map((p) => `\`${p.text}\``).join(' and ')
    frame.budget.puzzled = true
    report(frame, problems.argumentMissing, at, { name, parameters, form: formOf(called) })
    fit = false
  }
  return fit ? values : null
}

function unknownParameter(given: Name, called: Called, frame: Frame): void {
  const meant = nearest(
    given.text,
    called.params.map((p) => p.text)
  )
  const suggestion = meant === null ? `Write \`${formOf(called)}\`.` : `Did you mean \`${meant}\`?`
  report(frame, problems.argumentUnknown, given, { parameter: given.text, name: called.name.text, suggestion })
}

/** How it is called: `warmup(peak, steps)`. */
const formOf = (called: Called): string => `${called.name.text}(${called.params.map((p) => p.text).join(', ')})`

/** The frame of an inlined body: its parameters, given values or their defaults. */
export function parameterFrame(
  params: readonly Param[],
  values: ReadonlyMap<string, Maybe>,
  module: Module,
  caller: Frame,
  found: Diagnostic[]
): Frame {
  const frame: Frame = {
    ...caller,
    module,
    names: new Map(),
    later: new Map(),
    aliases: new Map(),
    found,
    depth: caller.depth + 1
  }
  for (const param of params) {
    const value = values.has(param.text) ? values.get(param.text)! : defaultOf(param, frame)
    frame.names.set(param.text, bindingOf('parameter', param, fixed(value)))
  }
  return frame
}

/** A default is a constant, so it reads nothing of the body. */
export const defaultOf = ({ init }: Param, frame: Frame): Maybe =>
  init && evaluate(init, { ...frame, where: 'constant', names: new Map() })

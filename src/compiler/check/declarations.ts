/**
 * Functions, schedules and transforms by themselves: each is checked once, with parameters of which nothing is known, so
 * that what is wrong in one that nobody uses is found too, and what is wrong in all its uses is told once.
 */

import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import type { FnDecl, Param, ScheduleDecl, TransformDecl } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'
import { defaultOf } from './arguments.js'
import { declare } from './bind.js'
import { constantOf } from './constant.js'
import { emptyDraft } from './draft.js'
import { evaluate } from './expression.js'
import { fits, Graph } from './graph.js'
import { freshBudget } from './inline.js'
import { declareMasks } from './masks.js'
import type { Schedule } from './program.js'
import { bindingOf, cellOf, type Frame, fixed, report, type ValueBinding, type Where, type World } from './scope.js'
import { declareState } from './state.js'
import { localsOf, run } from './statements.js'
import { idleState, unused } from './usage.js'
import { asValue, type Maybe } from './value.js'
import { hasSyntaxError } from './walk.js'

export type Helper = FnDecl | ScheduleDecl | TransformDecl

export function frameOf(world: World, module: Module, where: Where, subject: string, found: Diagnostic[]): Frame {
  return {
    world,
    graph: new Graph(),
    module,
    where,
    subject,
    names: new Map(),
    later: new Map(),
    aliases: new Map(),
    found,
    budget: freshBudget(),
    depth: 0
  }
}

/** Checks one by itself; a schedule that is right is given back as it will be exported. */
export function checkHelper(helper: Helper, module: Module, world: World, found: Diagnostic[]): Schedule | null {
  const subject = `\`${helper.name.text}\``
  if (helper.kind === 'fn') checkFn(helper, frameOf(world, module, 'function', subject, found))
  if (helper.kind === 'transform') checkTransform(helper, frameOf(world, module, 'step', subject, found))
  return helper.kind === 'schedule'
    ? checkSchedule(helper, frameOf(world, module, 'schedule', `the schedule ${subject}`, found))
    : null
}

/** Binds parameters; `known` says what is known of one, given its default. */
function declareParams(
  params: readonly Param[],
  frame: Frame,
  known: (param: Param, init: Maybe) => Maybe
): ValueBinding[] {
  const bindings: ValueBinding[] = []
  for (const param of params) {
    const subject = `the default of \`${param.text}\``
    const init = defaultOf(param, { ...frame, subject })
    const binding = bindingOf('parameter', param, fixed(known(param, init)))
    if (declare(frame, binding)) bindings.push(binding)
  }
  return bindings
}

const unknown = (): Maybe => null

function checkFn(fn: FnDecl, frame: Frame): void {
  const params = declareParams(fn.params, frame, unknown)
  evaluate(fn.body, frame)
  if (complete(fn, frame)) unused(params, frame)
}

function checkSchedule(schedule: ScheduleDecl, frame: Frame): Schedule | null {
  const inits = new Map<string, Maybe>()
  const params = declareParams(schedule.params, frame, (param, init) => {
    inits.set(param.text, init)
    return param.init && !init ? null : asValue(frame.graph.hyper(param.text, init?.node.kind ?? 'number'))
  })
  const body = evaluate(schedule.body, frame)
  if (body?.node.kind === 'bool') report(frame, problems.scheduleOfBool, schedule.body, { name: schedule.name.text })
  if (complete(schedule, frame)) unused(params, frame)
  if (!body || frame.found.length > 0 || !fits(body.level, 'step')) return null
  return {
    name: schedule.name.text,
    doc: schedule.doc,
    params: schedule.params.map(({ text }) => {
      const init = inits.get(text)
      return { name: text, init: init ? constantOf(init.node) : null }
    }),
    body: body.node
  }
}

function checkTransform(transform: TransformDecl, outer: Frame): void {
  const frame = { ...outer, later: localsOf(transform.body) }
  const draft = emptyDraft(new Set())
  const params = declareParams(transform.params, frame, unknown)
  const subjects = transform.on.map((name) => bindingOf('subject', name, cellOf(null)))
  const bound = subjects.filter((subject) => declare(frame, subject))
  const masks = declareMasks(transform.masks, frame, draft)
  const states = declareState(transform.states, frame, draft)
  masks.define()
  states.define()
  run(transform.body, { frame, draft, subjects: subjects.map((s) => s.cell) })
  if (!complete(transform, frame)) return
  // A subject that could not be bound has been reported.
  const works = subjects.some((s) => s.cell.updated) || draft.observations.length > 0 || bound.length < subjects.length
  const [first] = transform.on
  if (!works && first) {
    const names = transform.on.map((n) => `\`${n.text}\``).join(' or ')
    report(frame, problems.idleTransform, transform.name, {
      name: transform.name.text,
      subjects: names,
      first: first.text
    })
    return
  }
  unused([...params, ...bound, ...masks.bindings, ...localsIn(frame)], frame)
  idleState(states.declared, frame)
}

export const localsIn = (frame: Frame): ValueBinding[] =>
  [...frame.names.values()].filter((b): b is ValueBinding => b.kind === 'local')

/** Whether all of it was understood, so that what seems to be missing is. */
export const complete = (declaration: Parameters<typeof hasSyntaxError>[0], frame: Frame): boolean =>
  frame.world.isWhole(frame.module) && !frame.budget.exhausted && !frame.budget.puzzled && !hasSyntaxError(declaration)

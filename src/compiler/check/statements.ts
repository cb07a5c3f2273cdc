/** Statements run in order; a name stands for its latest value. */
import { problems } from '../messages.generated.js'
import type { LocalStatement, Name, ObserveStatement, Span, Statement, UpdateStatement } from '../syntax/ast.js'
import { declare } from './bind.js'
import { describeBuiltin } from './builtins.js'
import type { Draft } from './draft.js'
import { evaluate, evaluateAs } from './expression.js'
import { fits, join } from './graph.js'
import type { Level } from './program.js'
import { mayBeObserved } from './reserved.js'
import { lookUp, unknown } from './resolve.js'
import { type Binding, bindingOf, type Cell, cellOf, describe, type Frame, report, textOf } from './scope.js'
import { use } from './use.js'
import { type Maybe, PER, type Value } from './value.js'

/** Statements, and what they stand in. */
export interface Body {
  readonly frame: Frame
  readonly draft: Draft
  /** What a `use` that names nothing works on: the gradient and the weight, or what a transform calls so. */
  readonly subjects: readonly Cell[]
}

/** The locals of a body, with the place where each is first bound. */
export function localsOf(statements: readonly Statement[]): Map<string, Span> {
  const locals = new Map<string, Span>()
  for (const s of statements) if (s.kind === 'local' && !locals.has(s.name.text)) locals.set(s.name.text, s.name)
  return locals
}

export function run(statements: readonly Statement[], body: Body): void {
  for (const statement of statements) {
    switch (statement.kind) {
      case 'local':
        bindLocal(statement, body)
        break
      case 'update':
        updateNamed(statement, body)
        break
      case 'observe':
        observe(statement, body)
        break
      case 'use':
        use(statement, body)
    }
  }
}

const CHANGES: readonly Binding['kind'][] = ['state', 'weight', 'gradient', 'subject']

function bindLocal({ name, value: e, end }: LocalStatement, { frame, draft }: Body): void {
  const value = evaluate(e, frame)
  const known = frame.names.get(name.text)
  if (known && known.kind !== 'declared' && known.kind !== 'missing' && CHANGES.includes(known.kind)) {
    known.read = true
    known.cell.updated = true
    // Of what could not be read, it is not known that it was meant to bind.
    if (e.kind !== 'error')
      report(frame, problems.bindsState, name, { name: name.text, what: describe(known), value: textOf(frame, e) })
    return
  }
  if (!declare(frame, bindingOf('local', name, cellOf(value)))) return
  record(name, value, frame, draft, { start: name.start, end })
}

function updateNamed({ name, value: e, end }: UpdateStatement, { frame, draft }: Body): void {
  const binding = lookUp(name.text, frame)
  const builtin = describeBuiltin(name.text)
  const value = evaluateAs('number', e, frame, `\`${name.text}\``)
  if (binding && binding.kind !== 'declared' && binding.kind !== 'missing' && CHANGES.includes(binding.kind)) {
    update(binding.cell, value, name.text, e, frame)
    record(name, binding.cell.value, frame, draft, { start: name.start, end })
  } else if (binding?.kind === 'missing') {
    // Its meaning is not known; that has been reported.
  } else if (binding?.kind === 'local') {
    report(frame, problems.updatesLocal, name, { name: name.text, value: textOf(frame, e) })
  } else if (binding) {
    binding.read = true
    report(frame, problems.notUpdatable, name, { name: name.text, what: describe(binding) })
  } else if (builtin !== null) {
    report(frame, problems.notUpdatable, name, { name: name.text, what: builtin })
  } else if (frame.later.has(name.text)) {
    report(frame, problems.updatesLocal, name, { name: name.text, value: textOf(frame, e) })
  } else {
    const bind = `To bind a local, write \`${name.text} = ${textOf(frame, e)}\`.`
    const meant = unknown(name, frame, (b) => CHANGES.includes(b.kind), bind)
    if (meant && meant.kind !== 'declared' && meant.kind !== 'missing') meant.cell.updated = true
    frame.names.set(name.text, { kind: 'missing', name, read: true })
  }
}

/** A slot and the weight keep their level and place, whatever goes in; a local takes those of its new value. */
export function update(cell: Cell, value: Maybe, name: string, at: Span, frame: Frame): void {
  cell.updated = true
  if (value === null || cell.holds === null) {
    cell.value = value
    return
  }
  const holds: Level = cell.holds
  if (!fits(value.level, holds)) {
    report(frame, problems.levelTooHigh, at, {
      value: textOf(frame, at),
      level: PER[value.level],
      context: `\`${name}\``,
      wanted: PER[holds],
      suggestion: reduceIt(textOf(frame, at), holds)
    })
    cell.value = null
    return
  }
  if (value.place === 'device') cell.onDevice = true
  const kept: Value = {
    node: value.node,
    level: join(value.level, holds),
    place: cell.onDevice ? 'device' : value.place
  }
  cell.value = kept
}

/** How to make one value of many. */
export function reduceIt(value: string, wanted: Level): string {
  const x = value.endsWith('…') ? '…' : value
  if (wanted === 'layer') return `Reduce it to one value a layer, for example \`norm(${x})\` or \`mean(${x})\`.`
  if (wanted === 'row') return `Reduce it to one value a row, for example \`mean(${x} over rows)\`.`
  if (wanted === 'col') return `Reduce it to one value a column, for example \`mean(${x} over cols)\`.`
  if (wanted === 'channel') return `Reduce it to one value a channel, for example \`mean(${x} over channels)\`.`
  return `Reduce it over the model, for example \`norm(${x} over model)\` or \`mean(${x} over model)\`.`
}

function observe({ value: e, name }: ObserveStatement, { frame, draft }: Body): void {
  const value = evaluateAs('number', e, frame, '`observe`')
  mayBeObserved(name, frame)
  const fit = value === null || fits(value.level, 'layer')
  if (!fit) {
    report(frame, problems.levelTooHigh, e, {
      value: textOf(frame, e),
      level: PER[value.level],
      context: '`observe`',
      wanted: PER.layer,
      suggestion: reduceIt(textOf(frame, e), 'layer')
    })
  }
  const taken = (text: string): boolean => draft.observations.some((o) => o.name === text)
  // A transform that is used twice observes twice.
  let text = name.text
  for (let n = 2; frame.depth > 0 && taken(text); n++) text = `${name.text}${n}`
  if (taken(text)) report(frame, problems.observedTwice, name, { name: text })
  else draft.observations.push({ name: text, at: name, value: fit ? value : null })
}

/** Keeps what the author calls a value, for what is printed about the program: names of the optimizer itself alone. */
export function record(name: Name, value: Maybe, frame: Frame, draft: Draft, { start, end }: Span): void {
  if (frame.depth === 0 && value) {
    draft.names.push({ name: name.text, node: value.node, span: { start, end } })
  }
}

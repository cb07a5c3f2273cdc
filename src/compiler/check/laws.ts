/**
 * Laws are read here and tried elsewhere (src/testing): nothing of them is compiled. So they have a graph of their own, and
 * what only a law reads is as unused as before.
 */
import { problems } from '../messages.generated.js'
import type { Expr, LawDecl, Name, OptimizerDecl, Replacement } from '../syntax/ast.js'
import { lawText } from '../syntax/print.js'
import { childrenOf } from '../syntax/walk.js'
import { describeBuiltin } from './builtins.js'
import { frameOf } from './declarations.js'
import type { Draft } from './draft.js'
import { evaluateAs } from './expression.js'
import { fits, type Graph } from './graph.js'
import type { DraftHyper } from './hypers.js'
import type { Law, Node } from './program.js'
import { lookUp, unknown } from './resolve.js'
import { type Binding, bindingOf, describe, type Frame, fixed, report, textOf, type ValueKind } from './scope.js'
import { localsOf } from './statements.js'
import { asValue, PER } from './value.js'

/** The laws of an optimizer; what is wrong with them is reported in its frame. */
export function checkLaws(
  optimizer: OptimizerDecl,
  hypers: readonly DraftHyper[],
  draft: Draft,
  { world, module, found, aliases }: Frame
): Law[] {
  const plain = frameOf(world, module, 'condition', '', found)
  const names = namesOf(optimizer, hypers, draft, plain.graph)
  const frame: Frame = { ...plain, names, aliases, later: localsOf(optimizer.steps[0]?.body ?? []) }
  const known = replaceable(names, draft, plain.graph)
  const claimed = new Set<string>()
  for (const law of optimizer.laws) {
    const { name, condition } = law
    if (claimed.has(name.text)) report(frame, problems.lawTwice, name, { name: name.text })
    claimed.add(name.text)
    checkReplacements(law, known, frame)
    if (condition) checkCondition(name, condition, frame)
  }
  return optimizer.laws.map((law) => ({ name: law.name.text, doc: law.doc, text: lawText(law) }))
}

/** What an optimizer has when a step starts. Of what is wrong in itself nothing is known here. */
function namesOf(
  { hypers, masks, states, steps }: OptimizerDecl,
  drafts: readonly DraftHyper[],
  draft: Draft,
  graph: Graph
): Map<string, Binding> {
  const names = new Map<string, Binding>()
  const bind = (kind: ValueKind, name: Name | undefined, node: Node | null): void => {
    if (!name) return
    names.set(name.text, node ? bindingOf(kind, name, fixed(asValue(node))) : { kind: 'missing', name, read: true })
  }
  for (const { symbol } of hypers) {
    const known = drafts.find((d) => d.symbol === symbol.text)
    bind('hyper', symbol, known ? graph.hyper(known.name, known.kind) : null)
  }
  for (const { name } of masks) bind('mask', name, graph.mask(name.text))
  for (const { name } of states) bind('state', name, slotNamed(name.text, draft, graph))
  const [weight, gradient, step] = steps[0]?.params ?? []
  bind('weight', weight, graph.weight())
  bind('gradient', gradient, graph.gradient())
  bind('step', step, graph.step())
  return names
}

function slotNamed(name: string, { slots }: Draft, graph: Graph): Node | null {
  const slot = slots.find((s) => s.name === name)
  return slot ? graph.slot(name, { level: slot.over, place: 'device' }) : null
}

const REPLACED: readonly Binding['kind'][] = ['hyper', 'weight', 'gradient', 'state', 'missing']

/** By name: what a law may replace. State that a transform brings has the transform's name before its own: `clip_m`. */
function replaceable(names: ReadonlyMap<string, Binding>, draft: Draft, graph: Graph): Map<string, Binding> {
  const known = new Map([...names].filter(([, { kind }]) => REPLACED.includes(kind)))
  const add = (text: string, node: Node | null): void => {
    if (node && !names.has(text)) known.set(text, bindingOf('state', { text, start: 0, end: 0 }, fixed(asValue(node))))
  }
  for (const { name } of draft.slots) add(name, slotNamed(name, draft, graph))
  for (const { name } of draft.observations) add(name, graph.slot(name, { level: 'layer', place: 'device' }))
  return known
}

function checkReplacements(
  { name: law, replacements }: LawDecl,
  known: ReadonlyMap<string, Binding>,
  frame: Frame
): void {
  const replaced = new Set<string>()
  let idle = replacements.length > 0
  for (const replacement of replacements) {
    const { name } = replacement
    if (replaced.has(name.text)) report(frame, problems.replacedTwice, name, { name: name.text })
    replaced.add(name.text)
    const binding = known.get(name.text)
    if (!binding) notReplaceable(name, known, frame)
    if (!binding || !isItself(replacement, binding, frame)) idle = false
  }
  if (idle) report(frame, problems.idleLaw, law, { name: law.text })
}

function notReplaceable(name: Name, known: ReadonlyMap<string, Binding>, frame: Frame): void {
  const binding = lookUp(name.text, frame)
  const language = frame.aliases.has(name.text) ? null : describeBuiltin(name.text)
  const what = binding ? describe(binding) : frame.later.has(name.text) ? 'a local' : language
  if (what !== null) report(frame, problems.notReplaceable, name, { name: name.text, what })
  else unknown(name, { ...frame, names: new Map(known) }, (b) => b.kind !== 'declared')
}

/** Checks what something is replaced by, and says whether that is the thing itself. */
function isItself({ name, value: e }: Replacement, binding: Binding, frame: Frame): boolean {
  if (binding.kind === 'declared' || binding.kind === 'missing') return false
  const subject = `what replaces \`${name.text}\``
  const own: Frame = { ...frame, where: 'law', subject, names: new Map([...frame.names, [name.text, binding]]) }
  for (const read of namesIn(e)) {
    const other = read.text === name.text ? undefined : frame.names.get(read.text)
    // What else there is, may not be read in a law at all.
    if (other && REPLACED.includes(other.kind) && other.kind !== 'missing')
      report(own, problems.lawReads, read, { value: read.text, what: describe(other), subject })
  }
  const { node } = binding.cell.value!
  return evaluateAs(node.kind, e, own, `\`${name.text}\``)?.node === node
}

function* namesIn(e: Expr): Generator<Name> {
  if (e.kind === 'name') yield e
  for (const child of childrenOf(e)) yield* namesIn(child)
}

function checkCondition({ text }: Name, e: Expr, frame: Frame): void {
  const subject = `the condition of \`${text}\``
  const value = evaluateAs('bool', e, { ...frame, subject }, subject)
  if (value === null || fits(value.level, 'layer')) return
  report(frame, problems.levelTooHigh, e, {
    value: textOf(frame, e),
    level: PER[value.level],
    context: subject,
    wanted: PER.layer,
    suggestion: 'Compare one value a layer, for example `‖g‖ > 0`.'
  })
}

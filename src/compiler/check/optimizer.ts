/** An optimizer becomes a `Program`. */

import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import type { OptimizerDecl, StepDecl } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'
import { declare } from './bind.js'
import { STEP } from './builtins.js'
import { complete, frameOf, localsIn } from './declarations.js'
import { type Draft, emptyDraft } from './draft.js'
import { reachModel } from './groupable.js'
import { type DraftHyper, declareHypers } from './hypers.js'
import { checkLaws } from './laws.js'
import { declareMasks } from './masks.js'
import type { Law, Node, Program, Slot } from './program.js'
import { mayBeOption, seedApart } from './reserved.js'
import { bindingOf, type Cell, cellOf, type Frame, fixed, report, type ValueBinding, type World } from './scope.js'
import { tooLarge } from './size.js'
import { declareState, mayLiveOnHost } from './state.js'
import { localsOf, run } from './statements.js'
import { idleState, unused } from './usage.js'
import { asValue } from './value.js'

/** Null if it has errors, which are put in `found`. */
export function checkOptimizer(
  optimizer: OptimizerDecl,
  module: Module,
  world: World,
  found: Diagnostic[]
): Program | null {
  const first = elaborate(optimizer, module, world, new Set(), found)
  if (!first) return null
  // State over the layer or the model lives on the host until a device value goes in: so until nothing moves any more.
  let last = first
  for (let moved = movedBy(last); moved.length > 0; moved = movedBy(last)) {
    const onDevice = new Set([...last.draft.onDevice, ...moved])
    // Where a value lives makes no error, so there is none now either.
    last = elaborate(optimizer, module, world, onDevice, [])!
  }
  return programOf(optimizer, module, last)
}

interface Elaborated {
  readonly draft: Draft
  readonly hypers: readonly DraftHyper[]
  readonly weight: Cell
  readonly seeded: boolean
  readonly laws: readonly Law[]
}

const movedBy = ({ draft }: Elaborated): string[] =>
  draft.slots.filter((s) => mayLiveOnHost(s.over) && s.cell.onDevice && !draft.onDevice.has(s.name)).map((s) => s.name)

function elaborate(
  optimizer: OptimizerDecl,
  module: Module,
  world: World,
  onDevice: ReadonlySet<string>,
  found: Diagnostic[]
): Elaborated | null {
  const before = found.length
  const [step] = optimizer.steps
  const frame: Frame = {
    ...frameOf(world, module, 'step', `\`${optimizer.name.text}\``, found),
    later: localsOf(step?.body ?? []),
    aliases: aliasesOf(optimizer)
  }
  const draft = emptyDraft(onDevice)
  const hypers = declareHypers(optimizer.hypers, frame)
  for (const { external } of optimizer.hypers) draft.options.add(external.text)
  const params = declareStep(step, frame)
  const masks = declareMasks(optimizer.masks, frame, draft)
  const states = declareState(optimizer.states, frame, draft)
  masks.define()
  states.define()
  optionsApart(optimizer, draft, frame)
  const body = { frame, draft, subjects: [params.gradient, params.weight] }
  for (const { on } of optimizer.uses) if (on) report(frame, problems.onOutsideStep, on[0] ?? optimizer, {})
  run(
    optimizer.uses.map((item) => ({ ...item, on: null })),
    body
  )
  run(step?.body ?? [], body)
  countSteps(optimizer, frame)
  seedApart(optimizer, frame)
  if (optimizer.steps.length === 1 && complete(optimizer, frame)) {
    if (step!.body.length > 0)
      unused([...hypers.bindings, ...masks.bindings, ...params.bindings, ...localsIn(frame)], frame)
    idleState(states.declared, frame)
    if (!params.weight.updated) {
      const [weight, gradient] = step!.params
      const names = { name: weight?.text ?? 'w', gradient: gradient?.text ?? 'g' }
      report(frame, problems.weightNeverUpdated, weight ?? step!, names)
    }
  }
  const laws = checkLaws(optimizer, hypers.drafts, draft, frame)
  if (found.length === before) tooLarge(optimizer.name, frame)
  // A call of something that has errors of its own leaves no error here, but no value either.
  const values = [params.weight, ...draft.slots.map((s) => s.cell), ...draft.observations].map((v) => v.value)
  const known = [...values, ...draft.slots.map((s) => s.init)].every((v) => v !== null)
  if (!step || found.length > before || !known) return null
  return { draft, hypers: hypers.drafts, weight: params.weight, seeded: frame.graph.isRandom, laws }
}

/** Names that have another here: what callers write for a symbol, and `t` where the step is called otherwise. */
function aliasesOf({ hypers, steps }: OptimizerDecl): Map<string, string> {
  const aliases = new Map<string, string>()
  for (const { external, symbol } of hypers) if (external.text !== symbol.text) aliases.set(external.text, symbol.text)
  const step = steps[0]?.params[2]
  if (step && step.text !== STEP) aliases.set(STEP, step.text)
  return aliases
}

/** Binds what the step calls the weight, the gradient and the step. */
function declareStep(
  step: StepDecl | undefined,
  frame: Frame
): { readonly weight: Cell; readonly gradient: Cell; readonly bindings: ValueBinding[] } {
  const { graph } = frame
  const leaves = [asValue(graph.weight()), asValue(graph.gradient())] as const
  const [weight, gradient] = leaves.map((leaf) => cellOf(leaf, 'element', leaf)) as [Cell, Cell]
  const kinds = [
    ['weight', weight],
    ['gradient', gradient],
    ['step', fixed(asValue(graph.step()))]
  ] as const
  const bindings: ValueBinding[] = []
  for (const [i, [kind, cell]] of kinds.entries()) {
    const name = step?.params[i]
    if (!name) continue
    const binding = bindingOf(kind, name, cell)
    if (kind === 'step' && name.text === STEP) frame.names.set(STEP, binding)
    else if (!declare(frame, binding)) continue
    bindings.push(binding)
  }
  if (step && (step.params.length < 2 || step.params.length > 3)) {
    report(frame, problems.stepParameters, step.params[3] ?? step, { given: step.params.length })
    frame.budget.puzzled = true
    for (const name of step.params.slice(3)) frame.names.set(name.text, { kind: 'missing', name, read: true })
  }
  return { weight, gradient, bindings }
}

/** Callers write hyperparameters and masks side by side. */
function optionsApart({ hypers, masks }: OptimizerDecl, draft: Draft, frame: Frame): void {
  const options = new Map<string, string>()
  for (const { external, symbol } of hypers) {
    const other = options.get(external.text)
    const what = `the hyperparameter \`${symbol.text}\``
    if (other === undefined) options.set(external.text, what)
    // Doubled symbols have been reported as such.
    else if (external.text !== symbol.text)
      report(frame, problems.optionTaken, external, { name: external.text, what, other })
  }
  for (const { name } of masks) {
    mayBeOption(name, 'A mask', frame)
    const other = options.get(name.text)
    if (other !== undefined && draft.masks.some((m) => m.name === name.text)) {
      report(frame, problems.optionTaken, name, { name: name.text, what: `the mask \`${name.text}\``, other })
    }
  }
}

function countSteps({ name, steps }: OptimizerDecl, frame: Frame): void {
  if (steps.length === 0 && frame.world.isWhole(frame.module))
    report(frame, problems.missingStep, name, { name: name.text })
  for (const step of steps.slice(1)) {
    const word = { start: step.start, end: step.start + 'step'.length }
    report(frame, problems.secondStep, word, { name: name.text })
  }
}

function programOf(
  optimizer: OptimizerDecl,
  module: Module,
  { draft, hypers, weight, seeded, laws }: Elaborated
): Program {
  const node = (value: { readonly node: Node } | null): Node => value!.node
  const slots = draft.slots.map(
    ({ name, over, cell, init, doc }): Slot => ({
      name,
      over,
      place: mayLiveOnHost(over) && !draft.onDevice.has(name) ? 'host' : 'device',
      init: node(init),
      next: node(cell.value),
      doc
    })
  )
  const observations = draft.observations.map(({ name, value }) => ({ name, value: node(value) }))
  const next = node(weight.value)
  const reaching = reachModel([next, ...observations.map((o) => o.value)], slots)
  const [w, g, t] = optimizer.steps[0]!.params
  return {
    name: optimizer.name.text,
    doc: optimizer.doc,
    symbols: { weight: w!.text, gradient: g!.text, step: t?.text ?? STEP },
    hypers: hypers.map((hyper) => ({ ...hyper, groupable: !reaching.has(hyper.name) })),
    masks: draft.masks,
    slots,
    observations,
    weight: next,
    seeded,
    names: draft.names,
    laws,
    source: module.file.source
  }
}

/** `use`: a transform's statements, on the gradient or on what it is given, with state of its own. */
import { problems } from '../messages.generated.js'
import type { TransformDecl, UseItem } from '../syntax/ast.js'
import { bindArguments, parameterFrame } from './arguments.js'
import { describeBuiltin } from './builtins.js'
import { evaluate } from './expression.js'
import { inline } from './inline.js'
import { declareMasks, maskOf } from './masks.js'
import { isTransform, lookUp, unknown } from './resolve.js'
import { bindingOf, type Cell, type DeclaredBinding, describe, type Frame, report } from './scope.js'
import { declareState } from './state.js'
import { type Body, localsOf, record, run } from './statements.js'

export function use(item: UseItem, body: Body): void {
  const { frame } = body
  const called = transformOf(item, frame)
  const targets = targetsOf(item, called, body)
  const worked = called && targets && apply(item, called, targets, body)
  if (!worked) {
    // What it would have done is not known, so nothing is said of what seems never to be updated.
    for (const cell of targets ?? body.subjects) cell.updated = true
    if (!called || !targets) for (const argument of item.args) evaluate(argument.value, frame)
    return
  }
  for (const [i, name] of (item.on ?? []).entries()) record(name, targets[i]!.value, frame, body.draft, item)
}

type Transform = DeclaredBinding & { readonly declaration: TransformDecl }

function transformOf(item: UseItem, frame: Frame): Transform | null {
  const { transform: name } = item
  const binding = lookUp(name.text, frame)
  if (binding) binding.read = true
  if (binding?.kind === 'missing') return null
  if (binding?.kind === 'declared' && isTransform(binding)) return binding as Transform
  const what = binding ? describe(binding) : describeBuiltin(name.text)
  if (what === null) unknown(name, frame, isTransform)
  else {
    const callable = what === 'a function' || what === 'a schedule' || what === 'a built-in function'
    const suggestion = callable ? `Call it in an expression: \`x = ${name.text}(…)\`.` : ''
    report(frame, problems.notATransform, name, { name: name.text, what, suggestion })
  }
  return null
}

const CHANGES: readonly string[] = ['local', 'state', 'weight', 'gradient', 'subject']

/** What the transform works on: what `on` names, then what is left of the body's own gradient and weight. */
function targetsOf(item: UseItem, called: Transform | null, { frame, subjects }: Body): Cell[] | null {
  const named = (item.on ?? []).map((name): Cell | null => {
    const binding = lookUp(name.text, frame)
    if (!binding) {
      unknown(name, frame, (b) => CHANGES.includes(b.kind))
      return null
    }
    binding.read = true
    if (binding.kind === 'missing') return null
    if (binding.kind === 'declared' || !CHANGES.includes(binding.kind)) {
      report(frame, problems.useTarget, name, { name: name.text, what: describe(binding) })
      return null
    }
    if (binding.cell.value?.node.kind !== 'bool') return binding.cell
    const context = `\`${item.transform.text}\``
    report(frame, problems.notANumber, name, { value: name.text, context })
    return null
  })
  if (!called) return null
  const wanted = called.declaration.on
  const name = called.declaration.name.text
  const form = `use ${name}(…) on (${wanted.map((n) => n.text).join(', ')})`
  if (named.length > wanted.length) {
    report(frame, problems.useTooMany, item.on![wanted.length]!, { name, form })
    return null
  }
  const targets = wanted.map((_, i) => (i < named.length ? named[i]! : (subjects[i] ?? null)))
  const unnamed = wanted.findIndex((_, i) => i >= named.length && !subjects[i])
  if (unnamed >= 0) {
    report(frame, problems.useTooFew, item.transform, { name, missing: wanted[unnamed]!.text, form })
    return null
  }
  return targets.every((cell) => cell !== null) ? targets : null
}

/** Whether it could be inlined. */
function apply(item: UseItem, called: Transform, targets: readonly Cell[], body: Body): boolean {
  const { frame, draft } = body
  const { declaration } = called
  const values = bindArguments(declaration, item.args, item.transform, frame, (e) => evaluate(e, frame))
  if (!frame.world.isSound(declaration) || values === null) return false
  const ran = inline(
    called,
    item.on ? item : item.transform,
    frame,
    (found) => ({
      ...parameterFrame(declaration.params, values, called.module, frame, found),
      later: localsOf(declaration.body)
    }),
    (inner) => {
      runTransform(declaration, targets, { frame: inner, draft }, nextUse(declaration, body))
      return true
    }
  )
  return ran === true
}

/** A slot of the n-th use is `transform_slot`, `transform2_slot`, …; a name that is taken counts as a use. */
function nextUse({ name: { text: name }, masks }: TransformDecl, { draft }: Body): string {
  const isTaken = (own: string): boolean =>
    draft.slots.some((slot) => slot.name.startsWith(`${own}_`)) ||
    masks.some((mask) => draft.options.has(maskOf(own, mask)))
  let n = draft.uses.get(name) ?? 0
  let own: string
  do {
    n++
    own = n === 1 ? name : `${name}${n}`
  } while (isTaken(own))
  draft.uses.set(name, n)
  return own
}

/** The statements of a transform in a frame that knows its parameters. */
export function runTransform(
  { on, masks, states, body }: TransformDecl,
  targets: readonly Cell[],
  { frame, draft }: Pick<Body, 'frame' | 'draft'>,
  own: string
): void {
  for (const [i, name] of on.entries()) frame.names.set(name.text, bindingOf('subject', name, targets[i]!))
  const ofMasks = declareMasks(masks, frame, draft, own)
  const ofState = declareState(states, frame, draft, `${own}_`)
  ofMasks.define()
  ofState.define()
  run(body, { frame, draft, subjects: targets })
}

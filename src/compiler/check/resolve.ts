/** Looks names up: the body's own, then the language's, then the file's. */
import { problems } from '../messages.generated.js'
import { didYouMean, nearest } from '../suggest.js'
import type { Name, NameExpr } from '../syntax/ast.js'
import { describeBuiltin, FACTS, FUNCTIONS, LAYER_NAME, STEP } from './builtins.js'
import { elsewhere, ownerOf } from './elsewhere.js'
import { type Binding, type DeclaredBinding, describe, type Frame, report, type ValueBinding } from './scope.js'
import { asValue, type Maybe } from './value.js'
import { forbid, mayRead } from './where.js'

/** What a name is bound to in the body or the file, built-ins apart. */
export function lookUp(name: string, frame: Frame): Binding | null {
  return frame.names.get(name) ?? frame.world.namespaceOf(frame.module).get(name) ?? null
}

/** The value of a name. */
export function resolve(e: NameExpr, frame: Frame): Maybe {
  const own = frame.names.get(e.text)
  if (own?.kind === 'missing') return null
  if (own && own.kind !== 'declared') return read(own, e, frame)
  const builtin = frame.aliases.has(e.text) ? undefined : readBuiltin(e, frame)
  if (builtin !== undefined) return builtin
  const binding = frame.world.namespaceOf(frame.module).get(e.text)
  if (!binding) {
    unknown(e, frame, isValue)
    return null
  }
  binding.read = true
  if (binding.kind === 'declared') notAValue(e, describe(binding), binding, frame)
  return null
}

function read(binding: ValueBinding, e: NameExpr, frame: Frame): Maybe {
  binding.read = true
  const { cell } = binding
  const value = frame.where === 'init' && cell.start ? cell.start : cell.value
  return value && mayRead(frame, value.node, e.text, e) ? value : null
}

/** undefined: the language has no such name. */
function readBuiltin(e: NameExpr, frame: Frame): Maybe | undefined {
  const { graph } = frame
  if (e.text === STEP || FACTS.has(e.text)) {
    const node = e.text === STEP ? graph.step() : graph.fact(e.text as 'rank' | 'size' | 'age')
    return mayRead(frame, node, e.text, e) ? asValue(node) : null
  }
  if (e.text === LAYER_NAME) {
    report(frame, frame.where === 'mask' ? problems.nameAlone : problems.nameOutsideMask, e, {})
    return null
  }
  if (!FUNCTIONS.has(e.text)) return undefined
  notAValue(e, 'a built-in function', null, frame)
  return null
}

function notAValue(e: NameExpr, what: string, binding: DeclaredBinding | null, frame: Frame): void {
  const kind = binding?.declaration.kind ?? 'fn'
  const suggestion =
    kind === 'transform' ? `Write \`use ${e.text}(…)\`.` : kind === 'optimizer' ? '' : `Call it: \`${e.text}(…)\`.`
  report(frame, problems.notAValue, e, { name: e.text, what, suggestion })
}

const isValue = (b: Binding): boolean =>
  b.kind !== 'declared' || b.declaration.kind === 'fn' || b.declaration.kind === 'schedule'
export const isCallable = (b: Binding): boolean =>
  b.kind === 'declared' && (b.declaration.kind === 'fn' || b.declaration.kind === 'schedule')
export const isTransform = (b: Binding): boolean => b.kind === 'declared' && b.declaration.kind === 'transform'

/**
 * Reports a name that nothing is bound to, and counts what was probably meant as read, so that it is not "unused"; gives
 * that back. `otherwise` is the hint if nothing is like it.
 */
export function unknown(
  name: Name | NameExpr,
  frame: Frame,
  wanted: (binding: Binding) => boolean,
  otherwise = ''
): Binding | null {
  if (frame.where === 'constant' && ownerOf(name.text, frame.module)) {
    forbid(frame, name.text, 'a name of the step', name)
    return null
  }
  if (frame.later.has(name.text)) {
    beforeBound(name, frame)
    return null
  }
  const alias = frame.aliases.get(name.text)
  const file = frame.world.namespaceOf(frame.module)
  const known = new Map([...file, ...frame.names].filter(([, binding]) => wanted(binding)))
  const builtins = wanted === isTransform ? [] : [...FUNCTIONS, ...(wanted === isCallable ? [] : [...FACTS, STEP])]
  const meant = alias ?? nearest(name.text, [...known.keys(), ...frame.later.keys(), ...builtins])
  if (meant === null) {
    frame.budget.puzzled = true
    if (!frame.world.isWhole(frame.module)) return null
  }
  const suggestion =
    alias === undefined
      ? elsewhere(name.text, frame.module) || didYouMean(name.text, meant) || otherwise
      : `Here it is called \`${alias}\`: only that name is known.`
  report(frame, problems.unknownName, name, { name: name.text, suggestion })
  const binding = meant === null ? null : (frame.names.get(meant) ?? file.get(meant) ?? null)
  if (binding) binding.read = true
  return binding
}

/** A local of this body that is not bound yet; masks and start values can't read one at all. */
function beforeBound(name: Name | NameExpr, frame: Frame): void {
  const at = frame.later.get(name.text)!
  if (frame.where !== 'step') {
    forbid(frame, name.text, 'a local', name)
    return
  }
  const [here, there] = [lineOf(frame, name.start), lineOf(frame, at.start)]
  const suggestion =
    here === there
      ? `To keep a value from step to step, declare it: \`state ${name.text} = 0\`.`
      : 'Move that line above this one.'
  report(frame, problems.usedBeforeBound, name, { name: name.text, line: there, suggestion })
}

/** Whether the language itself has bound the name; then it is reported. */
export function isTakenByLanguage(name: Name, frame: Pick<Frame, 'found' | 'module'>): boolean {
  const what = describeBuiltin(name.text)
  if (what === null) return false
  frame.found.push(problems.builtinRebound(frame.module.file.path, name, { name: name.text, what }))
  return true
}

function lineOf(frame: Frame, offset: number): number {
  return frame.module.file.source.slice(0, offset).split(/\r\n|\r|\n/).length
}

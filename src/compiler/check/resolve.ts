/** Looks names up: the body's own, then the language's, then the file's. */
import { problems } from '../messages.generated.js'
import { didYouMean, nearest } from '../suggest.js'
import type { Name, NameExpr } from '../syntax/ast.js'
import { describeBuiltin, FACTS, FUNCTIONS, LAYER_NAME, STEP } from './builtins.js'
import { type Binding, type DeclaredBinding, describe, type Frame, report, type ValueBinding } from './scope.js'
import { asValue, type Maybe } from './value.js'
import { mayRead } from './where.js'

/** What a name is bound to in the body or the file, built-ins apart. */
export function lookUp(name: string, frame: Frame): Binding | null {
  return frame.names.get(name) ?? frame.world.namespaceOf(frame.module).get(name) ?? null
}

/** The value of a name. */
export function resolve(e: NameExpr, frame: Frame): Maybe {
  const own = frame.names.get(e.text)
  if (own && own.kind !== 'declared' && own.kind !== 'missing') return read(own, e, frame)
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

/** Reports a name that nothing is bound to, and counts what was probably meant as read, so that it is not "unused". */
export function unknown(name: Name | NameExpr, frame: Frame, wanted: (binding: Binding) => boolean): void {
  const alias = frame.aliases.get(name.text)
  const later = frame.later.get(name.text)
  if (later) {
    report(frame, problems.usedBeforeBound, name, { name: name.text, line: String(lineOf(frame, later.start)) })
    return
  }
  const file = frame.world.namespaceOf(frame.module)
  const known = new Map([...file, ...frame.names].filter(([, binding]) => wanted(binding)))
  const builtins = wanted === isTransform ? [] : [...FUNCTIONS, ...(wanted === isCallable ? [] : [...FACTS, STEP])]
  const meant = alias ?? nearest(name.text, [...known.keys(), ...frame.later.keys(), ...builtins])
  const binding = meant === null ? undefined : known.get(meant)
  if (binding) binding.read = true
  if (meant === null && !frame.world.isWhole(frame.module)) return
  const suggestion =
    alias === undefined ? didYouMean(name.text, meant) : `Here it is called \`${alias}\`: only that name is known.`
  report(frame, problems.unknownName, name, { name: name.text, suggestion })
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

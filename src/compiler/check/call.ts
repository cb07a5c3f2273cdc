/** Calls: of the language's functions, and of the author's. */
import { problems } from '../messages.generated.js'
import type { CallExpr, Expr } from '../syntax/ast.js'
import { bindArguments, parameterFrame } from './arguments.js'
import { describeBuiltin, FUNCTIONS, NOISE, REDUCTIONS, UNARY } from './builtins.js'
import { evaluate, evaluateAs } from './expression.js'
import { fits } from './graph.js'
import { inline } from './inline.js'
import type { Binary, Unary } from './program.js'
import { reduce } from './reduction.js'
import { isCallable, lookUp, unknown } from './resolve.js'
import { type DeclaredBinding, describe, type Frame, report, textOf } from './scope.js'
import { asValue, combine, type Maybe, PER, type Value } from './value.js'
import { mayBeRandom } from './where.js'

export function call(e: CallExpr, frame: Frame): Maybe {
  if (FUNCTIONS.has(e.callee.text)) return callBuiltin(e, frame)
  if (e.over !== null) report(frame, problems.overOnFunction, e.callee, { name: e.callee.text })
  const binding = lookUp(e.callee.text, frame)
  if (binding) binding.read = true
  if (binding?.kind === 'declared' && isCallable(binding)) return callDeclared(e, binding, frame)
  const builtin = binding ? null : describeBuiltin(e.callee.text)
  if (builtin !== null) notAFunction(e, builtin, false, frame)
  else if (!binding) unknown(e.callee, frame, isCallable)
  else if (binding.kind !== 'missing') notAFunction(e, describe(binding), binding.kind === 'declared', frame)
  for (const argument of e.args) evaluate(argument.value, frame)
  return null
}

function notAFunction(e: CallExpr, what: string, declared: boolean, frame: Frame): void {
  const { text } = e.callee
  const argument = e.args[0] ? textOf(frame, e.args[0].value) : '…'
  const suggestion = !declared
    ? `To multiply, write \`${text} * (${argument})\`.`
    : what === 'a transform'
      ? `Write \`use ${text}(…)\` as a statement.`
      : ''
  report(frame, problems.notAFunction, e.callee, { name: text, what, suggestion })
}

function callBuiltin(e: CallExpr, frame: Frame): Maybe {
  const name = e.callee.text
  const named = e.args.find((a) => a.name !== null)
  if (named) report(frame, problems.namedArgument, named, { function: name, name: named.name!.text })
  const values = e.args.map((a) => evaluateAs('number', a.value, frame, `\`${name}\``))
  if (named) return null
  const chooses = (name === 'max' || name === 'min') && e.args.length !== 1
  const reduces = !chooses && REDUCTIONS.has(name)
  if (!chooses || e.args.length === 0) {
    const wanted = name === 'clamp' ? 3 : name === NOISE ? 0 : (REDUCTIONS.get(name) ?? 1)
    if (e.args.length !== wanted) {
      frame.budget.puzzled = true
      const counts = { wanted: count(wanted, name), given: String(e.args.length) }
      report(frame, problems.argumentCount, e, { name, ...counts, form: FORMS[name] ?? `${name}(x)` })
      return null
    }
  }
  if (e.over !== null && !reduces) {
    report(frame, problems.overOnFunction, e.callee, { name })
    return null
  }
  if (reduces) return reduce(name, values, e.over, frame, e, e.args.length === 1 ? e.args[0]!.value : e)
  if (name === NOISE) return mayBeRandom(frame, textOf(frame, e), e) ? asValue(frame.graph.noise()) : null
  const known = values.filter((v) => v !== null)
  return known.length === values.length ? apply(name, known, frame) : null
}

const FORMS: Readonly<Record<string, string>> = {
  clamp: 'clamp(x, low, high)',
  dot: 'dot(x, y)',
  max: 'max(x, y)',
  noise: 'noise()',
  min: 'min(x, y)'
}
const count = (n: number, name: string): string =>
  name === 'max' || name === 'min'
    ? 'one argument or more'
    : (['no argument', 'one argument', 'two arguments', 'three arguments'][n] as string)

function apply(name: string, values: readonly Value[], { graph }: Frame): Value {
  const nodes = values.map((v) => v.node)
  if (UNARY.has(name)) return combine(graph.unary(name as Unary, nodes[0]!), values)
  if (name === 'clamp') {
    return combine(graph.binary('min', graph.binary('max', nodes[0]!, nodes[1]!), nodes[2]!), values)
  }
  return combine(
    nodes.reduce((a, b) => graph.binary(name as Binary, a, b)),
    values
  )
}

function callDeclared(e: CallExpr, called: DeclaredBinding, frame: Frame): Maybe {
  const { declaration, module } = called
  if (declaration.kind !== 'fn' && declaration.kind !== 'schedule') return null
  const evaluateArgument = (value: Expr, name: string): Maybe => {
    const x = evaluate(value, frame)
    if (x === null || declaration.kind !== 'schedule' || fits(x.level, 'step')) return x
    report(frame, problems.levelTooHigh, value, {
      value: textOf(frame, value),
      level: PER[x.level],
      context: `\`${name}\` of the schedule \`${declaration.name.text}\``,
      wanted: PER.step,
      suggestion: 'A schedule depends on the step and on hyperparameters alone.'
    })
    return null
  }
  const values = bindArguments(declaration, e.args, e.callee, frame, evaluateArgument)
  if (!frame.world.isSound(declaration) || values === null) return null
  return inline(
    called,
    e,
    frame,
    (found) => parameterFrame(declaration.params, values, module, frame, found),
    (inner) => evaluate(declaration.body, inner)
  )
}

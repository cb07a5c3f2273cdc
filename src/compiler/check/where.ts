/** What may be read where: a mask is fixed for a layer, a start value knows no step, a schedule knows nothing else, nor does a law. */
import { problems } from '../messages.generated.js'
import type { Span } from '../syntax/ast.js'
import type { Node } from './program.js'
import { type Frame, report, type Where } from './scope.js'

type Restricted = Exclude<Where, 'step' | 'function'>

/** Leaves by their `op`, facts by their name. Everything that is not a leaf is allowed but reductions. */
const MAY_READ: Readonly<Record<Exclude<Restricted, 'condition'>, ReadonlySet<string>>> = {
  constant: new Set(['const']),
  mask: new Set(['const', 'rank', 'size', 'match']),
  init: new Set(['const', 'hyper', 'rank', 'size', 'age', 'weight']),
  schedule: new Set(['const', 'hyper', 'step']),
  // Of these the one thing that is replaced: src/compiler/check/laws.ts.
  law: new Set(['const', 'hyper', 'weight', 'gradient', 'slot'])
}

const LEAVES: Readonly<Record<string, string>> = {
  hyper: 'a hyperparameter',
  step: 'the step',
  rank: 'a fact of the layer',
  size: 'a fact of the layer',
  age: "the layer's own count of steps",
  match: "a match against the layer's name",
  mask: 'a mask',
  weight: 'the weight',
  gradient: 'the gradient',
  slot: 'state',
  sum: 'a reduction',
  max: 'a reduction',
  min: 'a reduction',
  noise: 'a random number'
}

const PROBLEMS = {
  constant: problems.notConstant,
  mask: problems.maskReads,
  init: problems.initReads,
  schedule: problems.scheduleReads,
  law: problems.lawReads,
  condition: problems.lawReads
}

/** Whether `node` may be read in this frame; reports it where it may not. `name` is how the author wrote it. */
export function mayRead(frame: Frame, node: Node, name: string, span: Span): boolean {
  const { where } = frame
  const free = where === 'step' || where === 'function' || where === 'condition'
  const offence = free ? null : forbidden(node, MAY_READ[where])
  if (offence !== null) forbid(frame, name, offence, span)
  return offence === null
}

/** A reduction is computed in a step. */
export const mayReduce = (frame: Frame, name: string, span: Span): boolean => onlyInStep('sum', frame, name, span)

/** And so is a random number. */
export const mayBeRandom = (frame: Frame, name: string, span: Span): boolean => onlyInStep('noise', frame, name, span)

function onlyInStep(op: string, frame: Frame, name: string, span: Span): boolean {
  if (frame.where === 'step' || frame.where === 'function') return true
  if (frame.where === 'condition' && op !== 'noise') return true
  forbid(frame, name, LEAVES[op]!, span)
  return false
}

/** Reports what can't be read here. `what` says what it is: "a mask". */
export function forbid(frame: Frame, value: string, what: string, span: Span): void {
  if (frame.where === 'step' || frame.where === 'function') return
  report(frame, PROBLEMS[frame.where], span, { value, what, subject: frame.subject })
}

function forbidden(node: Node, allowed: ReadonlySet<string>): string | null {
  const seen = new Set<Node>()
  const visit = (n: Node): string | null => {
    if (seen.has(n)) return null
    seen.add(n)
    if ('over' in n || n.op === 'noise') return LEAVES[n.op]!
    if (n.args.length === 0) {
      const key = n.op === 'fact' ? n.name : n.op
      return allowed.has(key) ? null : (LEAVES[key] ?? 'a value of the model')
    }
    for (const argument of n.args) {
      const found = visit(argument)
      if (found !== null) return found
    }
    return null
  }
  return visit(node)
}

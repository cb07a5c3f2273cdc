/** Functions, schedules and transforms are inlined, within a budget; what goes wrong inside is told where they are called. */

import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import type { Span } from '../syntax/ast.js'
import { type Budget, type DeclaredBinding, type Frame, report } from './scope.js'

const MOST_EXPRESSIONS = 20_000
/** Of expressions in inlined bodies, and of bodies in bodies: a stack that is nearly used up holds this much. */
const DEEPEST = 200

/** For one optimizer, or one declaration that is checked by itself. */
export const freshBudget = (): Budget => ({
  expressions: MOST_EXPRESSIONS,
  nesting: 0,
  exhausted: false,
  puzzled: false
})

/** Counts an expression of an inlined body against the budget. The parser limits how deep those of others are. */
export function nested<T>({ budget, depth }: Frame, evaluate: () => T | null): T | null {
  if (depth === 0) return budget.exhausted ? null : evaluate()
  budget.expressions--
  if (budget.expressions < 0 || budget.nesting >= DEEPEST) budget.exhausted = true
  if (budget.exhausted) return null
  budget.nesting++
  const value = evaluate()
  budget.nesting--
  return value
}

/**
 * Runs a called body in a frame of its own. The body is sound by itself, so whatever is wrong comes of this call: the
 * first problem is reported at `at`, in the caller's file.
 */
export function inline<T>(
  called: DeclaredBinding,
  at: Span,
  caller: Frame,
  frameOf: (found: Diagnostic[]) => Frame,
  run: (frame: Frame) => T
): T | null {
  const { budget } = caller
  if (budget.exhausted) return null
  budget.expressions--
  if (caller.depth >= DEEPEST) budget.exhausted = true
  const found: Diagnostic[] = []
  const name = called.declaration.name.text
  const result = budget.exhausted ? null : run(frameOf(found))
  if (budget.exhausted) {
    if (caller.depth === 0)
      report(caller, problems.inliningBudget, at, { name, most: MOST_EXPRESSIONS.toLocaleString('en') })
    return null
  }
  const first = found[0]
  if (!first) return result
  if (caller.depth > 0) {
    caller.found.push(first)
    return null
  }
  const verb = called.declaration.kind === 'transform' ? 'used' : 'called'
  // Its hint would be about the body, which may not be the caller's to change.
  caller.found.push({
    code: first.code,
    severity: first.severity,
    message: `In \`${name}\`, ${verb} here: ${first.message}`,
    path: caller.module.file.path,
    span: { start: at.start, end: at.end }
  })
  return null
}

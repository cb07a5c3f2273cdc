/** Functions, schedules and transforms are inlined, within a budget; what goes wrong inside is told where they are called. */

import type { Diagnostic } from '../diagnostics.js'
import { problems } from '../messages.generated.js'
import type { Expr, Span } from '../syntax/ast.js'
import { type Budget, type DeclaredBinding, type Frame, report } from './scope.js'

const MOST_EXPRESSIONS = 20_000
const DEEPEST = 400

/** For one optimizer, or one declaration that is checked by itself. */
export const freshBudget = (): Budget => ({ expressions: MOST_EXPRESSIONS, nesting: 0, exhausted: false })

/** Counts an expression against the budget; deeper than that, nothing is looked at. */
export function nested<T>(frame: Frame, e: Expr, evaluate: () => T | null): T | null {
  const { budget, depth } = frame
  if (budget.exhausted) return null
  if (depth > 0 && --budget.expressions < 0) {
    budget.exhausted = true
    return null
  }
  if (budget.nesting >= DEEPEST) {
    if (depth === 0) report(frame, problems.nestedTooDeep, e, { most: String(DEEPEST) })
    budget.exhausted = true
    return null
  }
  budget.nesting++
  try {
    return evaluate()
  } finally {
    budget.nesting--
  }
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
  const found: Diagnostic[] = []
  const name = called.declaration.name.text
  const result = run(frameOf(found))
  if (budget.exhausted) {
    if (caller.depth === 0)
      report(caller, problems.inliningBudget, at, { name, most: MOST_EXPRESSIONS.toLocaleString('en') })
    return null
  }
  const first = found[0]
  if (!first) return result
  caller.found.push({
    ...first,
    message: `In \`${name}\`, called here: ${first.message}`,
    path: caller.module.file.path,
    span: { start: at.start, end: at.end }
  })
  return null
}

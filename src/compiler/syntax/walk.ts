/** Goes through expressions without recursion, so that it needs no limit on how deep they are. */
import type { Expr } from './ast.js'

/** The expressions right inside one. */
export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'unary':
    case 'norm':
      return [e.arg]
    case 'binary':
      return [e.left, e.right]
    case 'match':
      return [e.subject]
    case 'if':
      return [e.condition, e.then, e.otherwise]
    case 'call':
      return e.args.map((argument) => argument.value)
    default:
      return []
  }
}

/** Whether a tree has more levels than `limit`. */
export function isDeeperThan(limit: number, root: Expr): boolean {
  let level: readonly Expr[] = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === limit) return true
    level = level.flatMap(childrenOf)
  }
  return false
}

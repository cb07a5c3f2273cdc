/**
 * Host conditions that decide device values: a mask, a flag, a comparison of the step. Each assignment of them is a variant
 * with a Plan of its own.
 */
import type { Node } from '../check/program.js'
import { isOfModel, reach } from './order.js'
import { conditionOf } from './rewrite.js'

/** More conditions than these stay what they are: scalars of 1 or 0 that kernels select by. */
const MOST_CONDITIONS = 4

export function findConditions(roots: readonly Node[]): Node[] {
  const found = new Set<Node>()
  for (const node of reach(roots, (n) => n.place === 'device' && !isOfModel(n))) {
    if (node.place === 'host' || isOfModel(node)) continue
    const deciding =
      node.op === 'select' ? node.args.slice(0, 1) : node.op === 'and' || node.op === 'or' ? node.args : []
    for (const arg of deciding) {
      if (arg.place === 'host' && arg.op !== 'const') found.add(conditionOf(arg).condition)
    }
  }
  return [...found].slice(0, MOST_CONDITIONS)
}

/** What a variant's index says of the conditions: condition i is bit i. */
export function assignment(conditions: readonly Node[], index: number): Map<Node, boolean> {
  return new Map(conditions.map((condition, i) => [condition, ((index >> i) & 1) === 1]))
}

/** What an expression gives while it is being checked. */
import type * as ast from '../syntax/ast.js'
import type { Over } from './axes.js'
import { join } from './graph.js'
import type { Level, Node, Place } from './program.js'

/**
 * A node, and what its author may rely on: per-weight state is one value per weight even when the step has just made it 0,
 * so level and place here may stand above the node's own.
 */
export interface Value {
  readonly node: Node
  readonly level: Level
  readonly place: Place
}

/** `null` is a value that is wrong (and reported) or not known yet: whatever is made from it is null too, silently. */
export type Maybe = Value | null

export const asValue = (node: Node): Value => ({ node, level: node.level, place: node.place })

/** The value of an operation, given its operands. */
export function combine(node: Node, operands: readonly Value[]): Value {
  let { level, place } = node
  for (const operand of operands) {
    level = join(level, operand.level)
    if (operand.place === 'device') place = 'device'
  }
  return { node, level, place }
}

/** As messages say it: "one value per layer". */
export const PER: Readonly<Record<Level, string>> = {
  const: 'that never changes',
  config: 'that is set by the caller',
  step: 'per step',
  model: 'for the whole model',
  layer: 'per layer',
  row: 'per row',
  col: 'per column',
  channel: 'per channel',
  element: 'per weight'
}

const LEVELS = { rows: 'row', cols: 'col', channels: 'channel' } as const

/** The level that has one value for each of what stands behind `over`. */
export function levelOver(over: ast.Over): Over {
  return over === 'layer' || over === 'model' ? over : LEVELS[over]
}

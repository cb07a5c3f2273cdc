/** Host values that the device reads: the largest host subexpressions of what it computes. Constants are no scalars. */
import type { Node } from '../check/program.js'
import { isReduction, reach } from './order.js'

/** In the order in which they are met. Operands of reductions over the model are roots of their own, one a variant. */
export function hostScalars(roots: readonly Node[]): Node[] {
  const into = (node: Node): boolean => node.place === 'device' && !(isReduction(node) && node.over === 'model')
  return reach(roots, into).filter((node) => node.place === 'host' && node.op !== 'const')
}

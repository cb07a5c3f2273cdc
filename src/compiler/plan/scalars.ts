/** Host values that the device reads: the largest host subexpressions of what it computes. Constants are no scalars. */
import type { Node } from '../check/program.js'
import { reach } from './order.js'

/** In the order in which they are met. */
export function hostScalars(roots: readonly Node[]): Node[] {
  return reach(roots, (node) => node.place === 'device').filter((node) => node.place === 'host' && node.op !== 'const')
}

/**
 * A group makes a hyperparameter one value a layer. One that reaches a value or state of the whole model would make that
 * one value a layer too, so it can't be set in a group.
 */
import type { Node, Slot } from './program.js'

/** The hyperparameters, by external name, that reach a model-level value or state from what the step computes. */
export function reachModel(roots: readonly Node[], slots: readonly Slot[]): ReadonlySet<string> {
  const found = new Set<string>()
  const ofModel = new Set<Node>()
  const seen = new Set<Node>()
  const visit = (root: Node, inModel: boolean): void => {
    const waiting: [Node, boolean][] = [[root, inModel]]
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [node, above] = next
      const model = above || node.level === 'model'
      const visited = model ? ofModel : seen
      if (visited.has(node)) continue
      visited.add(node)
      if (model && node.op === 'hyper') found.add(node.name)
      for (const argument of node.args) waiting.push([argument, model])
    }
  }
  for (const slot of slots) for (const node of [slot.init, slot.next]) visit(node, slot.over === 'model')
  for (const root of roots) visit(root, false)
  return found
}

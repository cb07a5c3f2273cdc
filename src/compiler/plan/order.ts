/** Small questions about nodes that the planner, the emitters and `explain` all ask. */
import type { Node } from '../check/program.js'
import type { Buffer, Pass, ReduceNode } from './plan.js'

/** Varies within a layer: computed in passes. */
export function isElement(node: Node): boolean {
  return node.level === 'element' || node.level === 'row' || node.level === 'col'
}

/** One value a layer or a model, on the device: a reduction, state, or what is made from them. */
export function isDeviceScalar(node: Node): boolean {
  return node.place === 'device' && !isElement(node)
}

export function isReduction(node: Node): node is ReduceNode {
  return 'over' in node
}

/** On the device, and the same for all layers: also where a group sets hyperparameters for some. */
export function isOfModel(node: Node): boolean {
  return isDeviceScalar(node) && node.level !== 'layer' && !isGrouped(node)
}

const grouped = new WeakMap<Node, boolean>()

/** Made from a hyperparameter that a group may set. What is reduced over the model never is: the checker sees to that. */
function isGrouped(node: Node): boolean {
  const known = grouped.get(node)
  if (known !== undefined) return known
  const is = node.op === 'hyper' ? node.grouped === true : !isReduction(node) && node.args.some(isGrouped)
  grouped.set(node, is)
  return is
}

export function sameBuffer(a: Buffer, b: Buffer): boolean {
  if (a.kind === 'slot') return b.kind === 'slot' && a.name === b.name
  if (a.kind === 'scratch') return b.kind === 'scratch' && a.index === b.index
  return a.kind === b.kind
}

/**
 * What is reached from the roots, each once, operands first. `into` says whether to go on to a node's operands; the node
 * itself is there either way.
 */
export function reach(roots: readonly Node[], into: (node: Node) => boolean): Node[] {
  const seen = new Set<Node>()
  const order: Node[] = []
  const stack: { node: Node; next: number }[] = []
  const enter = (node: Node): void => {
    if (seen.has(node)) return
    seen.add(node)
    stack.push({ node, next: into(node) ? 0 : node.args.length })
  }
  for (const root of roots) {
    enter(root)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const arg = top.node.args[top.next++]
      if (arg) enter(arg)
      else order.push(stack.pop()!.node)
    }
  }
  return order
}

/** What a pass computes for each element, operands first: between what it reads and what it stores or reduces. */
export function computedIn(pass: Pass): Node[] {
  const read = new Set(pass.reads.map((r) => r.node))
  const inside = (node: Node): boolean => isElement(node) && !read.has(node)
  return reach(rootsOf(pass), inside).filter(inside)
}

/** Values that a pass stores or reduces. */
export function rootsOf(pass: Pass): Node[] {
  return [...pass.stores.map((s) => s.value), ...pass.reductions.map((r) => r.value)]
}

/**
 * What a pass reads that is the same for all elements, and not a constant: host scalars, and device scalars to be read as
 * cells or computed from them before the loop.
 */
export function scalarsIn(pass: Pass): Node[] {
  const computed = computedIn(pass)
  const scalars = [...rootsOf(pass), ...computed.flatMap((node) => node.args)].filter(
    (node) => !isElement(node) && node.op !== 'const'
  )
  return [...new Set(scalars)]
}

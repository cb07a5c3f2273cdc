/** Small questions about nodes that the planner, the emitters and `explain` all ask. */
import { axesOf, type Varying, type Vector } from '../check/axes.js'
import type { Level, Node, Program } from '../check/program.js'
import type { Buffer, Pass, ReduceNode, Variant } from './plan.js'

/** One value per weight: computed in passes over elements. */
export function isElement(node: Node): boolean {
  return node.level === 'element'
}

/** One value a row, a column or a channel: computed in passes over these. */
export function isVector(node: Node): boolean {
  return isVectorLevel(node.level)
}

export function isVectorLevel(level: Level): level is Vector {
  return level !== 'element' && axesOf(level).length > 0
}

/** Varies within a layer. */
export function isVarying(node: Node): boolean {
  return isElement(node) || isVector(node)
}

/** One value a layer or a model, on the device: a reduction, state, or what is made from them. */
export function isDeviceScalar(node: Node): boolean {
  return node.place === 'device' && !isVarying(node)
}

export function isReduction(node: Node): node is ReduceNode {
  return 'over' in node
}

/** A reduction that a pass over elements gathers, or that a barrier makes: the search decides where. */
export function isSearched(node: Node): node is ReduceNode {
  return isReduction(node) && (node.over === 'model' || isElement(node.args[0]!))
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
  if (a.kind === 'scratch' || a.kind === 'vector') return a.kind === b.kind && a.index === b.index
  return a.kind === b.kind
}

/** What a buffer has one value of. */
export function levelOfBuffer(program: Program, vectors: Variant['vectors'], buffer: Buffer): Varying {
  if (buffer.kind === 'vector') return vectors[buffer.index]!.node.level as Varying
  if (buffer.kind !== 'slot') return 'element'
  return program.slots.find((s) => s.name === buffer.name)!.over as Varying
}

/** Whether a program has rows, columns or channels. */
export function usesAxes({ slots, weight, observations }: Program): boolean {
  const roots = [weight, ...slots.map((s) => s.next), ...observations.map((o) => o.value)]
  return slots.some((s) => isVectorLevel(s.over)) || reach(roots, () => true).some(isVector)
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

/** What a pass computes for each entry of its domain, operands first: between what it reads and what it stores or reduces. */
export function computedIn(pass: Pass): Node[] {
  const read = new Set(pass.reads.map((r) => r.node))
  const inside = (node: Node): boolean => node.level === pass.domain && !read.has(node)
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
    (node) => !isVarying(node) && node.op !== 'const'
  )
  return [...new Set(scalars)]
}

/** What a pass reduces to one value of the layer, and to one a row, a column or a channel. */
export function reductionsOf(pass: Pass) {
  const all = pass.reductions
  return { totals: all.filter((r) => !isVector(r.node)), vectors: all.filter((r) => isVector(r.node)) }
}

/** Whether some pass knows of rows, columns or channels. */
export function hasVectors({ passes, vectors }: Variant): boolean {
  return vectors.length > 0 || passes.some((p) => p.domain !== 'element' || p.reads.some((r) => isVector(r.node)))
}

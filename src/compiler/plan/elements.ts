/**
 * The work of one variant as the search sees it: values that vary within a layer by number, and which reductions each
 * value needs. Sets of reductions are bits.
 */
import type { Node, Program } from '../check/program.js'
import type { ModelReduction } from './barriers.js'
import { type Cutter, createCutter } from './cut.js'
import { isElement, sameBuffer } from './order.js'
import type { Buffer } from './plan.js'
import { nodesOf, startsIn, type Work } from './work.js'

export interface Elements {
  readonly work: Work
  /** Operands first. */
  readonly nodes: readonly Node[]
  readonly index: ReadonlyMap<Node, number>
  /** Operands that vary within the layer. */
  readonly args: readonly (readonly number[])[]
  readonly cutter: Cutter
  /** 1 for an operation, 0 for what a step finds in memory. */
  readonly operations: Uint8Array
  /** Reductions whose results the operation itself reads, as a scalar. */
  readonly own: readonly bigint[]
  /** Reductions that a value of a layer or the model is made from. */
  readonly needs: (scalar: Node) => bigint
  /** The bit of each of `work.reductions`, then of each of `work.shares`. */
  readonly gathered: readonly bigint[]
  /** What completes a barrier: `made` are bits of `gathered`; `needed` those of other reductions; it gives `all`. */
  readonly barrier: readonly { readonly made: bigint; readonly needed: bigint; readonly all: bigint }[]
  /** With the value that each holds at the start of the step, and the index of what is stored there; −1 if there is none. */
  readonly buffers: readonly { readonly buffer: Buffer; readonly leaf: number; readonly store: number }[]
}

export function numberElements(program: Program, work: Work, ofModel: readonly ModelReduction[]): Elements {
  const bits = new Map<Node, bigint>()
  for (const { node } of [...work.reductions, ...work.shares]) bits.set(node, 1n << BigInt(bits.size))

  const known = new Map<Node, bigint>()
  const needs = (scalar: Node): bigint => {
    if (scalar.place === 'host') return 0n
    const own = bits.get(scalar)
    if (own !== undefined) return own
    const before = known.get(scalar)
    if (before !== undefined) return before
    const mask = scalar.args.reduce((all, arg) => all | needs(arg), 0n)
    known.set(scalar, mask)
    return mask
  }

  const nodes = nodesOf(work).filter(isElement)
  const index = new Map(nodes.map((node, i) => [node, i]))
  const args = nodes.map((node) => [...new Set(node.args.filter(isElement).map((arg) => index.get(arg)!))])
  const own = nodes.map((node) => node.args.reduce((all, arg) => (isElement(arg) ? all : all | needs(arg)), 0n))
  const buffers = buffersOf(program).map((buffer) => ({
    buffer,
    leaf: nodes.findIndex((node) => startsIn(node, buffer)),
    store: work.stores.findIndex((s) => sameBuffer(s.to, buffer))
  }))

  const barrierOf = new Map<Node, number>(ofModel.map((r) => [r.node, r.barrier]))
  const barrier = Array.from({ length: 1 + Math.max(-1, ...barrierOf.values()) }, (_, b) => {
    const at = (entry: { readonly node: Node }): boolean => barrierOf.get(entry.node) === b
    const sum = (masks: readonly bigint[]): bigint => masks.reduce((x, y) => x | y, 0n)
    const made = sum(work.reductions.filter(at).map((r) => bits.get(r.node)!))
    const shares = work.shares.filter(at)
    return {
      made,
      needed: sum(shares.map((s) => needs(s.value))),
      all: made | sum(shares.map((s) => bits.get(s.node)!))
    }
  })
  return {
    work,
    nodes,
    index,
    args,
    cutter: createCutter(args),
    operations: Uint8Array.from(nodes, (node) => (node.args.length > 0 ? 1 : 0)),
    own,
    needs,
    gathered: [...work.reductions, ...work.shares].map((r) => bits.get(r.node)!),
    barrier,
    buffers
  }
}

/** In the order of `Pass.loads`. */
function buffersOf(program: Program): Buffer[] {
  const slots = program.slots.filter((s) => s.over === 'element').map((s): Buffer => ({ kind: 'slot', name: s.name }))
  return [{ kind: 'weight' }, { kind: 'gradient' }, ...slots]
}

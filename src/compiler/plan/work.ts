/** What a layer's passes have to do in one variant, whatever the passes may be. */
import type { Varying } from '../check/axes.js'
import type { Node, Program } from '../check/program.js'
import { isElement, isOfModel, isSearched, isVectorLevel, reach } from './order.js'
import type { Buffer, ReduceNode, Reduction, Store } from './plan.js'
import type { Rewriter } from './rewrite.js'

export interface Work {
  readonly stores: readonly Store[]
  /** State over rows, columns and channels. */
  readonly vectorState: readonly VectorState[]
  /** Of elements: over the layer, its rows or columns, and what the layer adds to those over the model. */
  readonly reductions: readonly Reduction[]
  /** What the layer adds to reductions over the model without a pass. */
  readonly shares: readonly { readonly node: ReduceNode; readonly value: Node }[]
  readonly layerState: readonly { readonly slot: string; readonly value: Node }[]
  readonly observations: readonly { readonly name: string; readonly value: Node }[]
}

/** A slot over rows or columns, and what it holds after the step. */
export interface VectorState {
  readonly slot: string
  readonly over: Varying
  readonly value: Node
}

/** The work under some host conditions, and what each value of the program is there. */
export interface Specialised {
  readonly work: Work
  readonly special: ReadonlyMap<Node, Node>
}

/** The tensors of one value a weight that a step may change, with what they become. */
function written(program: Program): Store[] {
  const slots = program.slots
    .filter((s) => s.over === 'element')
    .map((s): Store => ({ to: { kind: 'slot', name: s.name }, value: s.next }))
  return [{ to: { kind: 'weight' }, value: program.weight }, ...slots]
}

/** Whether a value is what a buffer holds at the start of the step. */
export function startsIn(value: Node, buffer: Buffer): boolean {
  return buffer.kind === 'slot' ? value.op === 'slot' && value.name === buffer.name : value.op === buffer.kind
}

/** The values at the end of the step that the layer's device has to make, before host conditions are decided. */
export function rootsOfLayer(program: Program): Node[] {
  return [
    ...written(program).map((s) => s.value),
    ...vectorState(program).map((s) => s.value),
    ...deviceState(program, 'layer').map((s) => s.value),
    ...deviceObservations(program).map((o) => o.value)
  ]
}

export function deviceState(program: Program, over: 'layer' | 'model'): { slot: string; value: Node }[] {
  return program.slots
    .filter((s) => s.over === over && s.place === 'device')
    .map((s) => ({ slot: s.name, value: s.next }))
}

/** Slots over rows and columns that a step may change. */
function vectorState({ slots }: Program): VectorState[] {
  return slots.flatMap(({ name: slot, over, next: value }) => (isVectorLevel(over) ? [{ slot, over, value }] : []))
}

function deviceObservations(program: Program): { name: string; value: Node }[] {
  return program.observations.filter((o) => o.value.place === 'device')
}

export function makeWork(
  program: Program,
  rewriter: Rewriter,
  ofModel: readonly ReduceNode[],
  decided: ReadonlyMap<Node, boolean>
): Specialised {
  const operands = ofModel.map((node) => node.args[0]!)
  const special = rewriter.specialise([...rootsOfLayer(program), ...operands], decided)
  const seen = <T extends { readonly value: Node }>(entry: T): T => ({ ...entry, value: special.get(entry.value)! })

  const stores = written(program)
    .map(seen)
    .filter((s) => !startsIn(s.value, s.to))
  const vectors = vectorState(program)
    .map(seen)
    .filter((s) => !startsIn(s.value, { kind: 'slot', name: s.slot }))
  const layerState = deviceState(program, 'layer').map(seen)
  const observations = deviceObservations(program).map(seen)
  const reductions: Reduction[] = []
  const shares: { node: ReduceNode; value: Node }[] = []
  for (const node of ofModel) {
    const was = node.args[0]!
    const value = special.get(was)!
    if (isElement(value)) reductions.push({ node, value })
    else shares.push({ node, value: rewriter.share(node.op, was.level, value) })
  }
  const roots = [...stores, ...vectors, ...layerState, ...observations, ...reductions, ...shares].map(
    (entry) => entry.value
  )
  for (const node of reach(roots, (n) => n.place === 'device' && !isOfModel(n))) {
    if (isSearched(node) && node.over !== 'model') reductions.push({ node, value: node.args[0]! })
  }
  return { work: { stores, vectorState: vectors, reductions, shares, layerState, observations }, special }
}

/** The values that a layer's device has to make. */
export function rootsOfWork({ stores, vectorState, reductions, shares, layerState, observations }: Work): Node[] {
  const entries = [...stores, ...vectorState, ...reductions, ...shares, ...layerState, ...observations]
  return entries.map((entry) => entry.value)
}

/** All that they are made of, operands first: into the operands of the layer's reductions, not into the model's. */
export function nodesOf(work: Work): Node[] {
  return reach(rootsOfWork(work), (n) => n.place === 'device' && !isOfModel(n))
}

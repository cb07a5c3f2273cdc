/**
 * Where a step's device scalars stand on the GPU: side by side in one buffer, `cells`.
 *
 * First a record of the model: state as the step finds it, then totals of reductions and cells in the order in which they
 * are made, then what else is kept after the step. Then a table with what each layer adds to each reduction over the model,
 * a row a reduction. Then a record for each layer, made up as the model's is. Then what layers have of each row, column and
 * channel: state, and what passes keep. Last, partial results of one pass at a time.
 */
import type { Node } from '../check/program.js'
import type { Pass, Plan, Variant } from '../plan/plan.js'

export interface CellRecord {
  /** Device state, by name. */
  readonly slots: readonly string[]
  /** How many numbers it has. */
  readonly size: number
  /** Whether a node is state of this record, as the step finds it. */
  isSlot(node: Node): boolean
  /** Where a value stands once the step has ended. */
  placeOf(node: Node): number
  /** The same as text to assign to. */
  textOf(node: Node): string
  /** How state, totals and cells are read during the step; null for other values. */
  read(node: Node): string | null
}

export function recordOfModel(plan: Plan): CellRecord {
  const made = plan.barriers.flatMap((b) => [...b.reductions, ...b.finish.map((i) => plan.modelCells[i]!.node)])
  return recordOf(plan, 'model', '', made, plan.modelState)
}

export function recordOfLayer(plan: Plan, variant: Variant): CellRecord {
  const made = variant.passes.flatMap((pass) => [...totalsOf(pass), ...cellsOf(variant, pass)])
  return recordOf(plan, 'layer', 'layer.at + ', made, [...variant.layerState, ...variant.observations])
}

/** The reductions over the layer that a pass gathers. */
export function totalsOf(pass: Pass): Node[] {
  return pass.reductions.map((r) => r.node as Node).filter(isOverLayer)
}

/** The cells that are computed after a pass. */
export function cellsOf(variant: Variant, pass: Pass): Node[] {
  return pass.finish.map((i) => variant.cells[i]!.node)
}

export function isOverLayer(node: Node): boolean {
  return 'over' in node && node.over === 'layer'
}

function recordOf(
  plan: Plan,
  over: 'layer' | 'model',
  base: string,
  made: readonly Node[],
  kept: readonly { readonly value: Node }[]
): CellRecord {
  const slots = plan.program.slots.filter((s) => s.over === over && s.place === 'device').map((s) => s.name)
  const isSlot = (node: Node): boolean => node.op === 'slot' && slots.includes(node.name)
  const own = [...made, ...kept.map((k) => k.value)].filter((node) => !isSlot(node))
  const places = new Map([...new Set(own)].map((node, i) => [node, slots.length + i]))
  const placeOf = (node: Node): number =>
    node.op === 'slot' && isSlot(node) ? slots.indexOf(node.name) : places.get(node)!
  const textOf = (node: Node): string => `cells[${base}${placeOf(node)}u]`
  const readable = new Set(made)
  return {
    slots,
    size: slots.length + places.size,
    isSlot,
    placeOf,
    textOf,
    read: (node) => (isSlot(node) || readable.has(node) ? textOf(node) : null)
  }
}

/**
 * Where a step's device scalars stand on the GPU: side by side in one buffer, `cells`.
 *
 * First a record of the model: state as the step finds it, then totals of reductions and cells in the order in which they
 * are made, then what else is kept after the step. Then a table with what each layer adds to each reduction over the model,
 * a row a reduction. Then a record for each layer, made up as the model's is. Last, partial sums of one pass at a time.
 */
import type { Node } from '../check/program.js'
import type { Plan, Variant } from '../plan/plan.js'

export interface CellRecord {
  /** Device state, by name. */
  readonly slots: readonly string[]
  /** How many numbers it has. */
  readonly size: number
  /** Whether a node is state of this record, as the step finds it. */
  isSlot(node: Node): boolean
  /** A value's place in it; null if it has none. */
  placeOf(node: Node): number | null
  /** A value as text to read or assign to; null if it has no place. */
  textOf(node: Node): string | null
}

export function recordOfModel(plan: Plan): CellRecord {
  const made = plan.barriers.flatMap((b) => [...b.reductions, ...b.finish.map((i) => plan.modelCells[i]!.node)])
  return recordOf(plan, 'model', '', [...made, ...plan.modelState.map((s) => s.value)])
}

export function recordOfLayer(plan: Plan, variant: Variant): CellRecord {
  const made = variant.passes.flatMap((pass) => [
    ...pass.reductions.map((r) => r.node).filter(isOverLayer),
    ...pass.finish.map((i) => variant.cells[i]!.node)
  ])
  return recordOf(plan, 'layer', 'layer.at + ', [
    ...made,
    ...[...variant.layerState, ...variant.observations].map((k) => k.value)
  ])
}

export function isOverLayer(node: Node): boolean {
  return 'over' in node && node.over === 'layer'
}

function recordOf(plan: Plan, over: 'layer' | 'model', base: string, values: readonly Node[]): CellRecord {
  const slots = plan.program.slots.filter((s) => s.over === over && s.place === 'device').map((s) => s.name)
  const places = new Map<Node, number>()
  const isSlot = (node: Node): boolean => node.op === 'slot' && slots.includes(node.name)
  for (const node of values) {
    if (!isSlot(node) && !places.has(node)) places.set(node, slots.length + places.size)
  }
  const placeOf = (node: Node): number | null =>
    node.op === 'slot' && isSlot(node) ? slots.indexOf(node.name) : (places.get(node) ?? null)
  return {
    slots,
    size: slots.length + places.size,
    isSlot,
    placeOf,
    textOf(node) {
      const place = placeOf(node)
      return place === null ? null : `cells[${base}${place}u]`
    }
  }
}

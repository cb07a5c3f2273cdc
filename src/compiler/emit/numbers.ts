/**
 * Where the passes of cpu and wasm find what is the same for all elements of a layer: `c`, float64 numbers side by side. First the
 * host scalars, then the model's (state as the step finds it, totals, cells), then the layer's own, made up as the model's.
 */
import type { Node } from '../check/program.js'
import { REDUCTIONS } from '../plan/arithmetic.js'
import { isReduction, isVector, scalarsIn } from '../plan/order.js'
import type { Pass, Plan, ReduceNode, Variant } from '../plan/plan.js'
import { speller } from '../plan/spell.js'

export interface Numbers {
  /** Where a value is read; null for one that is not there. */
  indexOf(node: Node): number | null
  /** Where it is gathered: for a reduction over the model, a layer has a place of its own. */
  totalOf(node: ReduceNode): number
  /** What to call it. */
  nameOf(node: Node): string
  /** What the host made it of, in the language's notation; null for what the device made, and for what is a name. */
  formulaOf(node: Node): string | null
  /** What stands there before the first pass, as far as the compiler knows. */
  readonly start: readonly number[]
  /** Where the state of the layer (or of the model) begins. */
  readonly state: number
}

/** The host scalars and the model's. */
export function numbersOfModel(plan: Plan): Numbers {
  const made = plan.barriers.flatMap((b) => [...b.reductions, ...b.finish.map((i) => plan.modelCells[i]!.node)])
  return numbers(plan, null, 'model', made)
}

/** All that a layer's kernels read. */
export function numbersOfLayer(plan: Plan, variant: Variant): Numbers {
  const model = numbersOfModel(plan)
  const made = variant.passes.flatMap((pass) => [
    ...unmade(pass, variant, model),
    ...pass.reductions.map((r) => r.node).filter((node) => !isVector(node)),
    ...pass.finish.map((i) => variant.cells[i]!.node)
  ])
  return numbers(plan, model, 'layer', made)
}

/** Device scalars that a pass reads though nothing has made them: computed just before it. */
export function unmade(pass: Pass, variant: Variant, model: Numbers): Node[] {
  const cells = new Set(variant.cells.map((cell) => cell.node))
  return scalarsIn(pass).filter(
    (node) => model.indexOf(node) === null && !cells.has(node) && !isReduction(node) && node.op !== 'slot'
  )
}

function numbers(plan: Plan, below: Numbers | null, over: 'layer' | 'model', made: readonly Node[]): Numbers {
  const spell = speller(plan.program, () => null)
  const start: number[] = [...(below?.start ?? plan.scalars.map(() => 0))]
  const places = new Map<Node, number>(below ? [] : plan.scalars.map(({ node }, i) => [node, i]))
  const state = start.length
  const slots = plan.program.slots.filter((s) => s.over === over && s.place === 'device').map((s) => s.name)
  start.push(...slots.map(() => 0))
  for (const node of made) {
    if (places.has(node) || node.op === 'slot') continue
    places.set(node, start.length)
    start.push(isReduction(node) ? REDUCTIONS[node.op].start : 0)
  }
  const given = new Map(
    [...plan.scalars, ...plan.modelCells, ...plan.variants.flatMap((v) => v.cells)].map((s) => [s.node, s.name])
  )
  return {
    start,
    state,
    indexOf(node) {
      const slot = node.op === 'slot' ? slots.indexOf(node.name) : -1
      return slot >= 0 ? state + slot : (below?.indexOf(node) ?? places.get(node) ?? null)
    },
    totalOf: (node) => places.get(node)!,
    nameOf: (node) => given.get(node) ?? ('name' in node ? node.name : node.op),
    formulaOf: (node) => (node.place === 'host' && node.args.length > 0 ? spell(node) : null)
  }
}

/**
 * Where a step's device scalars stand in WebGL: in a record of four numbers a texel, a row for each layer of a variant.
 *
 * A texture can't be read while it is written, so a record is made in *stages*, each from the one before: what is there from
 * the start (where the layer's partial sums stand, host scalars, state as the step finds it), then what each reducing pass
 * (or barrier) completes, then what is kept after the step. Each stage begins a texel.
 */
import type { Node } from '../check/program.js'
import type { Plan } from '../plan/plan.js'

export interface Stage {
  /** Its first texel, and how many there are. */
  readonly at: number
  readonly texels: number
  readonly nodes: readonly Node[]
}

export interface TexelRecord {
  /** How many texels it has. */
  readonly texels: number
  /** The texel at which state begins. */
  readonly state: number
  readonly slots: readonly string[]
  readonly stages: readonly Stage[]
  /** Where a value stands once the step has ended, in numbers. */
  placeOf(node: Node): number
  /** What stands in the record before a stage, as text; null for other values. `name` is the function that reads a texel. */
  read(node: Node, stage: number, name: string): string | null
  /** What the layer has of a reduction over the model. */
  partOf(node: Node): string | null
}

/**
 * The record of a layer, or of the model, that is made in these stages. What a layer's passes make of a reduction over the
 * model is its part of it; the whole stands in the model's record, and at last, if it is kept, in the layer's.
 */
export function recordOf(plan: Plan, over: 'layer' | 'model', stages: readonly (readonly Node[])[]): TexelRecord {
  const slots = plan.program.slots.filter((s) => s.over === over && s.place === 'device').map((s) => s.name)
  // The first texel says where partial sums stand.
  const state = 1 + texelsOf(plan.scalars.length)
  const places = new Map<Node, number>()
  const parts = new Map<Node, number>()
  const stageOf = new Map<Node, number>()
  let at = state + texelsOf(slots.length)
  const laid = stages.map((all, stage): Stage => {
    const isPart = (node: Node): boolean =>
      over === 'layer' && stage < stages.length - 1 && 'over' in node && node.over === 'model'
    const known = (node: Node): boolean => (isPart(node) ? parts : places).has(node)
    const nodes = [...new Set(all)].filter((node) => slotOf(node) < 0 && !known(node))
    for (const [i, node] of nodes.entries()) {
      if (isPart(node)) parts.set(node, 4 * at + i)
      else {
        places.set(node, 4 * at + i)
        stageOf.set(node, stage)
      }
    }
    const first = at
    at += texelsOf(nodes.length)
    return { at: first, texels: at - first, nodes }
  })
  function slotOf(node: Node): number {
    return node.op === 'slot' ? slots.indexOf(node.name) : -1
  }
  const placeOf = (node: Node): number => (slotOf(node) >= 0 ? 4 * state + slotOf(node) : places.get(node)!)
  return {
    texels: at,
    state,
    slots,
    stages: laid,
    placeOf,
    read(node, stage, name) {
      const scalar = plan.scalars.findIndex((s) => s.node === node)
      if (scalar >= 0) return numberAt(4 + scalar, name)
      const made = stageOf.get(node)
      return slotOf(node) >= 0 || (made !== undefined && made < stage) ? numberAt(placeOf(node), name) : null
    },
    partOf: (node) => (parts.has(node) ? numberAt(parts.get(node)!, 'cell') : null)
  }
}

function numberAt(place: number, name: string): string {
  return `${name}(${place >> 2}).${'xyzw'[place & 3]}`
}

function texelsOf(numbers: number): number {
  return Math.ceil(numbers / 4)
}

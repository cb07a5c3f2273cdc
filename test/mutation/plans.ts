/** Plans with one mistake in them: a pass that reads, stores, gathers or keeps something else, or stands elsewhere. */
import type { Buffer, Pass, Plan, Variant } from '../../src/compiler/plan/plan.js'

export interface PlanMutation {
  readonly kind: string
  readonly label: string
  readonly plan: Plan
}

const show = (b: Buffer): string => (b.kind === 'slot' ? b.name : b.kind === 'scratch' ? `#${b.index}` : b.kind)
const without = <T>(list: readonly T[], i: number): T[] => list.filter((_, k) => k !== i)
const replaced = <T>(list: readonly T[], i: number, item: T): T[] => list.map((x, k) => (k === i ? item : x))

export function planMutationsOf(plan: Plan): PlanMutation[] {
  const found: PlanMutation[] = []
  const add = (kind: string, label: string, change: Partial<Plan>): void =>
    void found.push({ kind, label, plan: { ...plan, ...change } })
  for (const [v, variant] of [...new Set(plan.variants)].entries()) {
    for (const { kind, label, changed } of variantMutations(variant)) {
      add(kind, `variant ${v}, ${label}`, { variants: plan.variants.map((x) => (x === variant ? changed : x)) })
    }
  }
  for (let c = 0; c < plan.conditions.length; c++) {
    const variants = plan.variants.map((_, i) => plan.variants[i ^ (1 << c)]!)
    add('a variant for the opposite condition', `condition ${c}`, { variants })
    add('a condition is not looked at', `condition ${c}`, {
      variants: plan.variants.map((_, i) => plan.variants[i & ~(1 << c)]!)
    })
  }
  for (const [i, { slot }] of plan.hostState.entries())
    add('state of the host is not kept', slot, { hostState: without(plan.hostState, i) })
  return found
}

interface Changed {
  readonly kind: string
  readonly label: string
  readonly changed: Variant
}

function variantMutations(variant: Variant): Changed[] {
  const found: Changed[] = []
  const add = (kind: string, label: string, change: Partial<Variant>): void =>
    void found.push({ kind, label, changed: { ...variant, ...change } })
  for (const [p, pass] of variant.passes.entries()) {
    const put = (kind: string, label: string, change: Partial<Pass>): void =>
      add(kind, `pass ${p}, ${label}`, { passes: replaced(variant.passes, p, { ...pass, ...change }) })
    for (const [i, read] of pass.reads.entries()) {
      for (const from of pass.loads) {
        if (show(from) !== show(read.from))
          put('a pass reads another tensor', `${show(read.from)} → ${show(from)}`, {
            reads: replaced(pass.reads, i, { ...read, from })
          })
      }
    }
    for (const [i, store] of pass.stores.entries()) {
      put('a store is left out', show(store.to), { stores: without(pass.stores, i) })
      for (const [j, other] of pass.stores.entries()) {
        if (i < j)
          put('stores exchanged', `${show(store.to)} and ${show(other.to)}`, {
            stores: replaced(replaced(pass.stores, i, { ...store, to: other.to }), j, { ...other, to: store.to })
          })
      }
    }
    for (const [i, reduction] of pass.reductions.entries()) {
      const others = [...pass.stores.map((s) => s.value), ...pass.reductions.map((r) => r.value)]
      for (const value of new Set(others)) {
        if (value !== reduction.value)
          put('a pass gathers something else', `${reduction.node.op}#${reduction.node.id} of #${value.id}`, {
            reductions: replaced(pass.reductions, i, { ...reduction, value })
          })
      }
    }
    if (variant.passes.length > 1) add('a pass is left out', `pass ${p}`, { passes: without(variant.passes, p) })
  }
  for (const [i, cell] of variant.cells.entries()) {
    for (const [j, other] of variant.cells.entries()) {
      if (i !== j)
        add('a cell holds another', `${cell.name} → ${other.name}`, {
          cells: replaced(variant.cells, i, { ...cell, node: other.node })
        })
    }
  }
  for (const [i, { slot }] of variant.layerState.entries())
    add('state of the layer is not kept', slot, { layerState: without(variant.layerState, i) })
  return found
}

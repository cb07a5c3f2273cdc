/** Holds a Plan to the rules of docs/architecture.md; gives what it breaks. */
import type { Node, Slot } from '../../../../src/compiler/check/program.js'
import type { Buffer, Pass, Plan, Variant } from '../../../../src/compiler/plan/plan.js'

const isElement = (n: Node): boolean => n.level === 'element'
const isVector = (n: Node): boolean => n.level === 'row' || n.level === 'col' || n.level === 'channel'
const text = (b: Buffer): string => (b.kind === 'slot' ? b.name : 'index' in b ? `${b.kind}${b.index}` : b.kind)

export function verify(plan: Plan): string[] {
  const problems: string[] = []
  const claim = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem)
  }
  claim(plan.variants.length === 2 ** plan.conditions.length, 'a variant for each assignment')
  for (const c of plan.conditions) claim(c.kind === 'bool' && c.place === 'host', 'conditions are host bools')
  const scalars = new Set(plan.scalars.map((s) => s.node))
  claim(scalars.size === plan.scalars.length, 'each scalar once')
  claim(new Set(plan.scalars.map((s) => s.name)).size === plan.scalars.length, 'scalars have names of their own')
  const slots = plan.program.slots.filter(({ over }) => over !== 'layer' && over !== 'model')
  const barrierOf = new Map<Node, number>()
  plan.barriers.forEach((b, i) => {
    for (const r of b.reductions) barrierOf.set(r, i)
    for (const c of b.finish) barrierOf.set(plan.modelCells[c]!.node, i)
  })
  claim(plan.barriers.flatMap((b) => b.finish).length === plan.modelCells.length, 'each model cell is finished once')
  for (const variant of new Set(plan.variants))
    problems.push(...verifyVariant(plan, variant, slots, scalars, barrierOf))
  return problems
}

function verifyVariant(
  plan: Plan,
  variant: Variant,
  slots: readonly Slot[],
  scalars: ReadonlySet<Node>,
  barrierOf: ReadonlyMap<Node, number>
): string[] {
  const problems: string[] = []
  const claim = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem)
  }
  const { abilities } = plan
  const order = ['weight', 'gradient', ...slots.map((s) => s.name)]
  const rank = (b: Buffer): number => {
    if (b.kind === 'vector') return 1e6 + b.index
    return b.kind === 'scratch' ? order.length + b.index : order.indexOf(text(b))
  }
  const levelOf = (b: Buffer): string => {
    if (b.kind === 'vector') return variant.vectors[b.index]!.node.level
    return b.kind === 'slot' ? slots.find((s) => s.name === b.name)!.over : 'element'
  }
  const holds = new Map<string, Node>()
  const cells = new Set<Node>()
  const totals = new Set<Node>()
  const gathered = new Map<Node, number>()
  let segment = 0
  let moved = 0

  /** Whether a scalar can be made of what is there, with or without the totals that passes gathered. */
  const scalarThere = (n: Node, now: number, withTotals: boolean): boolean => {
    if (n.op === 'const') return true
    if (n.place === 'host') return scalars.has(n)
    if (cells.has(n) || (withTotals && totals.has(n))) return true
    const barrier = barrierOf.get(n)
    const cell = plan.modelCells.some((c) => c.node === n)
    if (barrier !== undefined && cell) return barrier < now
    if ('over' in n || isElement(n) || isVector(n)) return false
    return n.op === 'slot' || n.args.every((a) => scalarThere(a, now, withTotals))
  }

  for (const [p, pass] of variant.passes.entries()) {
    const at = `pass ${p}`
    claim(pass.segment >= segment && pass.segment <= plan.barriers.length, `${at}: segments go forward`)
    segment = pass.segment
    claim(
      pass.loads.every((b, i) => i === 0 || rank(pass.loads[i - 1]!) < rank(b)),
      `${at}: loads in order`
    )
    const read = new Map(pass.reads.map((r) => [r.node, r.from]))
    claim(read.size === pass.reads.length, `${at}: each node is read once`)
    claim(
      pass.loads.every((b) => pass.reads.some((r) => text(r.from) === text(b))) &&
        pass.reads.every((r) => pass.loads.some((b) => text(r.from) === text(b))),
      `${at}: loads are what is read`
    )
    for (const { node, from } of pass.reads)
      claim(contentOf(from, node, holds), `${at}: ${text(from)} holds what is read`)
    const ready = (n: Node): boolean =>
      isElement(n) || isVector(n)
        ? read.has(n) || (n.level === pass.domain && n.args.length > 0 && !('over' in n) && n.args.every(ready))
        : scalarThere(n, pass.segment, false)
    for (const { value } of [...pass.stores, ...pass.reductions])
      claim(ready(value), `${at}: node ${value.id} is computable`)
    verifyLimits(pass, abilities, (problem) => claim(false, `${at}: ${problem}`))
    const touched = [...pass.loads, ...pass.stores.map((s) => s.to)]
    moved += touched.filter((b) => levelOf(b) === 'element').length
    for (const { to } of pass.stores) claim(levelOf(to) === pass.domain, `${at}: stores what it sweeps over`)
    for (const { to, value } of pass.stores) {
      claim(to.kind !== 'gradient', `${at}: the gradient is never written`)
      claim(!holds.has(text(to)), `${at}: ${text(to)} is written once`)
      holds.set(text(to), value)
    }
    for (const { node, value } of pass.reductions) {
      claim(value.level === pass.domain, `${at}: operands are of what it sweeps over`)
      claim(!gathered.has(node), `${at}: a reduction is gathered once`)
      gathered.set(node, pass.segment)
      const vector = variant.vectors.findIndex((v) => v.node === node)
      claim(vector >= 0 === isVector(node), `${at}: what is gathered for each row or column is kept`)
      if (vector >= 0) holds.set(`vector${vector}`, node)
      if (node.over === 'layer') totals.add(node)
    }
    for (const i of pass.finish) {
      const { node } = variant.cells[i]!
      claim(scalarThere(node, pass.segment, true), `${at}: cell ${i} can be finished`)
      cells.add(node)
    }
  }
  claim(cells.size === variant.cells.length, 'each cell is finished once')
  plan.barriers.forEach((barrier, b) => {
    for (const r of barrier.reductions) {
      const share = variant.shares.find((s) => s.node === r)
      claim((share !== undefined) !== gathered.has(r), 'each reduction over the model is gathered or shared')
      if (gathered.has(r)) claim(gathered.get(r)! <= b, 'gathered before its barrier')
    }
  })
  for (const { value } of [...variant.layerState, ...variant.observations]) {
    claim(scalarThere(value, plan.barriers.length + 1, true), 'state and observations are there in the end')
  }
  claim(variant.bytesPerWeight === 4 * moved, 'bytes are those of the passes')
  claim(variant.bytesPerWeight >= variant.bytesCompulsory, 'nothing beats the compulsory traffic')
  return problems
}

/** Rule 5: the value of the start until its store, then the stored one. */
function contentOf(from: Buffer, node: Node, holds: ReadonlyMap<string, Node>): boolean {
  const stored = holds.get(text(from))
  if (stored) return stored === node
  if (from.kind === 'slot') return node.op === 'slot' && node.name === from.name
  return node.op === from.kind
}

function verifyLimits(pass: Pass, abilities: Plan['abilities'], broken: (problem: string) => void): void {
  const loads = pass.loads.map(text)
  const stores = pass.stores.map((s) => text(s.to))
  const touched = abilities.inPlace ? new Set([...loads, ...stores]).size : loads.length + stores.length
  if (touched > abilities.maxBuffers) broken('touches too many tensors')
  if (pass.reductions.length > abilities.maxReductions) broken('reduces to too many numbers')
  if (stores.length > abilities.maxOutputs) broken('stores too many tensors')
  if (!abilities.reducesInPass && stores.length > 0 && pass.reductions.length > 0) broken('reduces where it stores')
}

/**
 * The least cost of a program's passes, by trying everything: written from the rules in docs/architecture.md, and sharing
 * nothing with the planner. For one variant (no host conditions), and small graphs.
 *
 * A cost is [tensors moved, scratch values, passes].
 */
import type { Node, Program } from '../../../../src/compiler/check/program.js'

export interface Least {
  readonly moved: number
  readonly scratch: number
  readonly passes: number
}

interface Leaf {
  readonly buffer: string
  readonly node: Node
}

/** `apart`: a pass either reduces or stores. */
export function leastByTryingAll(program: Program, mostScratch: number, apart = false): Least | null {
  const slots = program.slots.filter((s) => s.over === 'element')
  const targets = [
    { buffer: 'w', node: program.weight, leaf: (n: Node) => n.op === 'weight' },
    ...slots.map((s) => ({ buffer: s.name, node: s.next, leaf: (n: Node) => n.op === 'slot' && n.name === s.name }))
  ]
  const stores = targets.filter((t) => !t.leaf(t.node))
  const roots = [
    ...targets.map((t) => t.node),
    ...program.slots.map((s) => s.next),
    ...program.observations.map((o) => o.value)
  ]
  const all = closure(roots)
  const reductions = all.filter((n) => 'over' in n && isElement(n.args[0]!))
  const elements = all.filter(isElement)
  const leaves: Leaf[] = elements.filter((n) => n.args.length === 0).map((node) => ({ node, buffer: bufferOf(node) }))
  // A reduction of one value a layer is there as soon as what it is made of is.
  const scalarReady = (n: Node, made: ReadonlySet<Node>): boolean =>
    n.place === 'host' || (reductions.includes(n) ? made.has(n) : n.args.every((a) => scalarReady(a, made)))

  const known = new Map<string, number | null>()
  const remember = (key: string, compute: () => number | null): number | null => {
    if (!known.has(key)) known.set(key, compute())
    return known.get(key)!
  }

  let best: Least | null = null
  const better = (a: Least): boolean =>
    best === null ||
    a.moved < best.moved ||
    (a.moved === best.moved && (a.scratch < best.scratch || (a.scratch === best.scratch && a.passes < best.passes)))
  const work = [...stores.map((s) => s.node), ...reductions.map((r) => r.args[0]!)]
  if (work.length === 0) return { moved: 0, scratch: 0, passes: 0 }

  const mostPasses = apart ? 2 * reductions.length + 1 : reductions.length + 1
  for (let passes = 1; passes <= mostPasses; passes++) {
    const scratchable = elements.flatMap((node) => range(passes - 1).map((at) => ({ node, at })))
    for (const P of tuples(reductions.length, passes)) {
      for (const q of tuples(stores.length, passes)) {
        for (const scratch of sets(scratchable, mostScratch)) {
          const storing = [...q, ...scratch.map((x) => x.at)]
          if (new Set([...P, ...storing]).size < passes) continue
          if (apart && P.some((p) => storing.includes(p))) continue
          const least = passes + stores.length + 2 * scratch.length
          if (best !== null && least > (best as Least).moved) continue
          const moved = cost(passes, P, q, scratch)
          if (moved !== null && better({ moved, scratch: scratch.length, passes })) {
            best = { moved, scratch: scratch.length, passes }
          }
        }
      }
    }
  }
  return best

  function cost(
    passes: number,
    P: number[],
    q: number[],
    scratch: readonly { node: Node; at: number }[]
  ): number | null {
    let moved = stores.length + scratch.length
    for (let p = 0; p < passes; p++) {
      const made = new Set(reductions.filter((_, i) => P[i]! < p))
      const there = new Map<Node, string>()
      const put = (node: Node, buffer: string): void => void (there.has(node) || there.set(node, buffer))
      for (const { node, buffer } of leaves) {
        const i = stores.findIndex((s) => s.buffer === buffer)
        if (i < 0 || p <= q[i]!) put(node, buffer)
      }
      for (const [i, s] of stores.entries()) if (p > q[i]!) put(s.node, s.buffer)
      for (const [i, x] of scratch.entries()) if (x.at < p) put(x.node, `scratch${i}`)
      const wanted = [
        ...stores.filter((_, i) => q[i] === p).map((s) => s.node),
        ...reductions.filter((_, i) => P[i] === p).map((r) => r.args[0]!),
        ...scratch.filter((x) => x.at === p).map((x) => x.node)
      ]
      const idsOf = (nodes: Iterable<Node>): string => [...nodes].map((n) => n.id).join()
      const key = [wanted, there.keys(), made].map(idsOf).join('|')
      const loads = remember(key, () =>
        fewestLoads(
          wanted,
          there,
          (n) => n.args.every((a) => isElement(a) || scalarReady(a, made)),
          (n) => scalarReady(n, made)
        )
      )
      if (loads === null) return null
      moved += loads
      if (best !== null && moved > best.moved) return null
    }
    return moved
  }
}

/** The smallest set of readable values from which all wanted ones can be computed. */
function fewestLoads(
  wanted: readonly Node[],
  there: ReadonlyMap<Node, string>,
  ready: (n: Node) => boolean,
  scalarReady: (n: Node) => boolean
): number | null {
  const candidates = [...there.keys()].filter((n) => isElement(n) && wanted.some((x) => closure([x]).includes(n)))
  for (let size = 0; size <= candidates.length; size++) {
    for (const read of sets(candidates, size, size)) {
      const computable = (n: Node): boolean =>
        isElement(n)
          ? read.includes(n) || (n.args.length > 0 && ready(n) && n.args.filter(isElement).every(computable))
          : scalarReady(n)
      if (wanted.every(computable)) return size
    }
  }
  return null
}

const isElement = (n: Node): boolean => n.level === 'element'

function bufferOf(node: Node): string {
  return node.op === 'weight' ? 'w' : node.op === 'gradient' ? 'g' : (node as Node & { name: string }).name
}

const closures = new WeakMap<Node, Node[]>()
/** The nodes that a value is made of, through everything. */
function closure(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>()
  const visit = (n: Node): void => {
    if (seen.has(n)) return
    const known = closures.get(n)
    if (known) for (const k of known) seen.add(k)
    seen.add(n)
    if (!known) for (const a of n.args) visit(a)
  }
  for (const r of roots) visit(r)
  const result = [...seen]
  if (roots.length === 1) closures.set(roots[0]!, result)
  return result
}

const range = (n: number): number[] => Array.from({ length: Math.max(0, n) }, (_, i) => i)

/** All tuples of `length` numbers below `n`. */
function* tuples(length: number, n: number): Generator<number[]> {
  for (let i = 0; i < n ** length; i++) yield range(length).map((d) => Math.floor(i / n ** d) % n)
}

/** All sets of at most `most` (and at least `least`) items. */
function* sets<T>(
  items: readonly T[],
  most: number,
  least = 0,
  from = 0,
  chosen: readonly T[] = []
): Generator<readonly T[]> {
  if (chosen.length >= least) yield chosen
  if (chosen.length === most) return
  for (let i = from; i < items.length; i++) yield* sets(items, most, least, i + 1, [...chosen, items[i]!])
}

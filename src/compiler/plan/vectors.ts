/**
 * Passes over rows and columns, put between the passes over elements that the search has found. What has one value a row or
 * a column costs next to nothing beside what has one a weight, so nothing is searched here: each value that a pass over
 * elements takes, and each reduction of such values, is made as soon as what it is made of is there.
 */
import type { Varying, Vector } from '../check/axes.js'
import type { Node, Program } from '../check/program.js'
import type { ModelReduction } from './barriers.js'
import { computedIn, isElement, isReduction, isSearched, isVector, reach, rootsOf, sameBuffer } from './order.js'
import type { Buffer, Pass, ReduceNode } from './plan.js'
import { rootsOfWork, startsIn, type Work } from './work.js'

export interface Planned {
  readonly passes: readonly Pass[]
  /** What stands in the vectors that passes keep for later ones. */
  readonly vectors: readonly Node[]
}

const DOMAINS: readonly Vector[] = ['row', 'channel', 'col']

/** A pass before it is known where its values stand. */
interface Sketch {
  readonly pass: Pass
  /** Values of a row or a column that it reads. */
  readonly reads: readonly Node[]
  /** Those that it keeps. */
  readonly keeps: readonly Node[]
}

export function addVectorPasses(
  program: Program,
  work: Work,
  passes: readonly Pass[],
  ofModel: readonly ModelReduction[]
): Planned {
  const sketches = order(work, passes, ofModel)
  const homes = findHomes(work, sketches)
  const vectors = [...new Set(sketches.flatMap((s) => [...s.keeps, ...vectorsOf(s.pass)]))].filter(
    (node) => !homes.has(node)
  )
  const bufferOf = (node: Node): Buffer =>
    homes.get(node) ?? (node.op === 'slot' ? slotBuffer(node.name) : { kind: 'vector', index: vectors.indexOf(node) })
  const last = 1 + Math.max(-1, ...ofModel.map((r) => r.barrier))
  const all = [...sketches, ...commits(work, homes, new Set(vectors), last)]
  const finished = all.map(({ pass, reads, keeps }): Pass => {
    const more = reads.map((node) => ({ node, from: bufferOf(node) }))
    const all = [...pass.reads, ...more]
    return {
      ...pass,
      loads: inOrder(program, [...pass.loads, ...more.map((r) => r.from)]),
      reads: all,
      stores: [...pass.stores, ...keeps.map((value) => ({ to: bufferOf(value), value }))]
    }
  })
  return { passes: finished, vectors }
}

const slotBuffer = (name: string): Buffer => ({ kind: 'slot', name })

/** What a pass gathers for each row or column. */
function vectorsOf(pass: Pass): Node[] {
  return pass.reductions.map((r) => r.node).filter(isVector)
}

/** All passes, each as early as it can be. */
function order(work: Work, passes: readonly Pass[], ofModel: readonly ModelReduction[]): Sketch[] {
  const inVectors = reach(rootsOfWork(work), (n) => n.place === 'device')
    .filter(isVector)
    .flatMap(lowerOperands)
  const wanted = [...passes.flatMap(vectorOperands), ...work.vectorState.map((s) => s.value), ...inVectors].filter(
    isComputed
  )
  const reductions = reach(rootsOfWork(work), (n) => n.place === 'device').filter(
    (node): node is ReduceNode => isReduction(node) && node.over !== 'model' && !isSearched(node)
  )
  const barrierOf = new Map<Node, number>(ofModel.map((r) => [r.node, r.barrier]))
  const made = new Set<Node>()
  const sketches: Sketch[] = []
  let segment = 0

  /** Whether a pass over `domain` can compute it. */
  const isThere = (node: Node, domain: Varying): boolean => {
    if (node.place === 'host' || made.has(node)) return true
    const barrier = barrierOf.get(node)
    if (barrier !== undefined) return barrier < segment
    if (isElement(node) || isReduction(node)) return false
    return isVector(node) && node.level !== domain ? node.op === 'slot' : node.args.every((arg) => isThere(arg, domain))
  }
  /** One pass over a domain, if there is something to do; whether there was. */
  const sweep = (domain: Varying): boolean => {
    const keeps = [...new Set(wanted)].filter((n) => n.level === domain && !made.has(n) && isThere(n, domain))
    const gathered = reductions.filter(
      (r) => r.args[0]!.level === domain && !made.has(r) && isThere(r.args[0]!, domain)
    )
    if (keeps.length + gathered.length === 0) return false
    const operands = gathered.map((r) => r.args[0]!)
    const inside = (n: Node): boolean => n.level === domain && !made.has(n)
    const reads = reach([...keeps, ...operands], inside).filter((n) => isVector(n) && isKnown(n, made))
    const found = gathered.map((node) => ({ node, value: node.args[0]! }))
    sketches.push({ pass: { ...emptyPass(domain, segment), reductions: found }, reads, keeps })
    for (const node of [...keeps, ...gathered]) made.add(node)
    return true
  }
  const sweepAll = (): void => {
    while (DOMAINS.map(sweep).includes(true));
  }

  sweepAll()
  for (const pass of passes) {
    for (; segment < pass.segment; sweepAll()) segment++
    sketches.push({ pass, reads: [...new Set(vectorOperands(pass))], keeps: [] })
    for (const { node } of pass.reductions) if (node.over !== 'model') made.add(node)
    sweepAll()
  }
  for (; segment <= Math.max(-1, ...barrierOf.values()); sweepAll()) segment++
  if ([...wanted, ...reductions].some((node) => !made.has(node))) throw new Error('rows and columns need one another')
  return sketches
}

function emptyPass(domain: Varying, segment: number): Pass {
  return { domain, segment, loads: [], reads: [], stores: [], reductions: [], finish: [] }
}

/** In memory: state, and what was gathered or kept. */
function isKnown(node: Node, made: ReadonlySet<Node>): boolean {
  return node.op === 'slot' || made.has(node)
}

/** A value that a pass over rows, columns or channels computes. */
function isComputed(node: Node): boolean {
  return isVector(node) && node.args.length > 0 && !isReduction(node)
}

/** Of a value of a column, what it takes of a channel: a level with some of its axes. */
function lowerOperands(node: Node): Node[] {
  return isReduction(node) ? [] : node.args.filter((arg) => isVector(arg) && arg.level !== node.level)
}

/** What a pass over elements takes of a row, a column or a channel. */
function vectorOperands(pass: Pass): Node[] {
  return [...rootsOf(pass), ...computedIn(pass).flatMap((node) => node.args)].filter(isVector)
}

/** Values that go straight to their slots, since nothing reads afterwards what these held. */
function findHomes(work: Work, sketches: readonly Sketch[]): ReadonlyMap<Node, Buffer> {
  const homes = new Map<Node, Buffer>()
  for (const { slot, over, value } of work.vectorState) {
    const at = sketches.findIndex((s) => s.keeps.includes(value))
    const readsOld = (node: Node): boolean => startsIn(node, slotBuffer(slot))
    const later = [...sketches.slice(at + 1).flatMap((s) => s.reads), ...work.vectorState.map((s) => s.value)]
    if (at >= 0 && value.level === over && !later.some(readsOld) && !homes.has(value))
      homes.set(value, slotBuffer(slot))
  }
  return homes
}

/** Last, the slots that hold something else yet. */
function commits(
  work: Work,
  homes: ReadonlyMap<Node, Buffer>,
  kept: ReadonlySet<Node>,
  segment: number
): readonly Sketch[] {
  const left = work.vectorState.filter(({ slot, value }) => {
    const home = homes.get(value)
    return !home || !sameBuffer(home, slotBuffer(slot))
  })
  const isRead = (node: Node): boolean => isVector(node) && (node.op === 'slot' || kept.has(node) || homes.has(node))
  return DOMAINS.flatMap((domain) => {
    const own = left.filter(({ over }) => over === domain)
    if (own.length === 0) return []
    const stores = own.map(({ slot, value }) => ({ to: slotBuffer(slot), value }))
    const reads = [...new Set(own.map((s) => s.value))].filter(isRead)
    return [{ pass: { ...emptyPass(domain, segment), stores }, reads, keeps: [] }]
  })
}

function inOrder(program: Program, buffers: readonly Buffer[]): Buffer[] {
  const slots = program.slots.map((s) => s.name)
  const rank = (b: Buffer): number => {
    if (b.kind === 'slot') return 2 + slots.indexOf(b.name)
    if (b.kind === 'scratch') return 2 + slots.length + b.index
    return b.kind === 'vector' ? 1e6 + b.index : Number(b.kind === 'gradient')
  }
  const once = buffers.filter((b, i) => buffers.findIndex((other) => sameBuffer(b, other)) === i)
  return once.sort((a, b) => rank(a) - rank(b))
}

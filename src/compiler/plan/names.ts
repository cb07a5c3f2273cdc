/** What to call the host scalars and cells of a Plan: as the author does, where that is possible. */
import type { Node, Program } from '../check/program.js'
import type { Span } from '../syntax/ast.js'
import { reach } from './order.js'
import type { Buffer } from './plan.js'
import { nodesOf, type Specialised } from './work.js'

/** Gives each node asked for a name of its own. */
export function namer(program: Program): (node: Node) => string {
  const given = new Map<Node, string>()
  for (const { name, node } of program.names) if (!given.has(node)) given.set(node, name)
  const taken = new Map<string, number>()
  const names = new Map<Node, string>()
  return (node) => {
    const before = names.get(node)
    if (before) return before
    const base = describe(node, program, given)
    const times = (taken.get(base) ?? 0) + 1
    taken.set(base, times)
    const name = times === 1 ? base : `${base}_${times}`
    names.set(node, name)
    return name
  }
}

const MOST_PARTS = 3

/** The author's name, or those of the first few values that it is made of. */
function describe(node: Node, program: Program, given: ReadonlyMap<Node, string>): string {
  const nameOf = (n: Node): string | null => given.get(n) ?? leafName(n, program)
  const [one, x] = node.args
  if (node.op === 'sub' && one?.op === 'const' && one.value === 1) return `oneMinus_${describe(x!, program, given)}`
  const parts = reach([node], (n) => nameOf(n) === null).map((n) => nameOf(n))
  const known = [...new Set(parts.filter((name) => name !== null))]
  return known.length === 0 ? node.op : known.slice(0, MOST_PARTS).join('_')
}

/** What the author calls a leaf; null for a constant and for what is no leaf. */
export function leafName(node: Node, { hypers, symbols }: Program): string | null {
  switch (node.op) {
    case 'hyper':
      return hypers.find((h) => h.name === node.name)?.symbol ?? node.name
    case 'step':
      return symbols.step
    case 'weight':
      return symbols.weight
    case 'gradient':
      return symbols.gradient
    case 'fact':
    case 'mask':
    case 'slot':
      return node.name
    default:
      return null
  }
}

/** What a pass loads or stores, as the author calls it. */
export function bufferName({ symbols }: Program, buffer: Buffer): string {
  if (buffer.kind === 'slot') return buffer.name
  return buffer.kind === 'scratch' ? `scratch${buffer.index}` : symbols[buffer.kind]
}

/** The author's text, in one line. */
export function formulaOf({ source }: Program, { start, end }: Span): string {
  return source.slice(start, end).replace(/\s+/g, ' ').trim()
}

/**
 * The author's names also for what became of values under host conditions. Each value has one name; one that is part of
 * another's formula in a different variant has none.
 */
export function withNames(program: Program, variants: readonly Specialised[]): Program {
  const names = new Map(program.names.map((n) => [n.node, n]))
  const nodes = variants.map((v) => new Set(nodesOf(v.work)))
  const namedIn = variants.map(({ special }) => new Map(program.names.map((n) => [special.get(n.node), n.name])))
  for (const { special } of variants) {
    for (const n of program.names) {
      const node = special.get(n.node)
      const isClear = (_: unknown, v: number): boolean => !nodes[v]!.has(node!) || namedIn[v]!.get(node) === n.name
      if (node && !names.has(node) && variants.every(isClear)) names.set(node, { ...n, node })
    }
  }
  return { ...program, names: [...names.values()].filter(({ node }) => node.args.length > 0) }
}

/** What to call the host scalars and cells of a Plan: as the author does, where that is possible. */
import type { Node, Program } from '../check/program.js'
import type { Span } from '../syntax/ast.js'
import { isReduction, reach } from './order.js'
import type { Buffer } from './plan.js'
import { nodesOf, type Specialised } from './work.js'

/** Gives each node asked for a name of its own: none that the author gave to another. */
export function namer(program: Program): (node: Node) => string {
  const given = new Map(program.names.map((n) => [n.node, n.name]))
  const own = (node: Node): string | null => given.get(node) ?? leafName(node, program)
  const { names: values, slots, symbols } = program
  const reserved = new Set([...[...values, ...slots].map((n) => n.name), ...Object.values(symbols)])
  const taken = new Set<string>()
  const names = new Map<Node, string>()
  return (node) => {
    const before = names.get(node)
    if (before) return before
    const base = own(node) ?? describe(node, own)
    const isFree = (name: string): boolean => !taken.has(name) && (own(node) !== null || !reserved.has(name))
    let name = base
    for (let n = 2; !isFree(name); n++) name = `${base}_${n}`
    taken.add(name)
    names.set(node, name)
    return name
  }
}

const MOST_PARTS = 3

/** By what is done, where that is short to say; else by the first few values that it is made of. */
function describe(node: Node, own: (node: Node) => string | null): string {
  const name = own(node) ?? describeShort(node, own)
  if (name !== null) return name
  const isPart = (n: Node): boolean => n !== node && (own(n) ?? describeShort(n, own)) !== null
  const parts = reach([node], (n) => !isPart(n)).filter(isPart)
  const known = [...new Set(parts.map((n) => describe(n, own)))]
  return known.length === 0 ? node.op : known.slice(0, MOST_PARTS).join('_')
}

function describeShort(node: Node, own: (node: Node) => string | null): string | null {
  const [x, y] = node.args as [Node, Node]
  if (isReduction(node)) return `${node.op}_${describe(x, own)}`
  const isShort = (n: Node): boolean => own(n) !== null || (n.op === 'mul' && n.args.every(isShort))
  if (node.op === 'sub' && x.op === 'const' && x.value === 1 && isShort(y)) return `oneMinus_${describe(y, own)}`
  const isNorm =
    node.op === 'sqrt' && x.op === 'sum' && x.args[0]!.op === 'mul' && x.args[0]!.args[0] === x.args[0]!.args[1]
  return isNorm ? `norm_${describe(x.args[0]!.args[0]!, own)}` : null
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
    case 'key':
      return `key${node.word}`
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
  return 'index' in buffer ? `${buffer.kind}${buffer.index}` : symbols[buffer.kind]
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

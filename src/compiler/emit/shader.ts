/** What the emitters of both shader languages share: where kernels find scalars, and what of a pass stands before its loop. */
import type { Node } from '../check/program.js'
import { isVarying } from '../plan/order.js'
import type { Buffer, Pass, Plan } from '../plan/plan.js'
import { speller } from '../plan/spell.js'
import { authorNames, layOut, type Notation } from './body.js'

/** Where the kernels of one module find what they do not compute. */
export interface Scalars {
  /** A constant, host scalar, cell or state of layer or model as text; null for what has to be computed. */
  readonly read: (node: Node) => string | null
  /** What to call it, and what the host made it of, in the author's notation; null where there is no more to say. */
  readonly nameOf: (node: Node) => string
  readonly formulaOf: (node: Node) => string | null
  readonly named: NonNullable<Notation['named']>
}

/** Scalars whose places `textOf` knows; numbers all of them, as a buffer holds them. */
export function scalarsFrom(plan: Plan, textOf: (node: Node) => string | null): Scalars {
  const named = authorNames(plan.program)
  const given = new Map(
    [...plan.scalars, ...plan.modelCells, ...plan.variants.flatMap((v) => v.cells)].map((s) => [s.node, s.name])
  )
  const spell = speller(plan.program, () => null)
  return {
    named,
    nameOf: (node) => named(node)?.name ?? given.get(node) ?? ('name' in node ? node.name : node.op),
    formulaOf: (node) => (node.place === 'host' && node.args.length > 0 ? spell(node) : null),
    read(node) {
      if (node.op === 'const') return literal(node.value)
      const text = textOf(node)
      return text !== null && node.kind === 'bool' ? `${text} != 0.0` : text
    }
  }
}

/** How a language writes a pass. `wide` says whether a value is one of an entry that it sweeps over, of type `T`. */
export interface PassNotation {
  readonly scalars: Scalars
  /** What to call what is loaded of a buffer, and the text that loads it. Buffers hold 1 for true, 0 for false. */
  readonly element: (buffer: Buffer) => string
  readonly load: (buffer: Buffer, node: Node) => string
  /** Whether one load serves all entries of the loop; none does unless said otherwise. */
  readonly isStill?: (buffer: Buffer) => boolean
  readonly apply: (node: Node, args: readonly string[], wide: (node: Node) => boolean) => string
  readonly bind: (name: string, value: string, node: Node, wide: boolean) => string
  readonly fresh: (name: string) => string
}

export interface PassBody {
  /** What is the same for all entries: read or computed once, before the loop. */
  readonly head: readonly string[]
  readonly loads: readonly string[]
  readonly lines: readonly string[]
  /** What is stored, then what is reduced. */
  readonly results: readonly string[]
  readonly wide: (node: Node) => boolean
}

export function layOutPass(pass: Pass, { scalars, fresh, ...notation }: PassNotation): PassBody {
  const head: string[] = []
  const loads: string[] = []
  const sources = new Map(pass.reads.map(({ node, from }) => [node, from]))
  const wide = (node: Node): boolean => sources.has(node) || isVarying(node)

  const names = new Map<Node, string>()
  const load = (node: Node, from: Buffer): string => {
    const name = fresh(notation.element(from))
    const lines = notation.isStill?.(from) ? head : loads
    lines.push(notation.bind(name, notation.load(from, node), node, true))
    return name
  }
  const hoist = (node: Node): string => {
    const { lines, results } = layOut([node], {
      read: (n) => names.get(n) ?? scalars.read(n),
      apply: (n, args) => notation.apply(n, args, () => false),
      named: scalars.named,
      fresh,
      bind: (name, value, n) => notation.bind(name, value, n, false)
    })
    head.push(...lines)
    if (/^\w+$/.test(results[0]!)) return results[0]!
    const name = fresh(scalars.nameOf(node))
    const formula = scalars.formulaOf(node)
    head.push(`${notation.bind(name, results[0]!, node, false)}${formula ? ` // ${formula}` : ''}`)
    return name
  }
  const read = (node: Node): string | null => {
    if (node.op === 'const') return literal(node.value)
    const from = sources.get(node)
    if (!names.has(node) && (from || !isVarying(node))) names.set(node, from ? load(node, from) : hoist(node))
    return names.get(node) ?? null
  }
  const { lines, results } = layOut([...pass.stores.map((s) => s.value), ...pass.reductions.map((r) => r.value)], {
    read,
    apply: (node, args) => notation.apply(node, args, wide),
    named: scalars.named,
    fresh,
    bind: (name, value, node) => notation.bind(name, value, node, wide(node))
  })
  return { head, loads, lines, results, wide }
}

/** A float32 that a shader takes: within its range, and never an integer literal. */
export function literal(value: number | boolean): string {
  if (typeof value === 'boolean') return String(value)
  const most = 3.4028234663852886e38
  const text = String(Math.max(-most, Math.min(most, Math.fround(value))))
  return /[.e]/.test(text) ? text : `${text}.0`
}

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

/** Text as a template literal. Comments hold the author's text: to a shader, some control characters end a line. */
export function template(language: string, lines: readonly string[]): string {
  const text = lines.join('\n').replace(/[^\P{Cc}\n]|[\u2028\u2029]/gu, ' ')
  return `/* ${language} */ \`\n${text.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\n\``
}

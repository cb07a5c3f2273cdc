/**
 * Lays a graph of values out as the body of a function: a line for each value that is used twice or that the author
 * named, the rest nested in the expressions that use it.
 */
import type { Node, Program } from '../check/program.js'

export interface Notation {
  /** How a value that is not computed here is read, or null for one that is. */
  readonly read: (node: Node) => string | null
  /** The operation on printed operands. `once`: one operation reads the value, and it is no root. */
  readonly apply: (node: Node, args: readonly string[], once: boolean) => string
  /** The operands, where they are not the node's own. */
  readonly args?: (node: Node) => readonly Node[]
  /** The author's name, and the formula to print beside it. */
  readonly named?: (node: Node) => { readonly name: string; readonly formula: string } | null
  /** A name that nothing else in the function has. */
  readonly fresh: (name: string) => string
  /** The line that gives a value its name; JavaScript's unless said otherwise. */
  readonly bind?: (name: string, value: string, node: Node) => string
}

export interface Body {
  /** In an order in which each reads only what stands before it. */
  readonly lines: readonly string[]
  /** The roots, in terms of the lines. */
  readonly results: readonly string[]
}

export function layOut(roots: readonly Node[], notation: Notation): Body {
  const { read, apply, named, fresh } = notation
  const argsOf = notation.args ?? ((node: Node) => node.args)
  const bind = notation.bind ?? ((name: string, value: string) => `const ${name} = ${value}`)

  const uses = new Map<Node, number>()
  const readers = new Map<Node, number>()
  const computed: Node[] = []
  const visit = (node: Node): void => {
    if (read(node) !== null) return
    const before = uses.get(node) ?? 0
    uses.set(node, before + 1)
    if (before > 0) return
    for (const arg of argsOf(node)) visit(arg)
    for (const arg of new Set(argsOf(node))) readers.set(arg, (readers.get(arg) ?? 0) + 1)
    computed.push(node)
  }
  for (const root of roots) visit(root)

  const lines: string[] = []
  const texts = new Map<Node, string>()
  const text = (node: Node): string => read(node) ?? texts.get(node)!
  for (const node of computed) {
    const value = apply(node, argsOf(node).map(text), readers.get(node) === 1 && !roots.includes(node))
    const author = named?.(node)
    if (!author && uses.get(node) === 1) {
      texts.set(node, value)
      continue
    }
    const name = fresh(author?.name ?? 'x')
    lines.push(`${bind(name, value, node)}${author?.formula ? ` // ${author.formula}` : ''}`)
    texts.set(node, name)
  }
  return { lines, results: roots.map(text) }
}

/** The names that the author gave to values, each with its formula as it stands in the source. */
export function authorNames(program: Program): NonNullable<Notation['named']> {
  const names = new Map(
    program.names.map(({ name, node, span }) => [
      node,
      { name, formula: oneLine(program.source.slice(span.start, span.end)) }
    ])
  )
  return (node) => names.get(node) ?? null
}

/** Text of a source in a comment to the end of the line, which every kind of line end would close. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

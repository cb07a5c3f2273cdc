/**
 * Passes and cells as JavaScript, in float64: a pass is one loop over arrays of float32, which round what is stored. What
 * is the same for all elements is read before the loop.
 */
import type { Node, Program } from '../check/program.js'
import { bufferName } from '../plan/names.js'
import { isElement } from '../plan/order.js'
import type { Buffer, Pass } from '../plan/plan.js'
import { authorNames, layOut } from './body.js'
import { bufferIndex, buffersOf, readName } from './buffers.js'
import { apply } from './float64.js'
import { freshNames } from './names.js'
import type { Numbers } from './numbers.js'
import { arrow, block, literal } from './text.js'

/** A function `(n, b, c)`: the number of elements, the buffers, and what is the same for all elements. */
export function printPass(program: Program, pass: Pass, numbers: Numbers): string {
  const fresh = freshNames(['n', 'b', 'c', 'i', 'Math'])
  const head: string[] = []
  const arrays = new Map(
    buffersOf(program, pass).map((buffer) => {
      const name = fresh(`${bufferName(program, buffer)}s`)
      head.push(`const ${name} = b[${bufferIndex(program, buffer)}]!`)
      return [bufferIndex(program, buffer), name]
    })
  )
  const arrayOf = (buffer: Buffer): string => arrays.get(bufferIndex(program, buffer))!
  const loads: string[] = []
  const known = new Map<Node, string>()
  for (const { node, from } of pass.reads) {
    const name = fresh(readName(program, pass, from))
    loads.push(`const ${name} = ${arrayOf(from)}[i]!`)
    known.set(node, name)
  }
  const totals = pass.reductions.map(({ node }) => fresh(node.op))

  const { lines, results } = layOut([...pass.stores.map((s) => s.value), ...pass.reductions.map((r) => r.value)], {
    read: (node) => known.get(node) ?? readNumber(node, numbers, known, head, fresh),
    apply,
    named: authorNames(program),
    fresh
  })
  const stores = pass.stores.map(({ to }, i) => `${arrayOf(to)}[i] = ${results[i]}`)
  const gathers = pass.reductions.map(({ node }, i) => {
    const [total, value] = [totals[i]!, results[pass.stores.length + i]!]
    return node.op === 'sum' ? `${total} += ${value}` : `${total} = Math.${node.op}(${total}, ${value})`
  })
  const places = pass.reductions.map(({ node }) => numbers.totalOf(node))
  return arrow(
    ['n', 'b', 'c'],
    [
      ...head,
      ...totals.map((total, i) => `let ${total} = c[${places[i]}]!`),
      `for (let i = 0; i < n; i++) ${block([...loads, ...lines, ...stores, ...gathers], null)}`,
      ...totals.map((total, i) => `c[${places[i]}] = ${total}`)
    ],
    null
  )
}

/** A function `(c)` that computes values from those that stand in `c`, and leaves them there, or gives them back. */
export function printNumbers(program: Program, roots: readonly Node[], numbers: Numbers, leave: boolean): string {
  const fresh = freshNames(['c', 'Math'])
  const head: string[] = []
  const known = new Map<Node, string>()
  const leaving = new Set(leave ? roots : [])
  const { lines, results } = layOut(roots, {
    read: (node) => (leaving.has(node) ? null : readNumber(node, numbers, known, head, fresh)),
    apply,
    named: authorNames(program),
    fresh
  })
  const values = results.map((text, i) => (roots[i]!.kind === 'bool' ? `(${text}) ? 1 : 0` : text))
  if (!leave) return arrow(['c'], [...head, ...lines], `[${values.join(', ')}]`)
  const writes = roots.map((node, i) => `c[${numbers.indexOf(node)}] = ${values[i]}`)
  return arrow(['c'], [...head, ...lines, ...writes], null)
}

/** A constant, or a number out of `c`, read once; null for what is to be computed. */
function readNumber(
  node: Node,
  numbers: Numbers,
  known: Map<Node, string>,
  head: string[],
  fresh: (name: string) => string
): string | null {
  if (node.op === 'const') return literal(node.value)
  const before = known.get(node)
  if (before !== undefined || isElement(node)) return before ?? null
  const index = numbers.indexOf(node)
  if (index === null) return null
  const name = fresh(numbers.nameOf(node))
  const formula = numbers.formulaOf(node)
  head.push(`const ${name} = c[${index}]${node.kind === 'bool' ? ' !== 0' : '!'}${formula ? ` // ${formula}` : ''}`)
  known.set(node, name)
  return name
}

/**
 * Passes and cells as JavaScript, in float64: a pass is one loop over arrays of float32, which round what is stored. What
 * is the same for all elements is read before the loop.
 */
import { axesOf, type Varying } from '../check/axes.js'
import type { Node, Program } from '../check/program.js'
import { bufferName } from '../plan/names.js'
import { isVarying, isVector, levelOfBuffer } from '../plan/order.js'
import type { Buffer, Pass, ReduceNode, Variant } from '../plan/plan.js'
import { authorNames, layOut } from './body.js'
import { bufferIndex, isVectorBuffer, readName } from './buffers.js'
import { apply as arithmetic } from './float64.js'
import { freshNames } from './names.js'
import type { Numbers } from './numbers.js'
import { arrow, block, literal } from './text.js'

/** The runtime's random numbers: the one name that a kernel reads from around it. */
export const NOISE = 'cpuNoise'

/**
 * A function `(n, b, c, v, matrices)`: the number of entries that it sweeps over, the buffers, what is the same for all
 * entries, and, if there are rows, columns or channels, their vectors and what the layer is as matrices.
 */
export function printPass(program: Program, vectors: Variant['vectors'], pass: Pass, numbers: Numbers): string {
  const loops = loopsOf(program, vectors, pass)
  const fresh = freshNames(['n', 'b', 'c', 'i', 'Math', NOISE, ...loops.names])
  const head: string[] = []
  const arrays = new Map<string, string>()
  const arrayOf = (buffer: Buffer): string => {
    const isVector = isVectorBuffer(buffer)
    const place = isVector ? `v[${buffer.index}]!` : `b[${bufferIndex(program, buffer)}]!`
    const known = arrays.get(place)
    if (known) return known
    const name = fresh(`${isVector ? vectors[buffer.index]!.name : bufferName(program, buffer)}s`)
    head.push(`const ${name} = ${place}`)
    arrays.set(place, name)
    return name
  }
  for (const buffer of [...pass.loads, ...pass.stores.map((s) => s.to)]) arrayOf(buffer)
  const levelOf = (buffer: Buffer): Varying => levelOfBuffer(program, vectors, buffer)
  const known = new Map<Node, string>()
  const loads = pass.reads.map(({ node, from }) => {
    const name = fresh(isVectorBuffer(from) ? vectors[from.index]!.name : readName(program, pass, from))
    known.set(node, name)
    const asBool = node.kind === 'bool' ? ' !== 0' : ''
    return { level: levelOf(from), text: `const ${name} = ${arrayOf(from)}[${loops.index(levelOf(from))}]!${asBool}` }
  })
  const totals = pass.reductions.map(({ node }) => {
    const index = vectors.findIndex((vector) => vector.node === node)
    return { node, name: fresh(node.op), array: index < 0 ? null : arrayOf({ kind: 'vector', index }) }
  })
  const inPlace = ({ node, array }: Pick<(typeof totals)[number], 'node' | 'array'>): boolean =>
    array !== null && isInPlace(pass.domain, node.level as Varying)

  const { lines, results } = layOut([...pass.stores.map((s) => s.value), ...pass.reductions.map((r) => r.value)], {
    read: (node) => known.get(node) ?? readNumber(node, numbers, known, head, fresh),
    apply: (node, args) =>
      node.op === 'noise'
        ? `${NOISE}(${args.join(', ')}, ${loops.index('element')}, ${node.site})`
        : arithmetic(node, args),
    named: authorNames(program),
    fresh
  })
  const stores = pass.stores.map(({ to, value }, i) => {
    const text = value.kind === 'bool' ? `(${results[i]}) ? 1 : 0` : results[i]
    return `${arrayOf(to)}[${loops.index(levelOf(to))}] = ${text}`
  })
  const gathers = totals.map(({ node, name, array }, i) => {
    const value = results[pass.stores.length + i]!
    const place = inPlace({ node, array }) ? `${array}[${loops.index(node.level as Varying)}]` : name
    if (node.op !== 'sum') return `${place} = Math.${node.op}(${place}${place === name ? '' : '!'}, ${value})`
    const term = /^\w+$/.test(value) ? value : `(${value})`
    return place === name ? `${name} += ${value}` : `${place} = ${place}! + ${term}`
  })
  const ofLayer = totals.filter((t) => t.array === null)
  const loop = loops.print({
    outer: loads.filter((l) => l.level === 'row').map((l) => l.text),
    inner: loads.filter((l) => l.level !== 'row').map((l) => l.text),
    body: [...lines, ...stores, ...gathers],
    totals: totals.filter((t) => t.array !== null && !inPlace(t))
  })
  return arrow(
    ['n', 'b', 'c', ...loops.names.slice(0, 2)],
    [
      ...head,
      ...ofLayer.map(({ node, name }) => `let ${name} = c[${numbers.totalOf(node)}]!`),
      ...loop,
      ...ofLayer.map(({ node, name }) => `c[${numbers.totalOf(node)}] = ${name}`)
    ],
    null
  )
}

/** The lines of a pass by where they stand in its loops. */
interface Lines {
  /** What is read once a row, and what is read of each entry. */
  readonly outer: readonly string[]
  readonly inner: readonly string[]
  readonly body: readonly string[]
  /** What is gathered in a variable, and left in an array. */
  readonly totals: readonly { readonly node: ReduceNode; readonly name: string; readonly array: string | null }[]
}

interface Loops {
  /** Names that it reads, first the parameters. */
  readonly names: readonly string[]
  /** Where the entry of a level stands. */
  index(level: Varying): string
  print(lines: Lines): string[]
}

/**
 * Whether a loop gathers what has one value for each of `over` where it stands: it comes by several of them in turn. A loop
 * over elements goes along rows, so that these are gathered in a variable.
 */
function isInPlace(domain: Varying, over: Varying): boolean {
  return over !== 'row' && axesOf(over).every((axis) => axesOf(domain).includes(axis))
}

/** One loop over all entries, or loops over rows and what stands in them, or over matrices and their rows or columns. */
function loopsOf(program: Program, vectors: Variant['vectors'], { domain, loads, stores, reductions }: Pass): Loops {
  const buffers = [...loads, ...stores.map((s) => s.to)]
  const crosses =
    buffers.some((b) => levelOfBuffer(program, vectors, b) !== domain) || reductions.some((r) => isVector(r.node))
  if (!crosses) {
    const print = ({ outer, inner, body }: Lines): string[] => [
      `for (let i = 0; i < n; i++) ${block([...outer, ...inner, ...body], null)}`
    ]
    // What an author calls `v` is no parameter of a pass that has no vectors.
    return { names: domain === 'element' ? [] : ['v', 'matrices'], index: () => 'i', print }
  }
  const names = ['v', 'matrices', 'batch', 'colSize', 'rowSize', 'matrix', 'row', 'col', 'first', 'end']
  const open = 'const [batch, colSize, rowSize] = matrices'
  if (domain === 'element') {
    const print = ({ outer, inner, body, totals }: Lines): string[] => {
      const each = [
        'const first = Math.floor(row / colSize) * rowSize',
        'const end = first + rowSize',
        ...outer,
        ...totals.map(({ name, array }) => `let ${name} = ${array}[row]!`),
        `for (let col = first; col < end; col++, i++) ${block([...inner, ...body], null)}`,
        ...totals.map(({ name, array }) => `${array}[row] = ${name}`)
      ]
      return [open, `for (let row = 0, i = 0; row < batch * colSize; row++) ${block(each, null)}`]
    }
    const places: Readonly<Record<Varying, string>> = { element: 'i', row: 'row', col: 'col', channel: 'col - first' }
    return { names, index: (level) => places[level], print }
  }
  // What is gathered of a whole matrix, or of all of them, is the same for each of its entries.
  const [own, across] = domain === 'row' ? ['colSize', 'rowSize'] : ['rowSize', 'colSize']
  const print = ({ outer, inner, body, totals }: Lines): string[] => {
    const ofMatrix = totals.filter((t) => domain !== 'channel' && t.node.level !== 'channel')
    const ofAll = totals.filter((t) => !ofMatrix.includes(t))
    const place = `matrix * ${across}`
    const each = [
      'const first = i',
      ...ofMatrix.map(({ name, array }) => `let ${name} = ${array}[${place}]!`),
      `for (const end = first + ${own}; i < end; i++) ${block([...outer, ...inner, ...body], null)}`,
      ...ofMatrix.map(({ name, array }) => `${array}.fill(${name}, ${place}, ${place} + ${across})`)
    ]
    return [
      open,
      ...ofAll.map(({ name, array }) => `let ${name} = ${array}[0]!`),
      `for (let matrix = 0, i = 0; matrix < ${domain === 'channel' ? '1' : 'batch'}; matrix++) ${block(each, null)}`,
      ...ofAll.map(({ name, array }) => `${array}.fill(${name})`)
    ]
  }
  return { names, index: (level) => (level === domain ? 'i' : 'i - first'), print }
}

/** A function `(c)` that computes values from those that stand in `c`, and leaves them there, or gives them back. */
export function printNumbers(program: Program, roots: readonly Node[], numbers: Numbers, leave: boolean): string {
  const fresh = freshNames(['c', 'Math'])
  const head: string[] = []
  const known = new Map<Node, string>()
  const leaving = new Set(leave ? roots : [])
  const { lines, results } = layOut(roots, {
    read: (node) => (leaving.has(node) ? null : readNumber(node, numbers, known, head, fresh)),
    apply: arithmetic,
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
  if (before !== undefined || isVarying(node)) return before ?? null
  const index = numbers.indexOf(node)
  if (index === null) return null
  const name = fresh(numbers.nameOf(node))
  const formula = numbers.formulaOf(node)
  head.push(`const ${name} = c[${index}]${node.kind === 'bool' ? ' !== 0' : '!'}${formula ? ` // ${formula}` : ''}`)
  known.set(node, name)
  return name
}

/**
 * Passes that know of rows, columns or channels, in WGSL. What a pass sweeps over is a *view* of the layer: matrices of all
 * elements, or of a row's, a column's or a channel's values (`view` in the runtime says which shape that is). A view is cut
 * into *tiles*, so many rows by as many columns as `wide` says, at most 64. A workgroup takes a tile: an invocation keeps
 * to its column and goes down every (64 / wide)-th row, so that neighbours read what lies side by side.
 *
 * A tile leaves partial results, in `cells`: of its totals, of what it has of each row, and of each column or channel. What
 * all tiles have of one is brought together behind the pass, by one invocation for each row, column or channel. All orders
 * are fixed. Down a column an invocation adds blocks of 16 as in any pass, and the invocations of a column meet in a tree;
 * a row's 64 values or fewer are added by one invocation in blocks of 8; partial results in blocks of 16, and these in a tree.
 */
import type { Varying, Vector } from '../check/axes.js'
import type { Node, Reduce } from '../check/program.js'
import { isVector, levelOfBuffer, reductionsOf } from '../plan/order.js'
import type { Buffer, Pass, Plan, ReduceNode, Variant } from '../plan/plan.js'
import { isVectorBuffer, readName } from './buffers.js'
import { freshNames } from './names.js'
import { indent, layOutPass, type Scalars } from './shader.js'
import { bind, bindingsOf, expression, type Printed, printFunction, REDUCE, splat, WORKGROUP } from './wgsl.js'
import { reserved } from './wgsl-words.js'

/** What a workgroup's memory holds on any device, in floats. */
const MEMORY = 16384 / 4

/** Rows that a workgroup keeps before they are added: few, since its memory is cleared first, and code that clears much is dear to compile for software GPUs. */
const ROWS = 4

/** The layer's view of each level, in `Layer` of the runtime. */
const VIEW: Readonly<Record<Varying, string>> = {
  element: 'layer.elements',
  row: 'layer.eachRow',
  col: 'layer.eachCol',
  channel: 'layer.eachChannel'
}

/** How many lines of each level the layer has in `cells`: its state, in the order of its slots, and what passes keep. */
export function linesOf({ program }: Plan, { vectors }: Variant): Record<Vector, readonly string[]> {
  const all = [
    ...program.slots.map((s) => ({ level: s.over, key: `slot ${s.name}` })),
    ...vectors.map(({ node }, i) => ({ level: node.level, key: `vector ${i}` }))
  ]
  const of = (level: Vector): string[] => all.filter((line) => line.level === level).map((line) => line.key)
  return { row: of('row'), col: of('col'), channel: of('channel') }
}

/** What printing the passes of one variant needs. */
export interface Tiles {
  readonly plan: Plan
  readonly variant: Variant
  readonly scalars: Scalars
  /** The array of a buffer of elements. */
  readonly array: (buffer: Buffer) => string
}

/** How many arrays of 64 a pass needs, for all but rows; and how many for rows, of which each holds as many rows at once as there is room for. */
export function memoryOf({ passes }: Variant): { bins: number; sheets: number; height: number } {
  const rows = passes.map((p) => p.reductions.filter(isOfRow).length)
  const bins = Math.max(0, ...passes.map((p, i) => p.reductions.length - rows[i]!))
  const sheets = Math.max(0, ...rows)
  const room = Math.max(1, (MEMORY / WORKGROUP - bins) / Math.max(1, sheets))
  return { bins, sheets, height: Math.min(ROWS, 2 ** Math.floor(Math.log2(room))) }
}

/** What a pass sweeps over. */
export function viewOf({ domain }: Pass): string {
  return VIEW[domain]
}

/** Where the partial results of a pass's reduction begin: behind those of the reductions before it. */
export function partialsOf(pass: Pass, node: Node, view = 'view'): string {
  const before = pass.reductions.slice(
    0,
    pass.reductions.findIndex((r) => r.node === node)
  )
  const counts = new Map<string, number>()
  for (const { node } of before) {
    const size = `${PARTIALS[node.level as Vector] ?? 'tiles_of'}(${view})`
    counts.set(size, (counts.get(size) ?? 0) + 1)
  }
  return ['layer.partials', ...[...counts].map(([size, n]) => (n === 1 ? size : `${n}u * ${size}`))].join(' + ')
}

/** How many partial results a view leaves of what has one value a row, a column or a channel. */
const PARTIALS: Readonly<Record<Vector, string>> = { row: 'row_parts', col: 'col_parts', channel: 'col_parts' }

const isOfRow = ({ node }: { readonly node: Node }): boolean => node.level === 'row'

/** A pass over one tile. */
export function printTile(name: string, pass: Pass, { plan, variant, scalars, array }: Tiles): Printed {
  const { program } = plan
  const fresh = freshNames([...reserved(pass.reductions.length), ...WORDS])
  const level = (buffer: Buffer): Varying => levelOfBuffer(program, variant.vectors, buffer)
  const place = (buffer: Buffer): string => {
    const of = level(buffer)
    return of === 'element' ? `${array(buffer)}[i]` : `cells[${lineAt(plan, variant, buffer)} + ${INDEX[of]}]`
  }
  const touched = [...pass.loads, ...pass.stores.map((s) => s.to)].filter((b) => level(b) === 'element').map(array)
  for (const one of new Set(touched)) fresh(one)
  const { head, loads, lines, results, wide } = layOutPass(pass, {
    scalars,
    element: (b) => (isVectorBuffer(b) ? variant.vectors[b.index]!.name : readName(program, pass, b)),
    load: (from, node) => `${place(from)}${node.kind === 'bool' ? ' != 0.0' : ''}`,
    // An invocation keeps to its column.
    isStill: (from) => level(from) === 'col' || level(from) === 'channel',
    apply: expression,
    bind,
    fresh
  })
  const value = (node: Node, index: number): string => splat(node, results[index]!, wide)
  const stores = pass.stores.map((s, i) => {
    const stored = value(s.value, i)
    return `${place(s.to)} = ${s.value.kind === 'bool' ? `select(0.0, 1.0, ${stored})` : stored};`
  })
  const gathered = pass.reductions.map((r, i) => ({
    ...{ node: r.node, ...REDUCE[r.node.op] },
    value: value(r.value, pass.stores.length + i)
  }))
  const rows = gathered.filter(isOfRow)
  const others = gathered.filter((r) => !isOfRow(r))
  const { height } = memoryOf(variant)
  const slot = `${sheetRow(height)} * ${WORKGROUP}u + id`

  const each = [
    'let row = first + n * tile.step + down;',
    ...rows.map(({ start }, r) => `sheet${r}[${slot}] = ${start};`),
    'if (row < tile.bottom && col < view.rowSize) {',
    ...indent([
      'let i = row * view.rowSize + col;',
      ...loads,
      ...lines,
      ...stores,
      ...others.map(({ join, value }, r) => `block${r} = ${join(`block${r}`, value)};`),
      ...rows.map(({ value }, r) => `sheet${r}[${slot}] = ${value};`)
    ]),
    '}',
    ...(rows.length > 0
      ? [
          `if (${sheetRow(height)} == ${height - 1}u || first + (n + 1u) * tile.step >= tile.bottom) {`,
          ...indent(printAcross(pass, rows, height)),
          '}'
        ]
      : [])
  ]
  const loop = [
    ...others.map(({ start }, r) => `var all${r} = ${start};`),
    'for (var first = tile.top; first < tile.bottom; first += 16u * tile.step) {',
    ...indent([
      ...others.map(({ start }, r) => `var block${r} = ${start};`),
      'for (var n = 0u; n < 16u && first + n * tile.step < tile.bottom; n++) {',
      ...indent(each),
      '}',
      ...others.map(({ join }, r) => `all${r} = ${join(`all${r}`, `block${r}`)};`)
    ]),
    '}',
    ...printMeeting(pass, others)
  ]
  const text = [
    `let view = ${VIEW[pass.domain]};`,
    'let tile = tile_of(view, number);',
    'let col = tile.stripe * view.wide + id % view.wide;',
    'let down = id / view.wide;',
    ...head,
    ...loop
  ]
  const binds = bindingsOf(text)
  for (const one of touched) if (loop.some((line) => line.includes(`${one}[i]`))) binds.add(one)
  return { text: printFunction(`${name}(id: u32, number: u32)`, text), binds }
}

/** Which row of a sheet an invocation is at. */
function sheetRow(height: number): string {
  return `n % ${height}u`
}

/** Names that only passes over tiles have. */
const WORDS = 'number tile tile_of view down row col k m e'.split(' ')

/** Where a tile's entry of a level stands among the level's. */
const INDEX: Readonly<Record<Vector, string>> = { row: 'row', col: 'tile.matrix * view.rowSize + col', channel: 'col' }

/** Where the values of a row, a column or a channel begin that a buffer holds. */
function lineAt(plan: Plan, variant: Variant, buffer: Buffer): string {
  const key = buffer.kind === 'slot' ? `slot ${buffer.name}` : `vector ${'index' in buffer ? buffer.index : ''}`
  const level = levelOfBuffer(plan.program, variant.vectors, buffer) as Vector
  const n = linesOf(plan, variant)[level].indexOf(key)
  const view = VIEW[level]
  return n === 0 ? `${view}.at` : `${view}.at + ${n === 1 ? '' : `${n}u * `}${view}.size`
}

interface Gathered {
  readonly node: ReduceNode
  readonly start: string
  readonly join: (a: string, b: string) => string
}

/** What the tile has of some rows, each added by one invocation: from another column each, which no two find in one bank. */
function printAcross(pass: Pass, rows: readonly Gathered[], height: number): string[] {
  const from = `first + (n - ${sheetRow(height)}) * tile.step`
  return [
    'workgroupBarrier();',
    `for (var k = id; k < (${sheetRow(height)} + 1u) * tile.step && ${from} + k < tile.bottom; k += ${WORKGROUP}u) {`,
    ...indent([
      ...rows.map(({ start }, r) => `var across${r} = ${start};`),
      'for (var m = 0u; m < view.wide;) {',
      ...indent([
        ...rows.map(({ start }, r) => `var eight${r} = ${start};`),
        'for (var e = 0u; e < 8u && m < view.wide; e++) {',
        ...indent([
          ...rows.map(
            ({ join }, r) => `eight${r} = ${join(`eight${r}`, `sheet${r}[k * view.wide + (m + k) % view.wide]`)};`
          ),
          'm++;'
        ]),
        '}',
        ...rows.map(({ join }, r) => `across${r} = ${join(`across${r}`, `eight${r}`)};`)
      ]),
      '}',
      ...rows.map(({ node }, r) => {
        const at = `${partialsOf(pass, node)} + tile.stripe * (view.size / view.rowSize)`
        return `cells[${at} + ${from} + k] = across${r};`
      })
    ]),
    '}',
    'workgroupBarrier();'
  ]
}

/** What the tile has of its columns, and in all: a tree, which for a column ends where its invocations have met. */
function printMeeting(pass: Pass, others: readonly Gathered[]): string[] {
  if (others.length === 0) return []
  const named = others.map((r, index) => ({ ...r, bin: `bin${index}` }))
  const halve = (some: typeof named, condition: string): string[] =>
    some.length === 0
      ? []
      : [
          `if (${condition}) {`,
          ...indent(some.map(({ bin, join }) => `${bin}[id] = ${join(`${bin}[id]`, `${bin}[id + half]`)};`)),
          '}'
        ]
  const leave = (some: typeof named, condition: string, entry: (node: Node) => string): string[] =>
    some.length === 0
      ? []
      : [
          `if (${condition}) {`,
          ...indent(some.map(({ node, bin }) => `cells[${partialsOf(pass, node)} + ${entry(node)}] = ${bin}[id];`)),
          '}'
        ]
  const totals = named.filter((r) => !isVector(r.node))
  const columns = named.filter((r) => isVector(r.node))
  return [
    ...named.map(({ bin }, index) => `${bin}[id] = all${index};`),
    `for (var half = ${WORKGROUP / 2}u; half > 0u; half >>= 1u) {`,
    ...indent([
      'workgroupBarrier();',
      ...halve(totals, 'id < half'),
      ...halve(columns, 'id < half && half >= view.wide')
    ]),
    '}',
    ...leave(totals, 'id == 0u', () => 'number'),
    ...leave(columns, 'id < view.wide && col < view.rowSize', (node) =>
      node.level === 'col'
        ? 'tile.block % view.blocks * (view.size / view.colSize) + tile.matrix * view.rowSize + col'
        : 'tile.block * view.rowSize + col'
    ),
    'workgroupBarrier();'
  ]
}

/** Brings together what all tiles have of each row, column or channel. */
export function printLines(name: string, pass: Pass, { plan, variant }: Omit<Tiles, 'scalars' | 'array'>): string {
  const { vectors } = reductionsOf(pass)
  const levels = [...new Set(vectors.map((r) => r.node.level as Vector))]
  const loops = levels.flatMap((level) => [
    `for (var i = first; i < ${VIEW[level]}.size; i += step) {`,
    ...indent(
      vectors
        .filter((r) => r.node.level === level)
        .map(({ node }) => {
          const index = variant.vectors.findIndex((v) => v.node === node)
          const to = lineAt(plan, variant, { kind: 'vector', index })
          return `cells[${to} + i] = ${joinText(node.op, `${partialsOf(pass, node)} + ${entryOf(pass.domain, level)}`, level)};`
        })
    ),
    '}'
  ])
  return printFunction(`${name}(first: u32, step: u32)`, [`let view = ${VIEW[pass.domain]};`, ...loops])
}

/** All partial results of one row, column or channel of the view: how many, and how far apart. */
function joinText(op: Reduce, first: string, level: Vector): string {
  const parts = {
    row: 'view.stripes, view.size / view.rowSize',
    col: 'view.blocks, view.size / view.colSize',
    channel: 'view.size / (view.colSize * view.rowSize) * view.blocks, view.rowSize'
  }[level]
  return `join_${op}(${first}, ${parts})`
}

/** Which row, column or channel of the view it is that holds the layer's i-th: a view of less has one for several. */
function entryOf(domain: Varying, level: Vector): string {
  if (domain === 'channel' || (domain === 'row' && level === 'channel')) return '0u'
  if (domain === 'row' && level === 'col') return 'i / layer.elements.rowSize'
  return domain === 'col' && level === 'row' ? 'i / layer.elements.colSize' : 'i'
}

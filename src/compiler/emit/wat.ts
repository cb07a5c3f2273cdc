/**
 * Passes as WebAssembly text: four elements at a time, in float32, sums in float64.
 *
 * A function `(n, b, c, first)` as in JavaScript, on memory that it is handed: `b` points to the addresses of the buffers and
 * `c` to the numbers that are the same for all elements; `first` is there where random numbers are. It goes over whole vectors,
 * so that up to three elements behind the last one are read and written too; they take no part in a reduction.
 *
 * Where a pass knows of rows, columns or channels: `(n, b, c, first, rows)`, over so many rows of `n` elements, of one matrix
 * and side by side. Behind the buffers `b` has the addresses of the vectors, in float64. What is read behind the last element
 * of a row is written back as it was.
 */
import type { Node, Program } from '../check/program.js'
import { bufferName } from '../plan/names.js'
import { isVarying, isVector, levelOfBuffer } from '../plan/order.js'
import type { Buffer, Pass, Reduction, Variant } from '../plan/plan.js'
import { authorNames, layOut } from './body.js'
import { bufferIndex, isVectorBuffer, readName } from './buffers.js'
import { PARITY, ROTATIONS } from './noise.js'
import type { Numbers } from './numbers.js'
import { indent } from './text.js'
import { constant, everywhere, type Frame, LANES, newFrame, number, operation, set, tee } from './wat-values.js'

/**
 * A module that exports the functions. It imports `memory` from `js`, and from `Math` what it needs. The memory's maximum is
 * what a memory can have at most, and is there because a shared memory must have one (see `instantiate` in the runtime).
 */
export function printModule(functions: readonly string[]): string {
  const lanes = Object.entries(LANES).filter(([name]) => functions.some((f) => f.includes(`(call $${name} `)))
  const parts = [
    '(import "js" "memory" (memory 1 65536))',
    ...lanes.map(([name, count]) => `(import "Math" "${name}" (func $Math.${name}${signature('f64', count)}))`),
    ...lanes.map(([name, count]) => printLanes(name, count)),
    ...(functions.some((f) => f.includes(CALL_NOISE)) ? [printNoise()] : []),
    ...functions
  ]
  return `(module\n${parts.map(indent).join('\n')}\n)`
}

function signature(type: string, count: number): string {
  const params = ['$x', '$y'].slice(0, count).map((name) => `(param ${name} ${type})`)
  return ` ${params.join(' ')} (result ${type})`
}

/** JavaScript's function on each lane. */
function printLanes(name: string, count: number): string {
  const lane = (i: number): string => {
    const args = ['$x', '$y'].slice(0, count).map((x) => `(f64.promote_f32 (f32x4.extract_lane ${i} (local.get ${x})))`)
    return `(f32.demote_f64 (call $Math.${name} ${args.join(' ')}))`
  }
  const lines = [
    `(local $r v128)`,
    ...[0, 1, 2, 3].map((i) => `(local.set $r (f32x4.replace_lane ${i} (local.get $r) ${lane(i)}))`),
    '(local.get $r)'
  ]
  return `(func $${name}${signature('v128', count)}\n${lines.map(indent).join('\n')}\n)`
}

const CALL_NOISE = '(call $noise '

/** Four random numbers (src/runtime/noise.ts says of what), from the index of the first. The key's halves are in all lanes. */
function printNoise(): string {
  const half = (name: string): string => `(i32x4.trunc_sat_f32x4_u (local.get $${name}))`
  const word = (low: string, high: string): string => `(v128.or ${half(low)} (i32x4.shl ${half(high)} (i32.const 16)))`
  const get = (name: string): string => `(local.get $${name})`
  const plus = (...terms: readonly string[]): string => terms.reduce((a, b) => `(i32x4.add ${a} ${b})`)
  const all = (n: string): string => `(i32x4.splat ${n})`
  const parity = all(`(i32.const ${PARITY})`)
  const rounds = ROTATIONS.flatMap((by, i) => {
    const turned = `(v128.or (i32x4.shl ${get('y')} (i32.const ${by})) (i32x4.shr_u ${get('y')} (i32.const ${32 - by})))`
    const lines = [`(local.set $x ${plus(get('x'), get('y'))})`, `(local.set $y (v128.xor ${turned} ${get('x')}))`]
    const times = (i + 1) / 4
    if (!Number.isInteger(times)) return lines
    const [first, second] = [KEYS[times % 3]!, KEYS[(times + 1) % 3]!]
    return [
      ...lines,
      `(local.set $x ${plus(get('x'), get(first))})`,
      `(local.set $y ${plus(get('y'), get(second), all(`(i32.const ${times})`))})`
    ]
  })
  const params = ['low0', 'high0', 'low1', 'high1'].map((name) => `(param $${name} v128)`)
  const lines = [
    '(local $k0 v128) (local $k1 v128) (local $k2 v128) (local $x v128) (local $y v128)',
    `(local.set $k0 ${word('low0', 'high0')})`,
    `(local.set $k1 ${word('low1', 'high1')})`,
    `(local.set $k2 (v128.xor (v128.xor ${get('k0')} ${get('k1')}) ${parity}))`,
    `(local.set $x ${plus(all(get('index')), '(v128.const i32x4 0 1 2 3)', get('k0'))})`,
    `(local.set $y ${plus(all(get('site')), get('k1'))})`,
    ...rounds,
    `(f32x4.mul (f32x4.convert_i32x4_u (i32x4.shr_u ${get('x')} (i32.const 8))) (f32x4.splat (f32.const ${2 ** -24})))`
  ]
  const head = `(func $noise ${params.join(' ')} (param $index i32) (param $site i32) (result v128)`
  return `${head}\n${lines.map(indent).join('\n')}\n)`
}

const KEYS = ['k0', 'k1', 'k2']

/** Whether a pass over elements loads or gathers what has one value a row, a column or a channel. */
export function crosses({ reads, reductions }: Pass): boolean {
  return reads.some((r) => isVector(r.node)) || reductions.some((r) => isVector(r.node))
}

/** `kept`: how many buffers there are before the vectors. */
export function printPass(
  name: string,
  program: Program,
  vectors: Variant['vectors'],
  pass: Pass,
  numbers: Numbers,
  kept: number
): string {
  const inRows = crosses(pass)
  const frame = newFrame()
  const left = frame.local('left', 'i32')
  const at = frame.local('at', 'i32')
  const col = inRows ? frame.local('col', 'i32') : at
  const start = inRows ? frame.local('start', 'i32') : null
  const head: string[] = []
  const pointers = new Map<number, string>()
  const pointerTo = (buffer: Buffer): string => {
    const isOfStep = isVectorBuffer(buffer)
    const index = isOfStep ? kept + buffer.index : bufferIndex(program, buffer)
    const known = pointers.get(index)
    if (known) return known
    const called = isOfStep ? vectors[buffer.index]!.name : bufferName(program, buffer)
    const pointer = frame.local(`${called}s`, 'i32')
    head.push(set(pointer, `(i32.load offset=${4 * index} (local.get $b))`))
    pointers.set(index, pointer)
    return pointer
  }
  for (const buffer of [...pass.loads, ...pass.stores.map((s) => s.to)]) pointerTo(buffer)
  const index = `(i32.add (local.get $first) (i32.shr_u ${at} (i32.const 2)))`
  const address = (buffer: Buffer): string => `(i32.add ${pointerTo(buffer)} ${at})`
  const known = new Map<Node, string>()
  const ofRow: string[] = []
  const loads = pass.reads.flatMap(({ node, from }) => {
    const value = frame.local(isVectorBuffer(from) ? vectors[from.index]!.name : readName(program, pass, from))
    known.set(node, value)
    const level = levelOfBuffer(program, vectors, from)
    // Of elements that were kept, the mask itself.
    const asMask = (text: string): string => (node.kind === 'bool' ? `(f32x4.ne ${text} ${constant(0)})` : text)
    if (level === 'row') {
      const load = isVectorBuffer(from)
        ? `(f32.demote_f64 (f64.load ${pointerTo(from)}))`
        : `(f32.load ${pointerTo(from)})`
      ofRow.push(set(value, asMask(`(f32x4.splat ${load})`)))
      return []
    }
    if (level === 'element') return [set(value, `(v128.load ${address(from)})`)]
    const vector = isVectorBuffer(from)
      ? narrow(pointerTo(from), col)
      : `(v128.load (i32.add ${pointerTo(from)} ${col}))`
    return [set(value, asMask(vector))]
  })
  const read = (node: Node): string | null => {
    if (node.op === 'const') return constant(node.value)
    const before = known.get(node)
    if (before !== undefined || isVarying(node)) return before ?? null
    const variable = frame.local(numbers.nameOf(node))
    const formula = numbers.formulaOf(node)
    head.push(`${set(variable, everywhere(node, numbers))}${formula ? ` ;; ${formula}` : ''}`)
    known.set(node, variable)
    return variable
  }

  const live = pass.reductions.length > 0 || inRows ? frame.local('live') : null
  const parts: Part[] = []
  const partOf: Scope['partOf'] = (value, neutral) => {
    const known = parts.find((p) => p.value === value && p.neutral === neutral)
    if (known) return known.local
    const local = frame.local('part')
    parts.push({ value, neutral, local })
    return local
  }
  const gathered = pass.reductions.map((r) => {
    const vector = vectors.findIndex((v) => v.node === r.node)
    const array = vector < 0 ? null : pointerTo({ kind: 'vector', index: vector })
    return { level: r.node.level, ...gather(r, { pass, numbers, frame, partOf, head, array, col }) }
  })
  const body = layOut([...pass.stores.map((s) => s.value), ...parts.map((p) => p.value)], {
    read,
    apply: (node, args) =>
      node.op === 'noise'
        ? `${CALL_NOISE}${args.join(' ')} ${index} (i32.const ${node.site}))`
        : operation(node, args, frame),
    named: authorNames(program),
    fresh: (wanted) => frame.local(wanted),
    bind: set
  })
  const isLive = live ? [set(live, `(i32x4.gt_s (i32x4.splat ${left}) (v128.const i32x4 0 1 2 3))`)] : []
  const masks = parts.map(({ local, neutral }) => set(local, masked(local, neutral, live!)))
  const stores = pass.stores.map(({ to }, i) => {
    const value = body.results[i]!
    return `(v128.store ${address(to)} ${inRows ? `(v128.bitselect ${value} (v128.load ${address(to)}) ${live})` : value})`
  })
  const loop = [
    ...loads,
    ...body.lines.map((line) => line.replace(' // ', ' ;; ')),
    ...(inRows ? isLive : []),
    ...stores,
    ...parts.map(({ local }, i) => set(local, body.results[pass.stores.length + i]!)),
    ...(inRows || parts.length === 0 ? masks : [inLastVector(left, [...isLive, ...masks])]),
    ...gathered.flatMap((s) => s.join),
    set(at, `(i32.add ${at} (i32.const 16))`),
    ...(inRows ? [set(col, `(i32.add ${col} (i32.const 16))`)] : []),
    `(br_if $next (i32.gt_s ${tee(left, `(i32.sub ${left} (i32.const 4))`)} (i32.const 0)))`
  ]
  const ofElements = (of: 'begin' | 'finish', level: 'row' | 'layer'): string[] =>
    gathered.filter((s) => (s.level === 'row') === (level === 'row')).flatMap((s) => s[of])
  const elements = [set(left, '(local.get $n)'), `(loop $next\n${loop.map(indent).join('\n')}\n)`]
  const lines = [...head, ...ofElements('begin', 'layer')]
  if (start === null) lines.push(...elements)
  else {
    const rowWise = [...new Set([...pass.loads, ...pass.reductions.flatMap((r) => vectorOf(vectors, r.node))])].filter(
      (b) => levelOfBuffer(program, vectors, b) === 'row'
    )
    const further = new Map(rowWise.map((b) => [pointerTo(b), isVectorBuffer(b) ? 8 : 4]))
    const row = [
      ...ofRow,
      ...ofElements('begin', 'row'),
      set(at, start),
      set(col, '(i32.const 0)'),
      ...elements,
      ...ofElements('finish', 'row'),
      set(start, `(i32.add ${start} (i32.shl (local.get $n) (i32.const 2)))`),
      ...[...further].map(([pointer, by]) => set(pointer, `(i32.add ${pointer} (i32.const ${by}))`)),
      '(br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))'
    ]
    lines.push(`(loop $row\n${row.map(indent).join('\n')}\n)`)
  }
  lines.push(...ofElements('finish', 'layer'))
  const draws = body.lines.concat(body.results).some((text) => text.includes(CALL_NOISE))
  const more = inRows ? ' (param $first i32) (param $rows i32)' : draws ? ' (param $first i32)' : ''
  const open = `(func (export "${name}") (param $n i32) (param $b i32) (param $c i32)${more}`
  return [open, ...[...frame.declare(), ...lines].map(indent), ')'].join('\n')
}

/** What only the last vector needs, behind a branch that all others skip. */
function inLastVector(left: string, lines: readonly string[]): string {
  return `(if (i32.lt_s ${left} (i32.const 4)) (then\n${lines.map(indent).join('\n')}\n))`
}

function vectorOf(vectors: Variant['vectors'], node: Node): Buffer[] {
  const index = vectors.findIndex((v) => v.node === node)
  return index < 0 ? [] : [{ kind: 'vector', index }]
}

/** Four float64 numbers as float32. `at` counts in bytes of float32. */
function narrow(pointer: string, at: string): string {
  const [low, high] = [0, 16].map(
    (offset) => `(f32x4.demote_f64x2_zero (v128.load ${wideAddress(pointer, at, offset)}))`
  )
  return `(i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 ${low} ${high})`
}

function wideAddress(pointer: string, at: string, offset: number): string {
  return `offset=${offset} (i32.add ${pointer} (i32.shl ${at} (i32.const 1)))`
}

/** What reductions take of a vector; its lanes without an element are `neutral`. */
interface Part {
  readonly value: Node
  readonly neutral: number
  readonly local: string
}

function masked(local: string, neutral: number, live: string): string {
  return neutral === 0 ? `(v128.and ${local} ${live})` : `(v128.bitselect ${local} ${constant(neutral)} ${live})`
}

/** One reduction of a pass. */
interface Gathering {
  /** The lines before the loop over what is gathered to one number. */
  readonly begin: readonly string[]
  /** The lines that take a vector's parts in. */
  readonly join: readonly string[]
  /** The lines behind the loop. */
  readonly finish: readonly string[]
}

interface Scope {
  readonly pass: Pass
  readonly numbers: Numbers
  readonly frame: Frame
  /** Shared by reductions of the same value. */
  readonly partOf: (value: Node, neutral: number) => string
  /** Lines before all loops. */
  readonly head: string[]
  /** Where a number for each row, column or channel is left: that of the row, or of the first of a line of columns. */
  readonly array: string | null
  /** How far into that line, in bytes of float32. */
  readonly col: string
}

function gather(reduction: Reduction, scope: Scope): Gathering {
  return reduction.node.op === 'sum' ? gatherSum(reduction, scope) : gatherExtreme(reduction, scope)
}

/** Where a reduction to one number, of the layer or of a row, stands in memory. */
function placeOf({ node }: Reduction, { numbers, array }: Scope): string {
  return array ?? `offset=${8 * numbers.totalOf(node)} (local.get $c)`
}

function isInPlace({ node }: Reduction): boolean {
  return node.level === 'col' || node.level === 'channel'
}

/** The lower or the upper two of four numbers, in float64. */
function half(part: string, i: number): string {
  const lanes = i === 0 ? part : `(i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 ${part} ${part})`
  return `(f64x2.promote_low_f32x4 ${lanes})`
}

/** Takes two numbers for each half into what stands in memory. */
function joinInPlace(op: string, { array, col }: Scope, value: (i: number) => string): string[] {
  return [0, 1].map((i) => {
    const place = wideAddress(array!, col, 16 * i)
    return `(v128.store ${place} (f64x2.${op} (v128.load ${place}) ${value(i)}))`
  })
}

/** In float64, and products are: their factors may be so large or small that float32 has not their square. */
function gatherSum(reduction: Reduction, scope: Scope): Gathering {
  const { pass, numbers, frame, partOf, head } = scope
  const isRead = new Set(pass.reads.map((r) => r.node))
  const scales: string[] = []
  let product = reduction.value
  while (product.op === 'mul' && !isRead.has(product) && product.args.some((arg) => !isVarying(arg))) {
    const scale = product.args.find((arg) => !isVarying(arg))!
    const local = frame.local(numbers.nameOf(scale))
    head.push(set(local, `(f64x2.splat ${number(scale, numbers)})`))
    scales.push(local)
    product = product.args.find((arg) => arg !== scale)!
  }
  const factors = product.op === 'mul' && !isRead.has(product) ? [...new Set(product.args)] : [product]
  const isSquare = product.op === 'mul' && factors.length === 1 && factors[0] !== product
  const parts = factors.map((factor) => partOf(factor, 0))
  const wide = frame.local('wide')
  const multiply = (i: number): string => {
    const [first, ...more] = parts.map((part) => half(part, i))
    const all = isSquare ? [tee(wide, first!), wide] : [first!, ...more]
    return [...all, ...scales].reduce((x, y) => `(f64x2.mul ${x} ${y})`)
  }
  if (isInPlace(reduction)) return { begin: [], join: joinInPlace('add', scope, multiply), finish: [] }
  const halves = [frame.local('sum_low'), frame.local('sum_high')]
  const place = placeOf(reduction, scope)
  const total = [0, 1].map((i) => `(f64x2.extract_lane ${i} ${wide})`)
  return {
    begin: reduction.node.level === 'row' ? halves.map((sum) => set(sum, '(v128.const i32x4 0 0 0 0)')) : [],
    join: halves.map((sum, i) => set(sum, `(f64x2.add ${sum} ${multiply(i)})`)),
    finish: [
      set(wide, `(f64x2.add ${halves.join(' ')})`),
      `(f64.store ${place} (f64.add (f64.load ${place}) (f64.add ${total.join(' ')})))`
    ]
  }
}

function gatherExtreme(reduction: Reduction, scope: Scope): Gathering {
  const { node, value } = reduction
  const { frame } = scope
  const part = scope.partOf(value, node.op === 'max' ? -Infinity : Infinity)
  if (isInPlace(reduction)) {
    return { begin: [], join: joinInPlace(node.op, scope, (i) => half(part, i)), finish: [] }
  }
  const best = frame.local(node.op)
  const place = placeOf(reduction, scope)
  const lanes = [0, 1, 2, 3].map((i) => `(f32x4.extract_lane ${i} ${best})`)
  return {
    begin: [set(best, `(f32x4.splat (f32.demote_f64 (f64.load ${place})))`)],
    join: [set(best, `(f32x4.${node.op} ${best} ${part})`)],
    finish: [`(f64.store ${place} (f64.promote_f32 ${lanes.reduce((x, y) => `(f32.${node.op} ${x} ${y})`)}))`]
  }
}

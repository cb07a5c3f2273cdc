/**
 * Prints GLSL ES 3.00: what a pass computes for one texel, and what a program over cells computes.
 *
 * A pass is written once for two layouts. `T` is `vec4`, a block of 2 by 2 elements, or `float`; `B` is the bool beside it.
 * A value of lower level than an element is a `float`. `s` (the layer's host scalars), `cell` and `model` (texels of the
 * layer's and the model's record), `in0(p)`, `in1(p)` … (what a buffer holds at a texel) and the comparisons as functions
 * (GLSL has operators for single values only) are put before the text by the runtime.
 */
import type { Vector } from '../check/axes.js'
import type { Node } from '../check/program.js'
import type { Buffer, Pass } from '../plan/plan.js'
import { layOut } from './body.js'
import { reserved } from './glsl-words.js'
import { freshNames } from './names.js'
import { PARITY, ROTATIONS } from './noise.js'
import { layOutPass, type Scalars } from './shader.js'

/** What a pass calls the buffers: by number, and what it has loaded of one. */
export interface BufferNames {
  readonly index: (buffer: Buffer) => number
  readonly element: (buffer: Buffer) => string
  readonly count: number
}

export interface PrintedPass {
  /** Run once, before the first element. */
  readonly head: readonly string[]
  /** For each texel: leaves what is stored or reduced in `to0`, `to1`, … */
  readonly body: readonly string[]
}

export function printPass(pass: Pass, scalars: Scalars, buffers: BufferNames): PrintedPass {
  const roots = [...pass.stores.map((s) => s.value), ...pass.reductions.map((r) => r.value)]
  const { head, loads, lines, results, wide } = layOutPass(pass, {
    scalars,
    element: buffers.element,
    load(buffer, { kind }) {
      const text = `in${buffers.index(buffer)}(p)`
      return kind === 'bool' ? `ne(${text}, T(0.0))` : text
    },
    apply: expression,
    bind: (name, value, node, isWide) => `${typeOf(node, isWide)} ${name} = ${value};`,
    fresh: freshWords(reserved(buffers.count, roots.length))
  })
  const ends = roots.map((node, i) => {
    const text = splat(node, results[i]!, wide)
    return `to${i} = ${node.kind === 'bool' ? `pick(${text}, T(1.0), T(0.0))` : text};`
  })
  return { head, body: [...loads, ...lines, ...ends] }
}

/** What one fragment computes out of a record: leaves each value in its place, `to[0]`, `to[1]`, … */
export function printValues(
  values: readonly { readonly to: number; readonly node: Node }[],
  scalars: Scalars
): string[] {
  const { lines, results } = layOut(
    values.map((v) => v.node),
    {
      read: scalars.read,
      apply: (node, args) => expression(node, args, () => false),
      named: scalars.named,
      fresh: freshWords(reserved(0, 0)),
      bind: (name, value, node) => `${typeOf(node, false)} ${name} = ${value};`
    }
  )
  const number = (node: Node, text: string): string => (node.kind === 'bool' ? `pick(${text}, 1.0, 0.0)` : text)
  return [...lines, ...values.map(({ to, node }, i) => `to[${to}] = ${number(node, results[i]!)};`)]
}

/** GLSL keeps two underscores in a row for itself. */
function freshWords(taken: readonly string[]): (wanted: string) => string {
  const fresh = freshNames(taken)
  return (wanted) => fresh(wanted.replace(/_+/g, '_').replace(/_$/, ''))
}

function typeOf(node: Node, wide: boolean): string {
  if (wide) return node.kind === 'bool' ? 'B' : 'T'
  return node.kind === 'bool' ? 'bool' : 'float'
}

const INFIX: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/' }
const PRECEDENCE: Readonly<Record<string, number>> = { add: 1, sub: 1, mul: 2, div: 2 }
const CALLS: Readonly<Record<string, string>> = {
  abs: 'abs',
  sign: 'sign',
  sqrt: 'sqrt',
  rsqrt: 'inversesqrt',
  exp: 'exp',
  log: 'log',
  floor: 'floor',
  max: 'max',
  min: 'min',
  lt: 'lt',
  le: 'le',
  gt: 'gt',
  ge: 'ge',
  eq: 'eq',
  ne: 'ne',
  and: 'both',
  or: 'either',
  not: 'none',
  select: 'pick',
  pow: 'pow_',
  cbrt: 'cbrt_',
  tanh: 'tanh_'
}

function expression(node: Node, args: readonly string[], wide: (node: Node) => boolean): string {
  const infix = INFIX[node.op]
  if (infix) {
    const mine = PRECEDENCE[node.op]!
    const operand = (i: number): string => {
      const theirs = PRECEDENCE[node.args[i]!.op] ?? 0
      const loose = i === 0 ? theirs >= mine : theirs > mine
      return loose ? args[i]! : enclosed(node.args[i]!, args[i]!)
    }
    return `${operand(0)} ${infix} ${operand(1)}`
  }
  if (node.op === 'neg') return `-${enclosed(node.args[0]!, args[0]!)}`
  if (node.op === 'noise') return `noise_(vec4(${args.join(', ')}), F, ${node.site}u)`
  const call = CALLS[node.op]
  if (!call) throw new Error(`no GLSL for ${node.op}`)
  const even = node.args.some(wide)
  return `${call}(${args.map((text, i) => (even ? splat(node.args[i]!, text, wide) : text)).join(', ')})`
}

/** In parentheses, if it is more than a name, a number or a call. */
function enclosed(node: Node, text: string): string {
  const composed = node.op in INFIX || node.op === 'neg'
  return (composed && !/^\w+$/.test(text)) || text.startsWith('-') ? `(${text})` : text
}

function splat(node: Node, text: string, wide: (node: Node) => boolean): string {
  return wide(node) ? text : `${node.kind === 'bool' ? 'B' : 'T'}(${text})`
}

/** GLSL compares single values with operators, and vectors with functions; kernels are written for both. */
const COMPARISONS: Readonly<Record<string, readonly [sign: string, call: string]>> = {
  lt: ['<', 'lessThan'],
  le: ['<=', 'lessThanEqual'],
  gt: ['>', 'greaterThan'],
  ge: ['>=', 'greaterThanEqual'],
  eq: ['==', 'equal'],
  ne: ['!=', 'notEqual']
}

/**
 * Functions that GLSL lacks, has for vectors only, or promises too little of. `#` is the type, `vec4` or `float`. Each calls
 * only what stands after it.
 * - pow is exp(y · log x) for x ≥ 0, whatever log makes of 0.
 * - cbrt: one Newton step takes the estimate's relative error, some 1e-5, to nothing beside the rounding of the step itself.
 * - tanh: GLSL's may overflow on the way. Taylor's series up to 1/4, where the exponential would cancel; beyond 20 the
 *   quotient is 1.
 * - noise: the key's words come in halves; `F` is the element, or the four of a texel.
 */
const HELPERS: Readonly<Record<string, string>> = {
  pow_: `# pow_(# x, # y) {
  # power = exp(y * log(max(x, #(1.1754943508222875e-38))));
  return pick(both(eq(x, #(0.0)), ge(y, #(0.0))), pick(eq(y, #(0.0)), #(1.0), #(0.0)), power);
}`,
  cbrt_: `# cbrt_(# x) {
  # size = max(abs(x), #(1.1754943508222875e-38));
  # near = exp(log(size) / 3.0);
  # root = near - (near - size / (near * near)) / 3.0;
  return pick(lt(abs(x), #(1.1754943508222875e-38)), #(0.0), sign(x) * root);
}`,
  tanh_: `# tanh_(# x) {
  # s = x * x;
  # small = x - x * s * (0.33333334 - s * (0.13333334 - s * (0.053968254 - s * 0.021869488)));
  # size = min(abs(x), #(20.0));
  # large = sign(x) * (1.0 - 2.0 / (exp(2.0 * size) + 1.0));
  return pick(lt(size, #(0.25)), small, large);
}`,
  noise_: printNoise(),
  both: `bool both(bool a, bool b) { return a && b; }
bvec4 both(bvec4 a, bvec4 b) { return bvec4(vec4(a) * vec4(b)); }`,
  either: `bool either(bool a, bool b) { return a || b; }
bvec4 either(bvec4 a, bvec4 b) { return bvec4(vec4(a) + vec4(b)); }`,
  none: `bool none(bool a) { return !a; }
bvec4 none(bvec4 a) { return not(a); }`,
  ...Object.fromEntries(
    Object.entries(COMPARISONS).map(([name, [sign, call]]) => [
      name,
      `bool ${name}(float a, float b) { return a ${sign} b; }
bvec4 ${name}(vec4 a, vec4 b) { return ${call}(a, b); }`
    ])
  )
}

function printNoise(): string {
  const rounds = ROTATIONS.flatMap((by, i) => {
    const round = `  x += y; y = (y << ${by} | y >> ${32 - by}) ^ x;`
    const times = (i + 1) / 4
    return Number.isInteger(times)
      ? [round, `  x += k[${times % 3}]; y += k[${(times + 1) % 3}] + ${times}u;`]
      : [round]
  })
  return [
    'float noise_(vec4 halves, int index, uint site) {',
    '  uvec4 h = uvec4(halves);',
    '  uvec2 words = h.xz | h.yw << 16;',
    `  uvec3 k = uvec3(words, words.x ^ words.y ^ ${PARITY}u);`,
    '  uint x = uint(index) + k.x, y = site + k.y;',
    ...rounds,
    `  return float(x >> 8) * ${2 ** -24};`,
    '}',
    'vec4 noise_(vec4 halves, ivec4 index, uint site) {',
    `  return vec4(${['x', 'y', 'z', 'w'].map((lane) => `noise_(halves, index.${lane}, site)`).join(', ')});`,
    '}'
  ].join('\n')
}

/** Functions that find, of an element or of a column, its row, column or channel; `axes` has the length of a column and of a row. */
export const PLACE: Readonly<Record<Vector, string>> = { row: 'rowOf', col: 'colOf', channel: 'channelOf' }
const PLACES: Readonly<Record<Vector, string>> = {
  row: 'f / axes.y',
  col: 'f / (axes.x * axes.y) * axes.y + f % axes.y',
  channel: 'f % axes.y'
}

/** Those of these levels, for the driver to call where it reads values. */
export function placesOf(levels: readonly Vector[]): string[] {
  if (levels.length === 0) return []
  const all = [...new Set(levels)].map((level) => `int ${PLACE[level]}(int f) { return ${PLACES[level]}; }`)
  return ['uniform ivec4 axes;', ...all]
}

/** The helpers that a text calls, and those that these call, as text. */
export function helpersOf(text: string): string[] {
  const called: string[] = []
  for (const [name, helper] of Object.entries(HELPERS)) {
    if (![text, ...called].some((one) => new RegExp(`\\b${name}\\(`).test(one))) continue
    const types = helper.includes('#') ? ['float', 'vec4'] : ['']
    called.unshift(...types.map((type) => helper.replaceAll('#', type)))
  }
  return called
}

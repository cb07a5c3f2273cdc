/**
 * Prints WGSL: values as expressions, and passes, finishes and barriers as functions.
 *
 * A kernel is written once for two widths. `T` is `vec4f`, or `f32` for a layer whose size is no multiple of 4 (an
 * `array<vec4f>` would drop its tail); `B` is the bool beside it. A value of lower level than an element is an `f32`.
 * `layer` (the uniform of a layer in this step), `cells` (all device scalars of this step), `T`, `B` and the functions
 * `*_lanes` and `collect_*` are put before the text by the runtime.
 *
 * A device scalar is written to `cells` by one invocation and read by whoever needs it. Each reduction has a fixed order:
 * an invocation adds its elements in blocks of 16, and the blocks, lane by lane; the 64 invocations of a workgroup meet in a
 * tree; what several workgroups have is collected by one. So no sum is a long chain, whatever the size of the layer.
 */
import type { Node, Reduce } from '../check/program.js'
import type { Buffer, Pass } from '../plan/plan.js'
import { layOut } from './body.js'
import { freshNames } from './names.js'
import { PARITY, ROTATIONS } from './noise.js'
import { indent, layOutPass, type Scalars } from './shader.js'
import { reserved } from './wgsl-words.js'

/** Invocations of a workgroup; `WORKGROUP` of the runtime. */
export const WORKGROUP = 64

/** What a pass calls the buffers that it goes over: as a whole, and what it has loaded of one. */
export interface BufferNames {
  readonly array: (buffer: Buffer) => string
  readonly element: (buffer: Buffer) => string
}

/** A function's text, and the names of the bindings that it touches. */
export interface Printed {
  readonly text: string
  readonly binds: ReadonlySet<string>
}

/** One invocation's share of a pass: elements `first`, `first + 64`, … below `end`. */
export function printPass(name: string, pass: Pass, scalars: Scalars, buffers: BufferNames): Printed {
  const fresh = freshNames(reserved(pass.reductions.length))
  const touched = [...pass.loads, ...pass.stores.map((s) => s.to)].map(buffers.array)
  for (const array of new Set(touched)) fresh(array)
  const { head, loads, lines, results, wide } = layOutPass(pass, {
    scalars,
    element: buffers.element,
    load: (from, { kind }) => `${buffers.array(from)}[i]${kind === 'bool' ? ' != T(0.0)' : ''}`,
    apply: expression,
    bind,
    fresh
  })
  const value = (node: Node, index: number): string => {
    const text = splat(node, results[index]!, wide)
    return node.kind === 'bool' ? `select(T(0.0), T(1.0), ${text})` : text
  }
  const stores = pass.stores.map((s, i) => `${buffers.array(s.to)}[i] = ${value(s.value, i)};`)
  const gathered = pass.reductions.map((r, i) => ({
    ...REDUCE[r.node.op],
    value: value(r.value, pass.stores.length + i)
  }))

  const loop =
    gathered.length === 0
      ? [`for (var i = first; i < end; i += ${WORKGROUP}u) {`, ...indent([...loads, ...lines, ...stores]), '}']
      : [
          ...gathered.map(({ start }, r) => `var all${r} = T(${start});`),
          'for (var i = first; i < end;) {',
          ...indent([
            ...gathered.map(({ start }, r) => `var block${r} = T(${start});`),
            'for (var n = 0u; n < 16u && i < end; n++) {',
            ...indent([
              ...loads,
              ...lines,
              ...stores,
              ...gathered.map(({ join, value }, r) => `block${r} = ${join(`block${r}`, value)};`),
              `i += ${WORKGROUP}u;`
            ]),
            '}',
            ...gathered.map(({ join }, r) => `all${r} = ${join(`all${r}`, `block${r}`)};`)
          ]),
          '}',
          ...gathered.map(({ lanes }, r) => `bin${r}[id] = ${lanes}(all${r});`)
        ]
  const binds = bindingsOf(head)
  for (const array of touched) if (loop.some((line) => line.includes(`${array}[i]`))) binds.add(array)
  return { text: printFunction(`${name}(id: u32, first: u32, end: u32)`, [...head, ...loop]), binds }
}

/** The tree over a workgroup: afterwards invocation 0 finds the whole in the first entry of each bin. */
export function printGather(name: string, ops: readonly Reduce[]): string {
  return printFunction(`${name}(id: u32)`, [
    `for (var half = ${WORKGROUP / 2}u; half > 0u; half >>= 1u) {`,
    ...indent([
      'workgroupBarrier();',
      'if (id < half) {',
      ...indent(ops.map((op, r) => `bin${r}[id] = ${REDUCE[op].join(`bin${r}[id]`, `bin${r}[id + half]`)};`)),
      '}'
    ]),
    '}'
  ])
}

/** What one invocation computes and keeps between passes. `keep` says where, as text to assign to. */
export function printFinish(
  name: string,
  keeps: readonly { to: string; node: Node }[],
  scalars: Scalars,
  bins: number
): Printed {
  const { lines, results } = layOut(
    keeps.map((k) => k.node),
    {
      read: scalars.read,
      apply: (node, args) => expression(node, args, () => false),
      named: scalars.named,
      fresh: freshNames(reserved(bins)),
      bind
    }
  )
  const number = (node: Node, text: string): string => (node.kind === 'bool' ? `select(0.0, 1.0, ${text})` : text)
  const stores = keeps.map(({ to, node }, i) => `${to} = ${number(node, results[i]!)};`)
  return { text: printFunction(`${name}()`, [...lines, ...stores]), binds: bindingsOf([...lines, ...stores]) }
}

/** An entry point: `@compute fn name(id, group)`. */
export function printEntry(name: string, lines: readonly string[]): string {
  const reads = (word: RegExp): boolean => lines.some((line) => word.test(line))
  const group = reads(/\bgroup\b/) ? ', @builtin(workgroup_id) group: vec3u' : ''
  const groups = reads(/\bgroups\b/) ? ', @builtin(num_workgroups) groups: vec3u' : ''
  return [
    `@compute @workgroup_size(${WORKGROUP})`,
    printFunction(`${name}(@builtin(local_invocation_index) id: u32${group}${groups})`, lines)
  ].join('\n')
}

/** The bindings `cells` and `layer` that lines use. */
export function bindingsOf(lines: readonly string[]): Set<string> {
  return new Set(lines.flatMap((line) => line.replace(/\/\/.*/, '').match(/\b(cells|layer)\b(?=[.[])/g) ?? []))
}

export function printFunction(head: string, lines: readonly string[]): string {
  return [`fn ${head} {`, ...indent(lines), '}'].join('\n')
}

export function bind(name: string, value: string): string {
  return `let ${name} = ${value};`
}

/** How each reduction begins, joins two values, and joins the lanes of a `T`. The least and the greatest float stand for ∓∞. */
export const REDUCE: Readonly<
  Record<Reduce, { start: string; join: (a: string, b: string) => string; lanes: string }>
> = {
  sum: { start: '0.0', join: (a, b) => `${a} + ${b}`, lanes: 'sum_lanes' },
  max: {
    start: '-3.4028234663852886e38',
    join: (a, b) => `max(${a}, ${b})`,
    lanes: 'max_lanes'
  },
  min: { start: '3.4028234663852886e38', join: (a, b) => `min(${a}, ${b})`, lanes: 'min_lanes' }
}

const INFIX: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  eq: '==',
  ne: '!=',
  and: '&',
  or: '|'
}

/** How tight. Comparisons and logic always stand in parentheses: `a < b, c > d` would open a template. */
const PRECEDENCE: Readonly<Record<string, number>> = { add: 1, sub: 1, mul: 2, div: 2 }

const CALLS: Readonly<Record<string, string>> = {
  abs: 'abs',
  sign: 'sign',
  sqrt: 'sqrt',
  rsqrt: 'inverseSqrt',
  exp: 'exp',
  log: 'log',
  floor: 'floor',
  max: 'max',
  min: 'min'
}

export function expression(node: Node, args: readonly string[], wide: (node: Node) => boolean): string {
  const anyWide = node.args.some(wide)
  const mine = PRECEDENCE[node.op] ?? 0
  // WGSL mixes a vector and a scalar in arithmetic only.
  const even = (i: number, text = args[i]!): string => (anyWide && mine === 0 ? splat(node.args[i]!, text, wide) : text)
  const operand = (i: number): string => {
    const arg = node.args[i]!
    const theirs = PRECEDENCE[arg.op] ?? 0
    const loose = mine > 0 && (i === 0 ? theirs >= mine : theirs > mine)
    return even(i, loose ? args[i]! : enclosed(arg, args[i]!))
  }
  if (node.op === 'noise') return `noise_T(vec4f(${args.join(', ')}), i, ${node.site}u)`
  const infix = INFIX[node.op]
  if (infix) return `${operand(0)} ${infix} ${operand(1)}`
  if (node.op === 'neg') return `-${enclosed(node.args[0]!, args[0]!)}`
  if (node.op === 'not') return `!${enclosed(node.args[0]!, args[0]!)}`
  if (node.op === 'select') return `select(${even(2)}, ${even(1)}, ${enclosed(node.args[0]!, args[0]!)})`
  const call = CALLS[node.op] ?? (HELPERS[node.op] && `${node.op}_${anyWide ? 'T' : 'f32'}`)
  if (!call) throw new Error(`no WGSL for ${node.op}`)
  return `${call}(${args.map((_, i) => even(i)).join(', ')})`
}

/** In parentheses, if it is more than a name, a number or a call. */
function enclosed(node: Node, text: string): string {
  const composed = node.op in INFIX || node.op === 'neg' || node.op === 'not'
  return (composed && !/^\w+$/.test(text)) || text.startsWith('-') || / != /.test(text) ? `(${text})` : text
}

export function splat(node: Node, text: string, wide: (node: Node) => boolean): string {
  return wide(node) ? text : `${node.kind === 'bool' ? 'B' : 'T'}(${text})`
}

/**
 * Functions that WGSL lacks, or promises too little of. `#` is the type, `T` or `f32`.
 * - pow is exp(y · log x) for x ≥ 0, whatever log makes of 0.
 * - cbrt: one Newton step takes the estimate's relative error, some 1e-5, to nothing beside the rounding of the step itself.
 * - noise: the key's words come in halves; `i` counts what a `T` holds, `WIDTH` numbers each, of which `LANES` are the first.
 * - tanh: WGSL allows an error of 1e-5 of 1, and overflow on the way. Taylor's series up to 1/4, where the exponential
 *   would cancel; beyond 20 the quotient is 1.
 */
const HELPERS: Readonly<Record<string, string>> = {
  pow: `fn pow_#(x: #, y: #) -> # {
  let power = exp(y * log(max(x, #(1.1754943508222875e-38))));
  return select(power, select(#(0.0), #(1.0), y == #(0.0)), (x == #(0.0)) & (y >= #(0.0)));
}`,
  cbrt: `fn cbrt_#(x: #) -> # {
  let size = max(abs(x), #(1.1754943508222875e-38));
  let near = exp(log(size) / 3.0);
  let root = near - (near - size / (near * near)) / 3.0;
  return select(sign(x) * root, #(0.0), abs(x) < #(1.1754943508222875e-38));
}`,
  tanh: `fn tanh_#(x: #) -> # {
  let s = x * x;
  let small = x - x * s * (0.33333334 - s * (0.13333334 - s * (0.053968254 - s * 0.021869488)));
  let size = min(abs(x), #(20.0));
  let large = sign(x) * (1.0 - 2.0 / (exp(2.0 * size) + 1.0));
  return select(large, small, size < #(0.25));
}`,
  noise: printNoise()
}

function printNoise(): string {
  const rounds = ROTATIONS.flatMap((by, i) => {
    const round = [`  x += y;`, `  y = ((y << U(${by}u)) | (y >> U(${32 - by}u))) ^ x;`]
    const times = (i + 1) / 4
    if (!Number.isInteger(times)) return round
    return [...round, `  x += U(k[${times % 3}]);`, `  y += U(k[${(times + 1) % 3}] + ${times}u);`]
  })
  return [
    'fn noise_T(halves: vec4f, i: u32, site: u32) -> T {',
    '  let words = vec2u(halves.xz) | (vec2u(halves.yw) << vec2u(16u));',
    `  let k = vec3u(words, words.x ^ words.y ^ ${PARITY}u);`,
    '  var x = U(i * WIDTH + k.x) + LANES;',
    '  var y = U(site + k.y);',
    ...rounds,
    `  return T(x >> U(8u)) * ${2 ** -24};`,
    '}'
  ].join('\n')
}

/** The helpers that a text calls, as text. */
export function helpersOf(text: string): string[] {
  return Object.entries(HELPERS).flatMap(([name, helper]) =>
    ['T', 'f32'].filter((type) => text.includes(`${name}_${type}(`)).map((type) => helper.replaceAll('#', type))
  )
}

/** Values in WebAssembly text: locals, numbers and operations, in lanes of four. */
import type { Node } from '../check/program.js'
import { freshNames } from './names.js'
import type { Numbers } from './numbers.js'

/** What SIMD lacks, and how many operands it has. */
export const LANES: Readonly<Record<string, number>> = { exp: 1, log: 1, tanh: 1, cbrt: 1, pow: 2 }

/** The locals of a function. Each is spoken of by the text that reads it. */
export interface Frame {
  local(wanted: string, type?: 'v128' | 'i32'): string
  /** The lines that declare them. */
  declare(): string[]
}

export function newFrame(): Frame {
  const fresh = freshNames(['n', 'b', 'c', 'first', 'rows'])
  const names = { i32: [] as string[], v128: [] as string[] }
  return {
    local(wanted, type = 'v128') {
      const name = `$${fresh(wanted)}`
      names[type].push(name)
      return `(local.get ${name})`
    },
    declare: () =>
      Object.entries(names).flatMap(([type, all]) =>
        all.length > 0 ? [all.map((name) => `(local ${name} ${type})`).join(' ')] : []
      )
  }
}

export function set(local: string, value: string): string {
  return `${local.slice(0, -1).replace('get', 'set')} ${value})`
}

export function tee(local: string, value: string): string {
  return `${local.slice(0, -1).replace('get', 'tee')} ${value})`
}

/** A number of `c`, or a constant, in float64. */
export function number(node: Node, numbers: Numbers): string {
  if (node.op === 'const') return `(f64.const ${literal(node.value as number)})`
  return `(f64.load offset=${8 * numbers.indexOf(node)!} (local.get $c))`
}

/** A number of `c` in each lane; a bool as a mask. */
export function everywhere(node: Node, numbers: Numbers): string {
  const value = number(node, numbers)
  if (node.kind === 'number') return `(f32x4.splat (f32.demote_f64 ${value}))`
  return `(i32x4.splat (i32.sub (i32.const 0) (f64.ne ${value} (f64.const 0))))`
}

export function constant(value: number | boolean): string {
  if (typeof value === 'boolean') return `(i32x4.splat (i32.const ${value ? -1 : 0}))`
  return `(f32x4.splat (f32.const ${literal(Math.fround(value))}))`
}

function literal(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (Object.is(value, -0)) return '-0'
  return String(value).replace('Infinity', 'inf')
}

const OPERATIONS: Readonly<Record<string, string>> = {
  neg: 'f32x4.neg',
  abs: 'f32x4.abs',
  sqrt: 'f32x4.sqrt',
  floor: 'f32x4.floor',
  add: 'f32x4.add',
  sub: 'f32x4.sub',
  mul: 'f32x4.mul',
  div: 'f32x4.div',
  max: 'f32x4.max',
  min: 'f32x4.min',
  lt: 'f32x4.lt',
  le: 'f32x4.le',
  gt: 'f32x4.gt',
  ge: 'f32x4.ge',
  eq: 'f32x4.eq',
  ne: 'f32x4.ne',
  and: 'v128.and',
  or: 'v128.or',
  not: 'v128.not'
}

export function operation(node: Node, args: readonly string[], frame: Frame): string {
  const [x, y, z] = args
  const simple = OPERATIONS[node.op]
  if (simple) return `(${simple} ${args.join(' ')})`
  if (node.op in LANES) return `(call $${node.op} ${args.join(' ')})`
  if (node.op === 'select') return `(v128.bitselect ${y} ${z} ${x})`
  if (node.op === 'rsqrt') return `(f32x4.div ${constant(1)} (f32x4.sqrt ${x}))`
  if (node.op === 'sign') return sign(x!, frame.local('x'))
  throw new Error(`no WebAssembly for ${node.op}`)
}

/** 1 with the sign of x, where there is more of x than 0 (and it is a number), else x. */
function sign(x: string, local: string): string {
  const one = `(v128.or (v128.and ${tee(local, x)} ${constant(-0)}) ${constant(1)})`
  return `(v128.bitselect ${one} ${local} (f32x4.gt (f32x4.abs ${local}) ${constant(0)}))`
}

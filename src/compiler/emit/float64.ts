/** JavaScript expressions in float64, with the parentheses that they need and no others. */
import type { Node } from '../check/program.js'

const INFIX: Readonly<Record<string, { readonly sign: string; readonly binds: number }>> = {
  or: { sign: '||', binds: 3 },
  and: { sign: '&&', binds: 4 },
  eq: { sign: '===', binds: 8 },
  ne: { sign: '!==', binds: 8 },
  lt: { sign: '<', binds: 9 },
  le: { sign: '<=', binds: 9 },
  gt: { sign: '>', binds: 9 },
  ge: { sign: '>=', binds: 9 },
  add: { sign: '+', binds: 11 },
  sub: { sign: '-', binds: 11 },
  mul: { sign: '*', binds: 12 },
  div: { sign: '/', binds: 12 },
  pow: { sign: '**', binds: 13 }
}
const PREFIX: Readonly<Record<string, string>> = { neg: '-', not: '!' }
const SELECT = 2
const UNARY = 14
const ATOM = 20

const CALLS: Readonly<Record<string, string>> = {
  abs: 'Math.abs',
  sign: 'Math.sign',
  sqrt: 'Math.sqrt',
  cbrt: 'Math.cbrt',
  exp: 'Math.exp',
  log: 'Math.log',
  floor: 'Math.floor',
  tanh: 'Math.tanh',
  max: 'Math.max',
  min: 'Math.min'
}

/** Prints a host operation on printed operands. */
export function apply(node: Node, args: readonly string[]): string {
  /** An operand where what stands there must bind at least so tightly. */
  const arg = (i: number, least: number): string => {
    const text = args[i]!
    return bindsOf(node.args[i]!, text) >= least ? text : `(${text})`
  }
  const infix = INFIX[node.op]
  // `-x ** y` is no JavaScript, and `**` groups to the right.
  if (node.op === 'pow') return `${arg(0, UNARY + 1)} ** ${arg(1, 13)}`
  if (infix) return `${arg(0, infix.binds)} ${infix.sign} ${arg(1, infix.binds + 1)}`
  const prefix = PREFIX[node.op]
  if (prefix) return `${prefix}${arg(0, UNARY + 1)}`
  if (node.op === 'select') return `${arg(0, SELECT + 1)} ? ${arg(1, SELECT)} : ${arg(2, SELECT)}`
  if (node.op === 'rsqrt') return `1 / Math.sqrt(${args[0]})`
  const call = CALLS[node.op]
  if (!call) throw new Error(`no JavaScript for ${node.op}`)
  return `${call}(${args.join(', ')})`
}

/** How tightly a printed operand holds together. One that has a name of its own is a word, whatever it computes. */
function bindsOf(node: Node, text: string): number {
  if (/^[\w$.]+$/.test(text)) return ATOM
  if (node.op === 'const') return UNARY
  if (node.op === 'select') return SELECT
  if (node.op === 'rsqrt') return 12
  return INFIX[node.op]?.binds ?? (PREFIX[node.op] ? UNARY : ATOM)
}

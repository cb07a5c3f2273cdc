/** Values as text in the language's own notation, with the author's names. */
import type { Node, Program } from '../check/program.js'
import { leafName } from './names.js'
import { isReduction } from './order.js'

/** A name to print in place of a value, or null for one to spell out. */
export type Known = (node: Node) => string | null

const INFIX: Readonly<Record<string, { readonly sign: string; readonly binds: number }>> = {
  or: { sign: 'or', binds: 1 },
  and: { sign: 'and', binds: 2 },
  lt: { sign: '<', binds: 4 },
  le: { sign: '<=', binds: 4 },
  gt: { sign: '>', binds: 4 },
  ge: { sign: '>=', binds: 4 },
  eq: { sign: '==', binds: 4 },
  ne: { sign: '!=', binds: 4 },
  add: { sign: '+', binds: 5 },
  sub: { sign: '-', binds: 5 },
  mul: { sign: '*', binds: 6 },
  div: { sign: '/', binds: 6 }
}
const OVER = { layer: '', model: ' over model', row: ' over rows', col: ' over cols', channel: ' over channels' }
/** Values of which a formula is spelled out at most: one that stands in many places would be written again in each. */
const LONGEST = 200
const SELECT = 0
const NOT = 3
const NEGATE = 7
const POWER = 8
const ATOM = 9

export function speller(program: Program, known: Known): (node: Node) => string {
  return (root) => {
    let spelled = 0
    return spell(root).text

    function spell(node: Node): { text: string; binds: number } {
      const name = node === root ? null : known(node)
      if (name !== null) return { text: name, binds: ATOM }
      if (++spelled > LONGEST) return { text: '…', binds: ATOM }
      const leaf = leafText(node, program)
      if (leaf !== null) return { text: leaf, binds: leaf.startsWith('-') ? NEGATE : ATOM }
      const arg = (i: number, least: number): string => {
        const { text, binds } = spell(node.args[i]!)
        return binds >= least ? text : `(${text})`
      }
      if (isReduction(node)) {
        return { text: `${node.op}(${arg(0, SELECT)}${OVER[node.over]})`, binds: ATOM }
      }
      if (node.op === 'mul' && node.args[0] === node.args[1]) return { text: `${arg(0, ATOM)}²`, binds: POWER }
      const infix = INFIX[node.op]
      if (infix) {
        const left = arg(0, infix.binds === 4 ? 5 : infix.binds)
        return { text: `${left} ${infix.sign} ${arg(1, infix.binds + 1)}`, binds: infix.binds }
      }
      switch (node.op) {
        case 'select':
          return { text: `if ${arg(0, NOT - 2)} then ${arg(1, 1)} else ${arg(2, SELECT)}`, binds: SELECT }
        case 'noise':
          return { text: 'noise()', binds: ATOM }
        case 'not':
          return { text: `not ${arg(0, NOT)}`, binds: NOT }
        case 'neg':
          return { text: `-${arg(0, POWER)}`, binds: NEGATE }
        case 'pow':
          return { text: `${arg(0, ATOM)}^${arg(1, NEGATE)}`, binds: POWER }
        default:
          return { text: `${node.op}(${node.args.map((_, i) => arg(i, SELECT)).join(', ')})`, binds: ATOM }
      }
    }
  }
}

function leafText(node: Node, program: Program): string | null {
  if (node.op === 'const') return String(node.value).replace('Infinity', 'inf')
  if (node.op === 'match') return `name ~ /${node.pattern}/${node.flags}`
  return node.args.length === 0 ? leafName(node, program) : null
}

/**
 * Host conditions that decide device values: a mask, a flag, a comparison of the step. Each assignment of them is a variant
 * with a Plan of its own.
 */
import type { Node } from '../check/program.js'
import { isOfModel, reach } from './order.js'
import { conditionOf } from './rewrite.js'

/** More conditions than these stay what they are: scalars of 1 or 0 that kernels select by. */
const MOST_CONDITIONS = 4

/** With more parts than these it is not asked which assignments exclude each other. */
const MOST_PARTS = 8

export function findConditions(roots: readonly Node[]): Node[] {
  const found = new Set<Node>()
  for (const node of reach(roots, (n) => n.place === 'device' && !isOfModel(n))) {
    if (node.place === 'host' || isOfModel(node)) continue
    const deciding = node.op === 'select' ? node.args.slice(0, 1) : isLogic(node) ? node.args : []
    for (const arg of deciding) {
      if (arg.place === 'host' && arg.op !== 'const') found.add(conditionOf(arg).condition)
    }
  }
  return [...found].slice(0, MOST_CONDITIONS)
}

/**
 * All assignments: in the i-th, condition c is bit c of i. Where conditions exclude it (`adapt and large`, but not `adapt`),
 * the nearest that can be stands in its place.
 */
export function assignments(conditions: readonly Node[]): ReadonlyMap<Node, boolean>[] {
  const possible = possibleAssignments(conditions)
  return Array.from({ length: 2 ** conditions.length }, (_, index) => {
    const nearest = possible.reduce((a, b) => (distance(b, index) < distance(a, index) ? b : a))
    return new Map(conditions.map((condition, c) => [condition, bit(nearest, c)]))
  })
}

/** By trying all values of the parts that conditions are made of with `not`, `and` and `or`. */
function possibleAssignments(conditions: readonly Node[]): number[] {
  const parts = reach(conditions, isLogic).filter((node) => !isLogic(node))
  if (parts.length > MOST_PARTS) return [...Array(2 ** conditions.length).keys()]
  const found = new Set<number>()
  for (let values = 0; values < 2 ** parts.length; values++) {
    const holds = (node: Node): boolean => {
      if (!isLogic(node)) return node.op === 'const' ? node.value === true : bit(values, parts.indexOf(node))
      if (node.op === 'not') return !holds(node.args[0]!)
      return node.op === 'and' ? node.args.every(holds) : node.args.some(holds)
    }
    found.add(conditions.reduce((index, condition, c) => index | (holds(condition) ? 1 << c : 0), 0))
  }
  return [...found].sort((a, b) => a - b)
}

function isLogic(node: Node): boolean {
  return node.op === 'not' || node.op === 'and' || node.op === 'or'
}

function bit(index: number, c: number): boolean {
  return ((index >> c) & 1) === 1
}

/** How many bits differ. */
function distance(a: number, b: number): number {
  let count = 0
  for (let differ = a ^ b; differ > 0; differ >>= 1) count += differ & 1
  return count
}

/** Which reductions over the model are made at which barrier: a choice that all layers share. */
import type { Node } from '../check/program.js'
import { isReduction, reach } from './order.js'
import type { ReduceNode } from './plan.js'

/** A reduction over the model, and the barrier that completes it. */
export interface ModelReduction {
  readonly node: ReduceNode
  readonly barrier: number
}

/** With more reductions over the model than these, each is made as early as it can be, and the Plan is not proved least. */
const MOST_TO_CHOOSE = 3

export interface BarrierChoices {
  /** First the one in which each reduction is made as early as it can be. */
  readonly choices: readonly (readonly ModelReduction[])[]
  readonly areAll: boolean
}

export function barrierChoices(roots: readonly Node[]): BarrierChoices {
  const made = reductionsOverModel(roots)
  const earliest: number[] = []
  for (const { needs } of made) earliest.push(firstAfter(needs, earliest))
  const areAll = made.length <= MOST_TO_CHOOSE
  const all = areAll ? [...assignments(made.map((m) => m.needs))].filter((a) => `${a}` !== `${earliest}`) : []
  const choices = [earliest, ...all].map((at) => made.map(({ node }, i) => ({ node, barrier: at[i]! })))
  return { choices, areAll }
}

/** Each after those that its operand is made from, given by their numbers. */
function reductionsOverModel(roots: readonly Node[]): { node: ReduceNode; needs: number[] }[] {
  const below = new Map<Node, ReadonlySet<number>>()
  const made: { node: ReduceNode; needs: number[] }[] = []
  for (const node of reach(roots, () => true)) {
    const needs = new Set(node.args.flatMap((arg) => [...below.get(arg)!]))
    if (isReduction(node) && node.over === 'model') {
      made.push({ node, needs: [...needs] })
      needs.add(made.length - 1)
    }
    below.set(node, needs)
  }
  return made
}

/** All ways to number barriers such that each reduction comes after what it needs, and no barrier is empty. */
function* assignments(needs: readonly (readonly number[])[], at: readonly number[] = []): Generator<readonly number[]> {
  const next = needs[at.length]
  if (!next) {
    const used = new Set(at)
    if (used.size === 1 + Math.max(-1, ...at)) yield at
    return
  }
  for (let b = firstAfter(next, at); b < needs.length; b++) yield* assignments(needs, [...at, b])
}

/** The first barrier behind those of the reductions given. */
function firstAfter(needs: readonly number[], at: readonly number[]): number {
  return 1 + Math.max(-1, ...needs.map((n) => at[n]!))
}

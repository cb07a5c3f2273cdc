/** Three-valued comparisons: what every allowed execution agrees on is decided, the rest is not. */
import type { Num } from './number.js'

export interface Truth {
  /** What exact arithmetic says. */
  readonly value: boolean
  readonly decided: boolean
}

export const truth = (value: boolean, decided = true): Truth => ({ value, decided })

export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!='

export function compare(op: Comparison, p: Num, q: Num): Truth {
  switch (op) {
    case '<':
      return truth(p.x < q.x, p.high < q.low || p.low >= q.high)
    case '<=':
      return truth(p.x <= q.x, p.high <= q.low || p.low > q.high)
    case '>':
      return compare('<', q, p)
    case '>=':
      return compare('<=', q, p)
    case '==':
      return truth(p.x === q.x, p.high < q.low || q.high < p.low || (p.low === p.high && q.low === q.high))
    case '!=':
      return not(compare('==', p, q))
  }
}

export const not = (p: Truth): Truth => truth(!p.value, p.decided)

/** False as soon as one side is decidedly false. */
export function and(p: Truth, q: Truth): Truth {
  const settled = (p.decided && !p.value) || (q.decided && !q.value)
  return truth(p.value && q.value, settled || (p.decided && q.decided))
}

export const or = (p: Truth, q: Truth): Truth => not(and(not(p), not(q)))

/** One of two numbers; the hull of both, and marked, where the condition is not decided. */
export function choose(condition: Truth, then: Num, otherwise: Num): Num {
  const chosen = condition.value ? then : otherwise
  if (condition.decided) return chosen
  const low = Math.min(then.low, otherwise.low)
  const high = Math.max(then.high, otherwise.high)
  return { x: chosen.x, low, high, chain: null, undecided: true }
}

export function chooseTruth(condition: Truth, then: Truth, otherwise: Truth): Truth {
  const chosen = condition.value ? then : otherwise
  const agree = then.decided && otherwise.decided && then.value === otherwise.value
  return truth(chosen.value, agree || (condition.decided && chosen.decided))
}

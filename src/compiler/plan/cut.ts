/**
 * The fewest loads that a pass can do with. What it needs is computable if each way down from it meets a value that is
 * read before it meets one that can't be computed; so the loads are a minimum cut between the two, and are found by
 * sending as much flow from the one to the other as what can be read lets through.
 */

/** What a pass finds. */
export interface Ground {
  /** What reading a value costs; 0 where it can't be read. */
  readonly cost: Int32Array
  /** 1 where a value can be computed from its operands. */
  readonly computable: Uint8Array
}

export interface Cut {
  /** The values to read. */
  readonly reads: readonly number[]
  /** How many operations are left to compute. */
  readonly operations: number
}

export interface Cutter {
  /** Of all minimum cuts the one that leaves the fewest operations; null where the targets can't be computed. */
  cut(ground: Ground, targets: readonly number[]): Cut | null
  isPossible(ground: Ground, targets: readonly number[]): boolean
}

/** For values with these operands. Its arrays are used again and again: the search cuts some thousand times. */
export function createCutter(args: readonly (readonly number[])[]): Cutter {
  const count = args.length
  /** Arc k goes from a value to an operand; those to value i are `into[i]`. */
  const first = new Int32Array(count + 1)
  for (const [i, operands] of args.entries()) first[i + 1] = first[i]! + operands.length
  const head = Int32Array.from(args.flat())
  const tail = new Int32Array(head.length)
  const into: number[][] = args.map(() => [])
  for (let i = 0; i < count; i++) {
    for (let k = first[i]!; k < first[i + 1]!; k++) {
      tail[k] = i
      into[head[k]!]!.push(k)
    }
  }

  /** What flows through a value, and along an arc. */
  const through = new Float64Array(count)
  const along = new Float64Array(head.length)
  /**
   * A value is two places: 2i, where it is wanted, and 2i + 1, what it wants. `by` is how a place was reached in the
   * current search: by an arc k forwards (k) or backwards (−1 − k), across its own value or from a target.
   */
  const by = new Int32Array(2 * count)
  const reached = new Int32Array(2 * count)
  const queue = new Int32Array(2 * count)
  const way = new Int32Array(2 * count)
  const ACROSS = head.length
  const TARGET = head.length + 1
  let search = 0

  function isPossible({ cost, computable }: Ground, targets: readonly number[]): boolean {
    search++
    let open = 0
    const enter = (i: number): void => {
      if (reached[2 * i] === search || cost[i]! > 0) return
      reached[2 * i] = search
      queue[open++] = i
    }
    for (const target of targets) enter(target)
    while (open > 0) {
      const i = queue[--open]!
      if (!computable[i]) return false
      for (const arg of args[i]!) enter(arg)
    }
    return true
  }

  /** Looks for a way on which more can flow; gives the value at its end, which can't be computed, or −1. */
  function findWay({ cost, computable }: Ground, targets: readonly number[]): number {
    search++
    let end = 0
    const enter = (place: number, how: number): void => {
      if (reached[place] === search) return
      reached[place] = search
      by[place] = how
      queue[end++] = place
    }
    for (const target of targets) enter(2 * target, TARGET)
    for (let at = 0; at < end; at++) {
      const place = queue[at]!
      const i = place >> 1
      if (place === 2 * i) {
        if (cost[i] === 0 || through[i]! < cost[i]!) enter(place + 1, ACROSS)
        for (const k of into[i]!) if (along[k]! > 0) enter(2 * tail[k]! + 1, -1 - k)
      } else {
        if (!computable[i]) return i
        for (let k = first[i]!; k < first[i + 1]!; k++) enter(2 * head[k]!, k)
        if (through[i]! > 0) enter(place - 1, ACROSS)
      }
    }
    return -1
  }

  /** Puts the places on the way that was found, from its end to a target, into `way`; gives their number. */
  function wayBack(end: number): number {
    let length = 0
    for (let place = 2 * end + 1; ; ) {
      way[length++] = place
      const how = by[place]!
      if (how === TARGET) return length
      if (how === ACROSS) place ^= 1
      else place = how >= 0 ? 2 * tail[how]! + 1 : 2 * head[-1 - how]!
    }
  }

  /** Sends all that it can along the way. */
  function send({ cost }: Ground, end: number): void {
    const length = wayBack(end)
    let flow = Infinity
    for (let at = 0; at < length; at++) {
      const place = way[at]!
      const i = place >> 1
      const how = by[place]!
      if (how < 0) flow = Math.min(flow, along[-1 - how]!)
      else if (how === ACROSS && place !== 2 * i)
        flow = Math.min(flow, cost[i]! > 0 ? cost[i]! - through[i]! : Infinity)
      else if (how === ACROSS) flow = Math.min(flow, through[i]!)
    }
    for (let at = 0; at < length; at++) {
      const place = way[at]!
      const i = place >> 1
      const how = by[place]!
      if (how === ACROSS) through[i]! += place === 2 * i ? -flow : flow
      else if (how < 0) along[-1 - how]! -= flow
      else if (how !== TARGET) along[how]! += flow
    }
  }

  function cut(ground: Ground, targets: readonly number[]): Cut | null {
    if (!isPossible(ground, targets)) return null
    through.fill(0)
    along.fill(0)
    for (let end = findWay(ground, targets); end >= 0; end = findWay(ground, targets)) send(ground, end)
    // The cut nearest the targets: what the last search reached, but not across.
    const reads: number[] = []
    let operations = 0
    for (let i = 0; i < count; i++) {
      if (reached[2 * i] !== search) continue
      if (reached[2 * i + 1] === search) operations++
      else reads.push(i)
    }
    return { reads, operations }
  }

  return { cut, isPossible }
}

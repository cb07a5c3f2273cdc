/**
 * The fewest loads that a pass can do with. What it needs is computable if each way down from it meets a value that is
 * read before it meets one that can't be computed; so the loads are a minimum cut between the two.
 */

export interface CutProblem {
  /** Operands of each value. */
  readonly args: readonly (readonly number[])[]
  /** What reading a value costs; 0 where it can't be read. */
  readonly cost: Int32Array
  /** Whether a value can be computed from its operands. */
  readonly computable: Uint8Array
}

export interface Cut {
  /** The values to read. */
  readonly reads: readonly number[]
  /** How many operations are left to compute. */
  readonly operations: number
}

/** Of all minimum cuts the one that leaves the fewest operations; null where nothing makes the targets computable. */
export function minimumCut({ args, cost, computable }: CutProblem, targets: readonly number[]): Cut | null {
  if (!isPossible()) return null
  // A vertex is split: 2i is where it is wanted, 2i + 1 what it wants. What can't be computed has the sink below it.
  const source = 2 * args.length
  const sink = source + 1
  const edges: number[][] = Array.from({ length: sink + 1 }, () => [])
  const to: number[] = []
  const room: number[] = []
  const connect = (from: number, end: number, capacity: number): void => {
    edges[from]!.push(to.push(end) - 1)
    room.push(capacity)
    edges[end]!.push(to.push(from) - 1)
    room.push(0)
  }
  const entered = new Uint8Array(args.length)
  const stack = [...targets]
  for (const target of new Set(targets)) connect(source, 2 * target, Infinity)
  while (stack.length > 0) {
    const i = stack.pop()!
    if (entered[i]) continue
    entered[i] = 1
    connect(2 * i, 2 * i + 1, cost[i]! > 0 ? cost[i]! : Infinity)
    if (!computable[i]) {
      connect(2 * i + 1, sink, Infinity)
      continue
    }
    for (const arg of args[i]!) {
      connect(2 * i + 1, 2 * arg, Infinity)
      stack.push(arg)
    }
  }

  let reached = augment()
  while (reached[sink]! !== NOWHERE) reached = augment()
  // The cut nearest the targets: what is wanted by what is reached, and is not reached itself.
  const isReached = (vertex: number): boolean => reached[vertex]! !== NOWHERE
  const reads: number[] = []
  let operations = 0
  for (let i = 0; i < args.length; i++) {
    if (!entered[i] || !isReached(2 * i)) continue
    if (isReached(2 * i + 1)) operations++
    else reads.push(i)
  }
  return { reads, operations }

  function isPossible(): boolean {
    const seen = new Uint8Array(args.length)
    const open = [...targets]
    while (open.length > 0) {
      const i = open.pop()!
      if (seen[i] || cost[i]! > 0) continue
      seen[i] = 1
      if (!computable[i]) return false
      open.push(...args[i]!)
    }
    return true
  }

  /** Sends what it can along one shortest way to the sink; the edge by which each vertex was reached. */
  function augment(): Int32Array {
    const by = new Int32Array(sink + 1).fill(NOWHERE)
    by[source] = START
    const queue = [source]
    for (let head = 0; head < queue.length && by[sink] === NOWHERE; head++) {
      for (const edge of edges[queue[head]!]!) {
        if (room[edge]! === 0 || by[to[edge]!] !== NOWHERE) continue
        by[to[edge]!] = edge
        queue.push(to[edge]!)
      }
    }
    if (by[sink] === NOWHERE) return by
    let flow = Infinity
    for (let v = sink; v !== source; v = to[by[v]! ^ 1]!) flow = Math.min(flow, room[by[v]!]!)
    for (let v = sink; v !== source; v = to[by[v]! ^ 1]!) {
      room[by[v]!]! -= flow
      room[by[v]! ^ 1]! += flow
    }
    return by
  }
}

const NOWHERE = -1
const START = -2

/**
 * Random programs and cases are drawn from streams of small numbers, where 0 is always the simplest choice and an empty
 * stream goes on with zeros. So whatever shrinks lists of numbers shrinks programs, and they stay well typed.
 */

export interface Choices {
  /** A whole number below n. */
  below(n: number): number
  of<T>(options: readonly T[]): T
  /** True once in about n times, and never in the simplest case. */
  chance(n: number): boolean
}

export function choices(stream: readonly number[]): Choices {
  let at = 0
  const below = (n: number): number => (stream[at++] ?? 0) % n
  return {
    below,
    of: (options) => options[below(options.length)]!,
    chance: (n) => below(n) === n - 1 && n > 1
  }
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

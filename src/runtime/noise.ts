/**
 * The numbers behind `noise()` (docs/language.md): the first word of Threefry with words of 32 bits, two of them, and 13
 * rounds (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011). Every target makes the same, bit for bit,
 * and they depend on nothing but the seed, the step, the layer's name, the element's index and the `noise()`.
 */

/** Hashes two words by a key of two words, all as integers of 32 bits. Unrolled: a step calls it for each element. */
export function threefry(k0: number, k1: number, x: number, y: number): number {
  const k2 = k0 ^ k1 ^ 0x1bd11bda
  let a = (x + k0) | 0
  let b = (y + k1) | 0
  a = (a + b) | 0
  b = ((b << 13) | (b >>> 19)) ^ a
  a = (a + b) | 0
  b = ((b << 15) | (b >>> 17)) ^ a
  a = (a + b) | 0
  b = ((b << 26) | (b >>> 6)) ^ a
  a = (a + b) | 0
  b = ((b << 6) | (b >>> 26)) ^ a
  a = (a + k1) | 0
  b = (b + k2 + 1) | 0
  a = (a + b) | 0
  b = ((b << 17) | (b >>> 15)) ^ a
  a = (a + b) | 0
  b = ((b << 29) | (b >>> 3)) ^ a
  a = (a + b) | 0
  b = ((b << 16) | (b >>> 16)) ^ a
  a = (a + b) | 0
  b = ((b << 24) | (b >>> 8)) ^ a
  a = (a + k2) | 0
  b = (b + k0 + 2) | 0
  a = (a + b) | 0
  b = ((b << 13) | (b >>> 19)) ^ a
  a = (a + b) | 0
  b = ((b << 15) | (b >>> 17)) ^ a
  a = (a + b) | 0
  b = ((b << 26) | (b >>> 6)) ^ a
  a = (a + b) | 0
  b = ((b << 6) | (b >>> 26)) ^ a
  a = (a + k0) | 0
  b = (b + k1 + 3) | 0
  a = (a + b) | 0
  b = ((b << 17) | (b >>> 15)) ^ a
  return a >>> 0
}

/**
 * A number of [0, 1) with 24 bits, exact in float32. The key is as `keyOf` gives it: two words, each as its lower and its
 * upper half.
 */
export function noise(low0: number, high0: number, low1: number, high1: number, index: number, site: number): number {
  return (threefry(low0 | (high0 << 16), low1 | (high1 << 16), index, site) >>> 8) * 2 ** -24
}

export type Key = readonly [low0: number, high0: number, low1: number, high1: number]

/** The key of a layer in a step. In halves, because a float32 holds 16 bits but not 32. */
export function keyOf(seed: number, name: string, step: number): Key {
  const [x, y] = [0, 1].map((word) => threefry(seed, fnv1a(name), step, word)) as [number, number]
  return [x & 0xffff, x >>> 16, y & 0xffff, y >>> 16]
}

/** FNV-1a of the name in UTF-8. */
function fnv1a(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}

/** Whether it can be a seed: a whole number of 32 bits. */
export function isSeed(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32
}

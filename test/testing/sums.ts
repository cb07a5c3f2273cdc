/**
 * In which order a kernel that runs adds up a layer, its rows, columns or channels, found from outside, and that it is no deeper than docs/numerics.md says.
 *
 * A large number stands at one place, its negative at another, and 1 at all others. What is added to the large number before
 * it meets its negative is lost, so the sum says how many elements stand outside of the smallest part of the tree that
 * holds both. For one place, and each other place in turn, these parts are all that it is a member of: as many as it is deep.
 */
import { expect, test } from 'vitest'
import { type Grid, gridOf, type Table } from '../../src/reference/index.js'
import type { Case, CaseLayer } from '../../src/testing/case.js'
import { type RemoteSubject, runOn, type Subject } from '../../src/testing/harness.js'

const SUM = `optimizer Sum {
  step(w, g) {
    all = sum(g)
    observe all as all
    w := w - all
  }
}`
const LARGE = 2 ** 60
const SHAPES: readonly (readonly number[])[] = [[17], [60], [129, 1], [33, 31], [1025]]

export function sumsAreNoDeeperThan(
  { depth }: Table,
  bring: (source: string) => Promise<Subject | RemoteSubject>
): void {
  test.each(SHAPES.map((shape) => ({ shape })))('the sum of [$shape]', { timeout: 120_000 }, async ({ shape }) => {
    const size = shape.reduce((a, b) => a * b, 1)
    const subject = await bring(SUM)
    for (const place of [0, Math.floor(size / 3)]) {
      const given = caseOf(shape, place, neighbours(place, size))
      const { records } = await runOn(subject, given)
      const outside = given.layers.map(({ name }) => records[0]!.observations[name]!['all']!)
      mustBeParts(outside, size, depth.whole([gridOf(shape)]))
    }
  })
}

/** A row of so many columns that partial results are joined in a tree; columns and matrices beyond a tile's height. */
const MATRICES: readonly (readonly number[])[] = [
  [4, 1100],
  [2, 2100, 2],
  [19, 2, 5],
  [40, 70]
]
const OVER = ['rows', 'cols', 'channels'] as const

export function linesAreNoDeeperThan(
  { depth }: Table,
  bring: (source: string) => Promise<Subject | RemoteSubject>,
  matrices = MATRICES
): void {
  const cases = OVER.flatMap((over) => matrices.map((shape) => ({ over, shape })))
  test.each(cases)('sums over $over of [$shape], and the whole', { timeout: 120_000 }, async ({ over, shape }) => {
    const subject = await bring(`optimizer Lines {
      step(w, g) {
        all = sum(g)
        observe all as all
        w := w - sum(g over ${over})
      }
    }`)
    const grid = gridOf(shape)
    const line = lineOf(grid, over)
    const own = Math.floor(line.length / 3)
    const given = caseOf(
      shape,
      line[own]!,
      neighbours(own, line.length).map((i) => line[i]!)
    )
    const [record] = (await runOn(subject, given)).records
    const outside = record!.after.layers.map(({ weight }) => 0 - weight[line[own]!]!)
    mustBeParts(outside, line.length, depth.line(grid, over))
    const all = given.layers.map(({ name }) => record!.observations[name]!['all']!)
    mustBeParts(
      all,
      shape.reduce((a, b) => a * b, 1),
      depth.whole([grid]),
      line.length
    )
  })
}

/** How many stand outside of the parts that hold a place and another, for all others of a sum of `size`, or some of them. */
function mustBeParts(outside: readonly number[], size: number, depth: number, some = size): void {
  for (const count of outside) expect(Number.isInteger(count) && count >= 0 && count <= size - 2).toBe(true)
  // Something of the whole sum is always in no smaller part.
  if (some === size) expect(Math.min(...outside)).toBe(0)
  expect(new Set(outside).size).toBeLessThanOrEqual(depth)
}

/** A row, column or channel of the second matrix or the last, by the indices of its values. */
function lineOf({ matrices, rows, cols }: Grid, over: (typeof OVER)[number]): number[] {
  const [matrix, row, col] = [Math.min(1, matrices - 1), Math.floor(rows / 2), cols - 1]
  return Array.from({ length: matrices * rows * cols }, (_, i) => i).filter((i) => {
    const [m, r] = [Math.floor(i / (rows * cols)), Math.floor(i / cols) % rows]
    if (over === 'rows') return m === matrix && r === row
    return i % cols === col && (over === 'channels' || m === matrix)
  })
}

function caseOf(shape: readonly number[], place: number, others: readonly number[]): Case {
  const size = shape.reduce((a, b) => a * b, 1)
  return {
    layers: others.map((other) => layerOf(shape, size, place, other)),
    ...{ hypers: {}, falling: [], masks: {}, inPlace: true, steps: 1, reload: 0 }
  }
}

function layerOf(shape: readonly number[], size: number, place: number, other: number): CaseLayer {
  const gradient = new Float32Array(size).fill(1)
  gradient[place] = LARGE
  gradient[other] = -LARGE
  return { name: `l${other}`, shape, weight: new Float32Array(size), gradients: [gradient], group: {} }
}

/** All other places; of many those near by, a power of two away, and at the strides that kernels take. */
function neighbours(place: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => i).filter((i) => {
    const away = Math.abs(i - place)
    return (
      away > 0 &&
      (size <= 200 || i === 0 || i === size - 1 || away <= 34 || away % 32 <= 1 || (away & (away - 1)) === 0)
    )
  })
}

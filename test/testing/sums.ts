/**
 * In which order a kernel that runs adds up a layer, found from outside, and that it is no deeper than docs/numerics.md says.
 *
 * A large number stands at one place, its negative at another, and 1 at all others. What is added to the large number before
 * it meets its negative is lost, so the sum says how many elements stand outside of the smallest part of the tree that
 * holds both. For one place, and each other place in turn, these parts are all that it is a member of: as many as it is deep.
 */
import { expect, test } from 'vitest'
import type { Table } from '../../src/reference/index.js'
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
      const others = neighbours(place, size)
      const given: Case = {
        layers: others.map((other) => layerOf(shape, size, place, other)),
        ...{ hypers: {}, falling: [], masks: {}, inPlace: true, steps: 1, reload: 0 }
      }
      const { records } = await runOn(subject, given)
      const outside = given.layers.map(({ name }) => records[0]!.observations[name]!['all']!)
      for (const count of outside) expect(Number.isInteger(count) && count >= 0 && count <= size - 2).toBe(true)
      // Something of the whole sum is always in no smaller part.
      expect(Math.min(...outside)).toBe(0)
      expect(new Set(outside).size).toBeLessThanOrEqual(depth.whole([size]))
    }
  })
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

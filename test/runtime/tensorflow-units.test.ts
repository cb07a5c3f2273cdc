/** Which layers the tensorflow driver handles together. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, expect, test } from 'vitest'
import type { StepLayer } from '../../src/runtime/program.js'
import { groupsOf } from '../../src/runtime/tensorflow-units.js'

afterEach(() => tf.disposeVariables())

/** The shapes of each unit's pieces, unit by unit, group by group. */
function grouped(shapes: readonly number[][], small: number, block: number): number[][][][] {
  const layers = shapes.map((shape, i) => {
    const info = { name: `w${i}`, shape, size: tf.util.sizeFromShape(shape), rank: shape.length }
    return { layer: { info }, gradient: null, variant: 0, scalars: Float64Array.of(0.1) } as unknown as StepLayer
  })
  const program = { variants: [{}] } as unknown as Parameters<typeof groupsOf>[2]
  return groupsOf(layers, { small, block }, program).map(({ units }) =>
    units.map(({ pieces }) => pieces.flatMap((piece) => piece.layers.map(({ layer }) => [...layer.info.shape])))
  )
}

test('a layer as large as may be shares a vector still; larger ones are by themselves, the smallest first', () => {
  expect(grouped([[9], [5, 1], [4], [7], [2, 2], [6]], 4, 8)).toEqual([
    [[[4], [2, 2]]],
    [[[5, 1]]],
    [[[6]]],
    [[[7]]],
    [[[9]]]
  ])
})

test('layers of one shape are beside each other, as many as a block holds', () => {
  expect(grouped([[3], [1, 3], [3], [3], [2]], 4, 8)).toEqual([
    [
      [[3], [3]],
      [[3], [1, 3], [2]]
    ]
  ])
})

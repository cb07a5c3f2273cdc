/** Layers as the kernels see them that know of rows, columns or channels: `src/compiler/emit/wgsl-tiles.ts` says how. */
import { type Matrices, matricesOf, type Vector, viewOf } from './matrices.js'
import { WORKGROUP } from './webgpu-device.js'

/** How many numbers there are for each row, column and channel: state, and what passes keep. */
export type Lines = Readonly<Record<Vector, number>>

/** The fields of `View` in WGSL. */
export const VIEW_FIELDS = ['size', 'at', 'colSize', 'rowSize', 'wide', 'tall', 'stripes', 'blocks'] as const

export interface View extends Readonly<Record<(typeof VIEW_FIELDS)[number], number>> {
  readonly tiles: number
}

export type Views = Readonly<Record<'element' | Vector, View>>

/** In the order of `Layer` in WGSL. */
export const LEVELS = ['element', 'row', 'col', 'channel'] as const

/** The rows that an invocation adds in a block, and the most blocks of a tile. */
const BLOCK = 16
const MOST_BLOCKS = 16
/** Tiles that a layer is cut into, between those bounds. */
const TILES = 512

/** The views of a layer of some shape, with its lines from `at` on in `cells`. */
export function viewsOf(shape: readonly number[], lines: Lines, at: number): { views: Views; end: number } {
  const matrices = matricesOf(shape)
  let end = at
  const all = LEVELS.map((level) => {
    const view = viewAt(viewOf(matrices, level), end)
    if (level !== 'element') end += lines[level] * view.size
    return [level, view] as const
  })
  return { views: Object.fromEntries(all) as unknown as Views, end }
}

function viewAt([batch, colSize, rowSize]: Matrices, at: number): View {
  const size = batch * colSize * rowSize
  const wide = Math.min(WORKGROUP, 2 ** Math.ceil(Math.log2(rowSize)))
  const blocksOfTile = Math.ceil(size / (WORKGROUP * BLOCK * TILES))
  const tall = (WORKGROUP / wide) * BLOCK * Math.min(MOST_BLOCKS, blocksOfTile)
  const stripes = Math.ceil(rowSize / wide)
  const blocks = Math.ceil(colSize / tall)
  return { size, at, colSize, rowSize, wide, tall, stripes, blocks, tiles: batch * stripes * blocks }
}

/** The most partial results that one reduction leaves. */
export function partialsOf(views: Views): number {
  const each = Object.values(views).map(({ size, colSize, rowSize, stripes, blocks, tiles }) =>
    Math.max(tiles, (stripes * size) / rowSize, (blocks * size) / colSize)
  )
  return Math.max(...each)
}

/**
 * A layer as the language sees it where it speaks of rows, columns and channels: matrices over the last two axes, those
 * before them being a batch. A vector is one column, a scalar one row. A channel is the same column of all matrices.
 */
export type Matrices = readonly [batch: number, colSize: number, rowSize: number]

/** How many matrices there are, and how many elements a column and a row of one have. */
export function matricesOf(shape: readonly number[]): Matrices {
  const { length } = shape
  if (length < 2) return [1, shape[0] ?? 1, 1]
  let batch = 1
  for (let axis = 0; axis < length - 2; axis++) batch *= shape[axis]!
  return [batch, shape[length - 2]!, shape[length - 1]!]
}

/** What has one value for each row, column or channel. */
export type Vector = 'row' | 'col' | 'channel'

/** The shape of what has one value a weight, a row, a column or a channel. */
export function viewOf([batch, colSize, rowSize]: Matrices, over: 'element' | Vector): Matrices {
  const alongRows = over === 'element' || over === 'row'
  return [over === 'channel' ? 1 : batch, alongRows ? colSize : 1, over === 'row' ? 1 : rowSize]
}

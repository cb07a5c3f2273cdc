/**
 * What a value varies with inside a layer. A layer is seen as matrices over its last two axes, the axes before them being a
 * batch; a vector is one column, a scalar one row. A level that stands below `layer` in this is a set of axes: the join
 * of two levels is the union of their axes, and a reduction ranges over the axes that its operand has and its result has not.
 */
import type { Fact, Level, Node, Reduce } from './program.js'

type Axis = 'batch' | 'row' | 'col'

/** Rows of all matrices of the batch are told apart, and so are columns; a channel is the same column of all of them. */
const AXES: Readonly<Partial<Record<Level, readonly Axis[]>>> = {
  channel: ['col'],
  row: ['batch', 'row'],
  col: ['batch', 'col'],
  element: ['batch', 'row', 'col']
}

/** How many values there are along some axes, as facts of the layer. */
const COUNTS: Readonly<Record<string, Fact>> = {
  'batch row col': 'size',
  'batch row': 'rows',
  'batch col': 'cols',
  batch: 'matrices',
  row: 'colSize',
  col: 'rowSize'
}

/** The same over all layers. */
const MODEL_COUNTS: Readonly<Partial<Record<Level, Fact>>> = {
  element: 'modelSize',
  row: 'modelRows',
  col: 'modelCols',
  channel: 'modelChannels',
  layer: 'modelLayers'
}

/** The levels that vary inside a layer. */
export type Varying = Vector | 'element'
/** Those that are not of a single element. */
export type Vector = 'row' | 'col' | 'channel'

export function axesOf(level: Level): readonly Axis[] {
  return AXES[level] ?? []
}

/** The axes of `level` that `result` has not. */
function beyond(level: Level, result: Level): readonly Axis[] {
  return axesOf(level).filter((axis) => !axesOf(result).includes(axis))
}

/** Whether a value of this level has several values for each that a reduction makes. */
export function variesBelow(level: Level, over: Over): boolean {
  return over === 'model' ? level === 'layer' || axesOf(level).length > 0 : beyond(level, over).length > 0
}

/** The least level that has the axes of both. */
export function joinAxes(a: Level, b: Level): Level {
  const axes = new Set([...axesOf(a), ...axesOf(b)])
  return (Object.keys(AXES) as Level[]).find((level) => [...axes].every((axis) => axesOf(level).includes(axis)))!
}

/** What a reduction makes one value for each of. */
export type Over = 'model' | 'layer' | Vector

/** How many values of a level a reduction finds for each that it makes; null for one. */
export function countFact(level: Level, over: Over): Fact | null {
  if (over === 'model') return MODEL_COUNTS[level] ?? null
  const axes = beyond(level, over)
  return axes.length === 0 ? null : COUNTS[axes.join(' ')]!
}

/** What is needed of a graph to write a reduction. */
export interface Reducer {
  reduce(op: Reduce, over: Over, x: Node): Node
  times(x: Node, fact: Fact): Node
}

/**
 * The reduction of a value that is one of `level` to its author. Where its node is of a lower one (`m := 0`), the same value
 * is met several times, and there may be nothing to pass over.
 */
export function reduceAs(op: Reduce, over: Over, level: Level, x: Node, graph: Reducer): Node {
  const below = countFact(level, over)
  if (below === null) return x
  const own = variesBelow(x.level, over)
  const times = own ? (over === 'model' ? countFact(level, x.level as Over) : repeats(level, x.level, over)) : below
  const operand = op === 'sum' && times !== null ? graph.times(x, times) : x
  return own ? graph.reduce(op, over, operand) : operand
}

/** How often a value of a level is met where one of `claimed` is reduced. */
function repeats(claimed: Level, level: Level, over: Over): Fact | null {
  const axes = beyond(claimed, over).filter((axis) => !axesOf(level).includes(axis))
  return axes.length === 0 ? null : COUNTS[axes.join(' ')]!
}

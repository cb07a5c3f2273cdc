/** What a compiled program reads on the host: of a step, of the model and of a layer. One object, filled in again and again. */
import type { Variable } from '@tensorflow/tfjs-core'
import { matricesOf } from './matrices.js'
import type { HostInput, LayerInfo } from './program.js'

export function emptyInput(): HostInput {
  return {
    hypers: new Float64Array(0),
    masks: [],
    t: 0,
    age: 0,
    key: [0, 0, 0, 0],
    rank: 0,
    size: 0,
    rows: 0,
    cols: 0,
    matrices: 0,
    rowSize: 0,
    colSize: 0,
    modelSize: 0,
    modelRows: 0,
    modelCols: 0,
    modelChannels: 0,
    modelLayers: 0,
    layerState: new Float64Array(0),
    modelState: new Float64Array(0)
  }
}

/** What the model is in a step: the layers that have a gradient. */
export type ModelFacts = Pick<HostInput, 'modelSize' | 'modelRows' | 'modelCols' | 'modelChannels' | 'modelLayers'>

export function factsOf(variables: readonly Variable[]): ModelFacts {
  const facts = { modelSize: 0, modelRows: 0, modelCols: 0, modelChannels: 0, modelLayers: variables.length }
  for (const { size, shape } of variables) {
    const [batch, colSize, rowSize] = matricesOf(shape)
    facts.modelSize += size
    facts.modelRows += batch * colSize
    facts.modelCols += batch * rowSize
    facts.modelChannels += rowSize
  }
  return facts
}

export function readLayer(input: HostInput, { rank, size, shape }: LayerInfo): void {
  const [batch, colSize, rowSize] = matricesOf(shape)
  input.rank = rank
  input.size = size
  input.matrices = batch
  input.rowSize = rowSize
  input.colSize = colSize
  input.rows = batch * colSize
  input.cols = batch * rowSize
}

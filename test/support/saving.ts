/** Models saved as users save them. */
import * as tf from '@tensorflow/tfjs'

/** Saves to memory, through JSON as a file would. */
export async function save(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    }),
    { includeOptimizer: true }
  )
  const { weightData, ...rest } = saved!
  const data = tf.io.concatenateArrayBuffers([weightData as ArrayBuffer])
  return { ...JSON.parse(JSON.stringify(rest)), weightData: data }
}

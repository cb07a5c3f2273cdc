/** Models, data and saving for the tests of the class. */
import * as tf from '@tensorflow/tfjs'

/** Two dense layers, the same weights each time. */
export function smallModel(names: readonly [string?, string?] = []): tf.Sequential {
  const layer = (units: number, seed: number, name: string | undefined, extra: object = {}) =>
    tf.layers.dense({
      units,
      kernelInitializer: tf.initializers.randomNormal({ stddev: 0.5, seed }),
      ...(name ? { name } : {}),
      ...extra
    })
  return tf.sequential({
    layers: [layer(4, 1, names[0], { inputShape: [3], activation: 'tanh' }), layer(2, 2, names[1])]
  })
}

const x = tf.randomNormal([16, 3], 0, 1, 'float32', 3)
const y = tf.randomNormal([16, 2], 0, 1, 'float32', 4)

/** Steps on the same batches each time. */
export async function train(model: tf.LayersModel, epochs: number): Promise<void> {
  await model.fit(x, y, { epochs, batchSize: 8, shuffle: false, verbose: 0 })
}

export function weightsOf(model: tf.LayersModel): number[][] {
  return model.getWeights().map((weight) => [...weight.dataSync()])
}

export function load(artifacts: tf.io.ModelArtifacts): Promise<tf.LayersModel> {
  return tf.loadLayersModel(tf.io.fromMemory(artifacts))
}

/** Variables with gradients to give by hand. */
export function variables(shapes: Readonly<Record<string, number[]>>): Record<string, tf.Variable> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [
      name,
      tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 1, 'float32', i + 1), true, name))
    ])
  )
}

export function gradientsFor(of: Readonly<Record<string, tf.Variable>>, seed = 1): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(of).map(([name, variable], i) => [
      name,
      tf.randomNormal(variable.shape, 0, 1, 'float32', 100 * seed + i)
    ])
  )
}

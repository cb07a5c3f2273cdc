// Trains a network on real digits with the LAMB that `optc compile` made of optimizers/lamb.opt. Called by `npm run demo`
// with the folder of the compiled optimizers and the time that compilation began.
import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { epochOf, loadDigits, toTensors } from './digits.mjs'

const EPOCHS = 8
const BATCH = 100
const WANTED = 0.95

const [folder, began] = process.argv.slice(2)
const compiled = (name) => import(pathToFileURL(resolve(folder, `${name}.js`)).href)

const lambFile = join(folder, 'lamb.js')
if (statSync(lambFile).mtimeMs < Number(began)) fail(`${lambFile} was not written by this run`)
const { LAMB } = await compiled('lamb')
const { warmupPolynomial } = await compiled('std')
tf.serialization.registerClass(LAMB)

await tf.setBackend('cpu')
const { train: digits, test } = loadDigits(1500)
const { x: testX, y: testY } = toTensors(test)
const steps = EPOCHS * Math.ceil(digits.count / BATCH)

function newModel() {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        units: 128,
        activation: 'relu',
        inputShape: [784],
        kernelInitializer: tf.initializers.glorotUniform({ seed: 7 })
      }),
      tf.layers.dense({
        units: 10,
        activation: 'softmax',
        kernelInitializer: tf.initializers.glorotUniform({ seed: 8 })
      })
    ]
  })
  const optimizer = new LAMB({ learningRate: warmupPolynomial({ peak: 0.02, warmup: 40, total: steps }) })
  compile(model, optimizer)
  return model
}

function compile(model, optimizer) {
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
}

async function train(model, from, to, after = async () => {}) {
  for (let epoch = from; epoch < to; epoch++) {
    const { x, y } = epochOf(digits, epoch)
    const started = performance.now()
    const { history } = await model.fit(x, y, { epochs: 1, batchSize: BATCH, shuffle: false, verbose: 0 })
    tf.dispose([x, y])
    const seconds = (performance.now() - started) / 1000
    console.log(
      `  epoch ${epoch + 1}/${EPOCHS}  loss ${history.loss[0].toFixed(4)}  accuracy ${history.acc[0].toFixed(4)}  ${seconds.toFixed(1)} s`
    )
    await after(epoch)
  }
}

console.log(`\nTraining on ${digits.count} digits, testing on ${test.count} others (cpu backend)`)
const model = newModel()
let saved
await train(model, 0, EPOCHS, async (epoch) => {
  if (epoch + 1 === EPOCHS / 2) {
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
      }),
      { includeOptimizer: true }
    )
    console.log('  (saved here, to be resumed below)')
  }
})
const optimizer = model.optimizer
const accuracy = tf.tidy(() => model.evaluate(testX, testY, { batchSize: 500 })[1].dataSync()[0])

console.log('\nThe same training again, resumed from what was saved half-way')
const resumed = await tf.loadLayersModel(tf.io.fromMemory(saved))
await train(resumed, EPOCHS / 2, EPOCHS)
const same = sameBits(model, resumed)

console.log('\nTrust ratio of every layer, last step')
for (const [layer, { trustRatio }] of Object.entries(await optimizer.observations())) {
  console.log(`  ${layer.padEnd(24)} ${trustRatio.toFixed(4)}`)
}

const { lamb, adam } = stepTimes(model)
console.log(
  `\nOne optimizer step on these weights (median of 101, interleaved): LAMB ${lamb.toFixed(3)} ms, tf.train.adam ${adam.toFixed(3)} ms: ${(adam / lamb).toFixed(1)} times faster`
)
console.log(`Driver: ${optimizer.kernel}, ${optimizer.plan.bytesPerWeight} bytes a weight`)
console.log(`Resumed training ends with the same weights, bit for bit: ${same ? 'yes' : 'NO'}`)
console.log(`Test accuracy: ${accuracy.toFixed(4)}`)

if (!['cpu', 'cpu-js'].includes(optimizer.kernel))
  fail(`the optimizer ran on ${optimizer.kernel}, not on a fused driver`)
if (!same) fail('the resumed run ended with other weights')
if (!(accuracy >= WANTED)) fail(`the accuracy is below ${WANTED}`)

function sameBits(a, b) {
  const bits = (m) => m.getWeights().map((w) => new Uint32Array(Float32Array.from(w.dataSync()).buffer))
  const other = bits(b)
  return bits(a).every((values, i) => values.length === other[i].length && values.every((v, j) => v === other[i][j]))
}

/** Median milliseconds of one `applyGradients` on copies of the model's weights, the two optimizers in turn. */
function stepTimes(model) {
  const contender = (optimizer) => {
    const variables = model.trainableWeights.map((w) => tf.variable(w.read()))
    const gradients = Object.fromEntries(
      variables.map((v) => [v.name, tf.randomNormal(v.shape, 0, 0.01, 'float32', 3)])
    )
    const times = []
    return {
      times,
      run: () => {
        const started = performance.now()
        optimizer.applyGradients(gradients)
        times.push(performance.now() - started)
      }
    }
  }
  const lamb = contender(new LAMB())
  const adam = contender(tf.train.adam(0.001, 0.9, 0.999, 1e-6))
  for (let i = 0; i < 111; i++) {
    lamb.run()
    adam.run()
  }
  const median = (times) => times.slice(10).sort((a, b) => a - b)[50]
  return { lamb: median(lamb.times), adam: median(adam.times) }
}

function fail(why) {
  console.error(`\nThe demo failed: ${why}.`)
  process.exit(1)
}

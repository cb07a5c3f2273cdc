/** What becomes of training when the device goes: a driver was reset, a tab slept for long, another page took all memory. */
import * as tf from '@tensorflow/tfjs'
import { save } from '../../support/saving.js'
import { everything, type Line, makeVariables, must, mustBeEqual, outcome, type Place, steps } from '../line.js'
import { dispose, fitFor, load, makeModel, outcomeOfModel } from '../small-model.js'

interface Gpu {
  readonly device?: GPUDevice
  readonly gpgpu?: { readonly gl: WebGL2RenderingContext }
}

/** As it happens: all at once, and nobody asked for it. */
async function lose(): Promise<void> {
  const { device, gpgpu } = tf.backend() as unknown as Gpu
  device?.destroy()
  await device?.lost
  gpgpu?.gl.getExtension('WEBGL_lose_context')?.loseContext()
}

/** As docs/backends.md has it. */
async function renew(name: string): Promise<void> {
  const factory = tf.findBackendFactory(name)
  tf.removeBackend(name)
  tf.registerBackend(name, factory)
  await tf.setBackend(name)
}

const SAYS = /^\w+: the (WebGPU device|WebGL context) was lost.*Set the backend up again.*load what was saved last/

async function mustSaySo(what: string, does: () => unknown): Promise<void> {
  // TensorFlow.js leaves what `fit` had begun with where it fails.
  tf.engine().startScope()
  const said = await Promise.resolve()
    .then(does)
    .then(
      () => 'nothing',
      (error: Error) => error.message
    )
  tf.engine().endScope()
  must(SAYS.test(said), `${what} said: ${said}`)
}

const NONE = 'no device that could be lost'

export const LOSING: readonly Line[] = [
  {
    says: 'A WebGPU device or WebGL context that is lost is a clear error of every step and save, before anything changes; with a backend set up again and what was saved, training goes on, equal to the bit.',
    by: ['Adam'],
    not: { cpu: NONE, 'cpu-js': NONE, wasm: NONE, tensorflow: NONE, ops: NONE },
    async check(place) {
      await goesOnWithModel(place)
      await goesOnInPlace(place)
      await isNoticedAtFirst(place)
    }
  }
]

async function goesOnWithModel(place: Place): Promise<void> {
  const whole = await outcomeOfModel(place, async (model) => void (await fitFor(model, 4)))
  const optimizer = new place.Optimizer({ learningRate: 0.05 })
  const model = makeModel(optimizer)
  await fitFor(model, 2)
  const saved = await save(model)
  await lose()
  await mustSaySo('fit', () => fitFor(model, 1))
  await mustSaySo('minimize', () => optimizer.minimize(() => tf.scalar(0)))
  await mustSaySo('getWeights', () => optimizer.getWeights())
  await mustSaySo('observations', () => optimizer.observations())
  await renew(place.backend)
  await mustSaySo('fit, on another device', () => fitFor(model, 1))
  dispose(model)
  const parts = await outcomeOfModel(place, async () => {
    const again = await load(place, saved)
    await fitFor(again, 2)
    return again
  })
  mustBeEqual('beside training that never stopped', whole, parts)
}

/** The same optimizer and the same variables. */
async function goesOnInPlace(place: Place): Promise<void> {
  const whole = await outcome(place, (optimizer, variables) => steps(optimizer, variables, 1, 4))
  const variables = makeVariables()
  const optimizer = new place.Optimizer({})
  steps(optimizer, variables, 1, 2)
  const read = async (tensors: Record<string, tf.Tensor>) => {
    const all = Object.entries(tensors).map(async ([name, tensor]) => {
      return { name, shape: tensor.shape, dtype: tensor.dtype, values: (await tensor.data()).slice() }
    })
    return Promise.all(all)
  }
  const weights = await read(variables)
  const state = await read(Object.fromEntries((await optimizer.getWeights()).map(({ name, tensor }) => [name, tensor])))
  await lose()
  await mustSaySo('a step', () => steps(optimizer, variables, 3, 3))
  await mustSaySo('setWeights there', () => optimizer.setWeights([{ name: 'iter', tensor: tf.scalar(2, 'int32') }]))
  await tf.setBackend(place.other)
  await mustSaySo('a step on another backend', () => steps(optimizer, variables, 3, 3))
  await renew(place.backend)
  tf.tidy(() => {
    for (const { name, values, shape } of weights) variables[name]!.assign(tf.tensor(values as Float32Array, shape))
  })
  const given = state.map(({ name, values, shape, dtype }) => ({ name, tensor: tf.tensor(values, shape, dtype) }))
  await optimizer.setWeights(given)
  tf.dispose(given.map(({ tensor }) => tensor))
  steps(optimizer, variables, 3, 4)
  mustBeEqual('beside training that never stopped', whole, await everything(optimizer, variables))
  optimizer.dispose()
  tf.dispose(variables)
}

/** On a device that no optimizer has seen before. */
async function isNoticedAtFirst({ backend, Optimizer }: Place): Promise<void> {
  await renew(backend)
  const variables = makeVariables()
  await lose()
  const optimizer = new Optimizer({})
  await mustSaySo('the first step', () => steps(optimizer, variables, 1, 1))
  optimizer.dispose()
  tf.dispose(variables)
  await renew(backend)
}

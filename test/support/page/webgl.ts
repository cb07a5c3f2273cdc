/**
 * What runs in the browser for tests of the webgl driver: steps whose weights and gradients lie in textures as they are told
 * to, and what nobody sees of them otherwise: the lanes of a texel that hold no element, and whether something was read back.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-webgl'
import { type Backend, layoutOf } from '../../../src/runtime/webgl-backend.js'
import type { Case } from '../../../src/testing/case.js'
import { importPrinted } from '../../../src/testing/compiled.js'
import { type CompiledClass, type Ran, runCase, type Slots } from '../../../src/testing/session.js'
import { keepShaders } from './shaders.js'

/**
 * Where values are: in no texture yet; in one packed by the tensor's own shape; packed by another shape of as many elements,
 * as convolutions leave it; one element a texel; or the same behind other tensors, in a texture that they share.
 */
export type Place = 'cpu' | 'packed' | 'alias' | 'unpacked' | 'slice'

export interface Places {
  readonly weights: Place
  readonly gradients: Place
}

export interface Watched extends Ran {
  readonly reason: string | null
  /** What stood in lanes that hold no element, of weights and state after each step: only 0 is right. */
  readonly padding: readonly number[]
  /** How many lanes that were. */
  readonly lanes: number
  /** Whether each gradient is packed once a step has read it. */
  readonly packed: readonly boolean[]
  /** Times that the CPU read from the GPU while a step was taken. */
  readonly reads: number
  readonly errors: readonly number[]
}

interface Tested extends Backend {
  readonly gpgpu: Backend['gpgpu'] & { readonly gl: WebGL2RenderingContext }
}

let backend: Tested
const classes: CompiledClass[] = []

function put(values: Float32Array, shape: readonly number[], place: Place): tf.Tensor {
  if (place === 'slice') {
    const whole = put(Float32Array.from([9, 9, 9, 9, 9, ...values, 9, 9]), [values.length + 7], 'unpacked')
    return tf.reshape(tf.slice(whole, 5, values.length), [...shape])
  }
  const tensor = tf.tensor(values, [...shape])
  if (place === 'cpu') return tensor
  const data = backend.texData.get(tensor.dataId)
  data.isPacked = place !== 'unpacked'
  if (place === 'alias') data.shape = aliasOf(shape)
  backend.uploadToGPU(tensor.dataId)
  return tensor
}

/** Of three dimensions and more: all but the last as one. */
function aliasOf(shape: readonly number[]): readonly number[] {
  const last = shape.at(-1) ?? 1
  const size = shape.reduce((a, b) => a * b, 1)
  return shape.length > 2 ? [1, size / last, last] : [1, size, 1]
}

/** What is in the lanes of a texture that hold no element. */
function paddingOf(tensor: tf.Tensor): number[] {
  const layout = layoutOf(backend, tensor)
  const { packed, rows, cols, width, height, size, texture } = layout
  if (!packed) return []
  const { gl } = backend.gpgpu
  const framebuffer = gl.createFramebuffer()
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
  const texels = new Float32Array(4 * width * height)
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, texels)
  gl.deleteFramebuffer(framebuffer)
  const [down, right] = [Math.ceil(rows / 2), Math.ceil(cols / 2)]
  const isPadding = (_: number, i: number): boolean => {
    const [texel, lane] = [i >> 2, i & 3]
    const [batch, block] = [Math.floor(texel / (down * right)), texel % (down * right)]
    const row = 2 * Math.floor(block / right) + (lane >> 1)
    const col = 2 * (block % right) + (lane & 1)
    return batch * rows * cols >= size || row >= rows || col >= cols
  }
  return [...texels.filter(isPadding)]
}

/** Counts what the CPU reads from the GPU meanwhile. */
function readsIn(run: () => void): number {
  const { gl } = backend.gpgpu
  let reads = 0
  const names = ['readPixels', 'getBufferSubData', 'fenceSync', 'clientWaitSync', 'finish', 'getError'] as const
  for (const name of names) {
    const own = gl[name] as (...args: unknown[]) => unknown
    Object.assign(gl, {
      [name](...args: unknown[]) {
        reads++
        return own.apply(gl, args)
      }
    })
  }
  try {
    run()
  } finally {
    for (const name of names) delete (gl as unknown as Record<string, unknown>)[name]
  }
  return reads
}

const webgl = {
  async open(flags: Readonly<Record<string, boolean>> = {}): Promise<void> {
    for (const [name, value] of Object.entries(flags)) tf.env().set(name, value)
    await tf.setBackend('webgl')
    backend = tf.backend() as unknown as Tested
    keepShaders(backend.gpgpu)
  },
  flag(name: string, value: number): void {
    tf.env().set(name, value)
  },
  /** Its number. */
  async bring(code: string, name: string): Promise<number> {
    return classes.push((await importPrinted(code))[name] as CompiledClass) - 1
  },
  async run(index: number, slots: Slots, given: Case, { weights, gradients }: Places): Promise<Watched> {
    const padding: number[] = []
    const packed: boolean[] = []
    let reads = 0
    let reason: string | null = null
    class Watching extends (classes[index]!) {
      #started = false
      override applyGradients(named: { name: string; tensor: tf.Tensor }[]): void {
        const variables = named.map(({ name }) => tf.engine().registeredVariables[name]!)
        tf.tidy(() => {
          for (const v of this.#started ? [] : variables) v.assign(put(v.dataSync() as Float32Array, v.shape, weights))
          this.#started = true
          const placed = named.map(({ name, tensor }) => ({
            name,
            tensor: tensor && put(tensor.dataSync() as Float32Array, tensor.shape, gradients)
          }))
          reads += readsIn(() => super.applyGradients(placed))
          packed.push(...placed.flatMap(({ tensor }) => (tensor ? layoutOf(backend, tensor).packed : [])))
        })
        for (const variable of variables) padding.push(...paddingOf(variable))
        ;({ reason } = (this as unknown as { plan: { reason: string | null } }).plan)
      }
      override async getWeights(): Promise<tf.NamedTensor[]> {
        const all = await super.getWeights()
        for (const { name, tensor } of all) if (name !== 'iter') padding.push(...paddingOf(tensor))
        return all
      }
    }
    const ran = await runCase(Watching, slots, given)
    const { gl } = backend.gpgpu
    return {
      ...ran,
      reason,
      reads,
      padding: padding.filter((x) => x !== 0).slice(0, 10),
      lanes: padding.length,
      packed,
      errors: [gl.getError()].filter((error) => error !== gl.NO_ERROR)
    }
  }
}
export type WebGl = typeof webgl

Object.assign(globalThis, { webgl })

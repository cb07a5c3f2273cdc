// TensorFlow.js on WebGPU in Node: npm's `webgpu` as `navigator.gpu`, then tfjs's webgpu backend on it.
import * as tf from '@tensorflow/tfjs-core'

/**
 * Makes webgpu the current tfjs backend. Returns why it could not, in one line, or null.
 * The process runs on while `navigator.gpu` stands: a script ends with `closeWebGpu()`.
 * @returns {Promise<string | null>}
 */
export async function openWebGpu() {
  if (!globalThis.navigator?.gpu) {
    try {
      const { create, globals } = await import('webgpu')
      Object.assign(globalThis, globals)
      if (!globalThis.navigator) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
      Object.defineProperty(globalThis.navigator, 'gpu', { value: create([]), configurable: true })
    } catch (error) {
      return `npm's webgpu does not load on ${process.platform} ${process.arch}: ${firstLine(error)}`
    }
  }
  const adapter = await navigator.gpu.requestAdapter().catch(() => null)
  if (!adapter) return `no WebGPU adapter on ${process.platform} ${process.arch}`
  await import('@tensorflow/tfjs-backend-webgpu')
  if (!(await tf.setBackend('webgpu'))) return 'the webgpu backend of TensorFlow.js does not start'
  await tf.ready()
  return null
}

/** Lets the process end. The backend stays: Dawn aborts when its device goes before it does. */
export function closeWebGpu() {
  delete globalThis.navigator.gpu
}

function firstLine(error) {
  return String(error?.message ?? error).split('\n')[0]
}

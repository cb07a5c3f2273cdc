/** What runs in the browser for the contract: a line of it, or what TensorFlow.js asks of its own, tried with a compiled class. */
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import { importPrinted } from '../../../src/testing/compiled.js'
import type { CompiledClass } from '../../../src/testing/session.js'
import { ASKED, mustDoAsAsked } from '../../conformance/asked.js'
import { hold, type Place } from '../../contract/line.js'
import { LINES } from '../../contract/lines.js'

const contract = {
  async hold(line: number, code: string, name: string, place: Omit<Place, 'Optimizer'>): Promise<void> {
    const { [name]: Optimizer } = await importPrinted(code)
    await hold(LINES[line]!, { ...place, Optimizer: Optimizer as CompiledClass })
  },
  async ask(kernel: 'webgl', asked: string, code: string, name: string): Promise<void> {
    await tf.setBackend(kernel)
    const { [name]: Optimizer } = await importPrinted(code)
    await mustDoAsAsked(ASKED[asked]!, Optimizer as CompiledClass, kernel)
  },
  /** What `tf.train.*` takes for ε where none is given. */
  async epsilonOf(backend: string): Promise<{ readonly float32: boolean; readonly epsilon: number }> {
    await tf.setBackend(backend)
    return { float32: tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED'), epsilon: tf.backend().epsilon() }
  }
}
export type Contract = typeof contract

Object.assign(globalThis, { contract })

/** What runs in the browser for tests of drivers: compiled classes, brought to life on a backend of TensorFlow.js. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-webgl'
import type { Backend } from '../../../src/runtime/webgl-backend.js'
import type { Case } from '../../../src/testing/case.js'
import { importPrinted } from '../../../src/testing/compiled.js'
import { type CompiledClass, type Ran, runCase, type Slots, type Snapshot } from '../../../src/testing/session.js'
import { classFrom } from '../class-from.js'
import { keepShaders } from './shaders.js'

const classes: CompiledClass[] = []

/** Of a texture with a number a texel, an embedding's say, kernels are a text of their own: every second case has such. */
function isPacked({ layers, steps }: Case): boolean {
  return (layers.length + steps) % 2 === 0
}

const harness = {
  async open(backend: string): Promise<void> {
    await tf.setBackend(backend)
    await tf.ready()
    if (backend === 'webgl') keepShaders((tf.backend() as unknown as Backend).gpgpu)
  },
  /** Its number. */
  async bring(code: string, name: string): Promise<number> {
    return classes.push((await importPrinted(code))[name] as CompiledClass) - 1
  },
  bringText: async (code: string): Promise<number> => classes.push(classFrom(code)) - 1,
  /** `held`: what the optimizer shall hold before each step, where not what the step before has left. */
  run(index: number, slots: Slots, given: Case, held: readonly (Snapshot | null)[] = []): Promise<Ran> {
    tf.env().set('WEBGL_PACK', isPacked(given))
    return runCase(classes[index]!, slots, given, (step) => held[step] ?? null)
  }
}
export type Harness = typeof harness

Object.assign(globalThis, { harness })

/** Runs emitted kernels on layers made by hand, without the optimizer's class. */
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { webgpu as emitter } from '../../../src/compiler/emit/webgpu.js'
import type { Plan } from '../../../src/compiler/plan/plan.js'
import type { CompiledProgram, Driver, Layer, StepLayer } from '../../../src/runtime/program.js'
import { webgpu } from '../../../src/runtime/webgpu.js'
import { targetOf } from '../../support/emitted.js'

const ASSEMBLE = { assemble: () => new Uint8Array() }

/** The driver of a plan's kernels; a string if it does not open. */
export function open(plan: Plan): Driver | string {
  const program = { scalars: plan.scalars.length, slots: plan.program.slots } as unknown as CompiledProgram
  return targetOf(emitter.emit(plan, ASSEMBLE), { webgpu }).open(program)
}

export function driverOf(plan: Plan): Driver {
  const driver = open(plan)
  if (typeof driver === 'string') throw new Error(driver)
  return driver
}

/** Dawn reports what it refuses to a listener only: a test file that uses it fails if there was anything. */
export function watchDevice(): void {
  const errors: string[] = []
  beforeAll(() => {
    const { device } = tf.findBackend('webgpu') as unknown as { device: GPUDevice }
    device.addEventListener('uncapturederror', (event) => errors.push((event as GPUUncapturedErrorEvent).error.message))
  })
  afterAll(() => expect(errors).toEqual([]))
}

let made = 0

export interface LayerGiven {
  readonly slots?: number
  readonly cells?: number
}

export function layerOf(values: ArrayLike<number>, shape: number[], { slots = 0, cells = 0 }: LayerGiven = {}): Layer {
  const name = `layer${made++}`
  const variable = tf.tidy(() => tf.variable(tf.tensor(Float32Array.from(values), shape), true, name))
  return {
    variable,
    info: { name, shape, rank: shape.length, size: variable.size, index: made },
    age: 0,
    slots: Array.from({ length: slots }, () => tf.keep(tf.zeros(shape))),
    cells: cells > 0 ? tf.keep(tf.zeros([cells])) : null,
    host: new Float64Array()
  }
}

export function gradientOf(layer: Layer, values: ArrayLike<number>): tf.Tensor {
  return tf.tensor(Float32Array.from(values), [...layer.info.shape])
}

export interface StepGiven {
  readonly inPlace?: boolean
  readonly model?: { cells: tf.Tensor | null }
}

export function stepOf(
  driver: Driver,
  layers: readonly (readonly [Layer, tf.Tensor])[],
  scalars: readonly number[],
  { inPlace = true, model = { cells: null } }: StepGiven = {}
): void {
  const host = Float64Array.from(scalars)
  driver.step({
    layers: layers.map(([layer, gradient]): StepLayer => ({ layer, gradient, variant: 0, scalars: host })),
    scalars: host,
    model,
    inPlace
  })
}

export function disposeLayer(layer: Layer): void {
  tf.dispose([layer.variable, ...layer.slots, ...(layer.cells ? [layer.cells] : [])])
}

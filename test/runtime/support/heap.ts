/** The heap of tfjs's wasm backend: where tensors lie in it, and training while it is disturbed. */
import { createHash } from 'node:crypto'
import * as tf from '@tensorflow/tfjs-core'
import { expect, vi } from 'vitest'
import type { CompiledClass } from '../../../src/testing/session.js'
import { numbers, step, variable } from './memory.js'

/** What tests see of the backend. */
export interface Backend {
  dataIdMap: { get(id: object): { memoryOffset: number; refCount: number } }
  wasm: {
    asm?: { memory: WebAssembly.Memory }
    wasmMemory?: WebAssembly.Memory
    _malloc(size: number): number
    _free(address: number): void
  }
  makeOutput(...given: unknown[]): unknown
}

export function backend(): Backend {
  return tf.backend() as unknown as Backend
}

export function memory(): WebAssembly.Memory {
  const { asm, wasmMemory } = backend().wasm
  return (asm?.memory ?? wasmMemory)!
}

export function addressOf({ dataId }: tf.Tensor): number {
  return backend().dataIdMap.get(dataId).memoryOffset >>> 0
}

/** A hash of the weights after some steps of two layers; `around` each. */
export function trained(Optimizer: CompiledClass, options: object, around = (run: () => void) => run()): string {
  const variables = [variable(numbers(7, 1)), variable(numbers(1_100_001, 2))]
  const optimizer = new Optimizer({ ...options })
  for (let i = 0; i < 3; i++) {
    around(() => {
      const gradients = variables.map((v, k): [tf.Variable, tf.Tensor] => [v, tf.tensor(numbers(v.size, k))])
      step(optimizer, ...gradients)
      for (const [, gradient] of gradients) gradient.dispose()
    })
    expect(optimizer.kernel).toBe('wasm')
  }
  optimizer.dispose()
  const hash = createHash('sha256')
  for (const v of variables) hash.update(v.dataSync() as Float32Array)
  tf.dispose(variables)
  return hash.digest('hex')
}

/** Takes blocks of the heap, of each size until one `fits`, and frees them once `run` is through. Nothing is written to them. */
export function taking(sizes: number[], fits: (address: number) => boolean, run: () => void = () => {}): void {
  const { wasm } = backend()
  const taken: number[] = []
  for (const size of sizes) {
    do taken.push(wasm._malloc(size) >>> 0)
    while (!fits(taken.at(-1)!))
  }
  expect(taken).not.toContain(0)
  run()
  for (const address of taken) wasm._free(address)
}

/** Sizes of which `taking` leaves no room below where they fit, not even for the smallest tensor. */
export const EVERY_SIZE = [2 ** 22, 2 ** 18, 2 ** 14, 2 ** 10, 2 ** 7, 2 ** 5, 2 ** 4, 4]

/** Runs a step with gradients in the part by which the heap has grown since the step before. */
export function afterItGrew(run: () => void): void {
  const { byteLength } = memory().buffer
  taking(EVERY_SIZE, (address) => address >= byteLength, run)
}

function grow(): void {
  const { byteLength } = memory().buffer
  taking([2 ** 22], () => memory().buffer.byteLength > byteLength)
}

/** Runs a step during which the heap grows behind every allocation, up to three times. (It has an end.) */
export function whileItGrows(run: () => void): void {
  const { makeOutput } = backend()
  const before = memory().buffer.byteLength
  let grown = 0
  const growing = vi.spyOn(backend(), 'makeOutput').mockImplementation(function (this: Backend, ...given) {
    const made = makeOutput.apply(this, given)
    if (grown++ < 3) grow()
    return made
  })
  run()
  growing.mockRestore()
  expect(memory().buffer.byteLength).toBeGreaterThan(before)
}

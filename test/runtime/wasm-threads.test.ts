/** The wasm driver in the threaded build of tfjs: its heap is a shared memory, which a module imports otherwise. */
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeVerdict, judge } from '../../src/testing/harness.js'
import { shipped } from '../support/shipped.js'
import { openThreadedWasm } from '../support/wasm.js'
import { afterItGrew, memory, trained, whileItGrows } from './support/heap.js'

const OPTIONS = { targets: ['wasm'] }

let close: () => void
beforeAll(async () => {
  close = await openThreadedWasm()
})
afterAll(() => close())

it.each(['lamb', 'clipped-adamw'])('%s agrees with the reference', async (name) => {
  expect(memory().buffer).toBeInstanceOf(SharedArrayBuffer)
  const subject = await shipped(name, OPTIONS)
  let judged = 0
  for (let seed = 1; seed <= 4; seed++) {
    const verdict = await judge(subject, seed)
    if (!verdict || verdict.kernel === 'none') continue
    judged++
    expect(verdict.kernel).toBe('wasm')
    expect(verdict.comparison.differences, describeVerdict(verdict)).toEqual([])
  }
  expect(judged).toBeGreaterThan(1)
})

it.each([
  ['in the middle of a step', whileItGrows],
  ['between steps', afterItGrew]
])('is right when the heap grows %s', async (_, around) => {
  const { Optimizer } = await shipped('lamb', OPTIONS)
  expect(trained(Optimizer, { adapt: true }, around)).toBe(trained(Optimizer, { adapt: true }))
  expect(tf.getBackend()).toBe('wasm')
})

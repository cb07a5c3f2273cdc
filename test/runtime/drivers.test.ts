import * as tf from '@tensorflow/tfjs'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Driver, Target } from '../../src/runtime/index.js'
import { gradientsFor, variables } from './support/models.js'
import { plain } from './support/plain.js'
import { Whole, wholeFormula } from './support/whole.js'

beforeAll(() => {
  tf.registerBackend('other', tf.findBackendFactory('cpu'))
  for (const kernel of tf.getKernelsForBackend('cpu')) tf.registerKernel({ ...kernel, backendName: 'other' })
})
afterEach(async () => {
  tf.disposeVariables()
  await tf.setBackend('cpu')
})
afterAll(() => tf.removeBackend('other'))

const target = (backend: string, own: Partial<Driver>): Target => plain(backend, () => [], own)
const refusing = (backend: string, text: string): Target => ({ backend, open: () => text })

function stepWith(targets: readonly Target[]) {
  const of = variables({ a: [2] })
  const optimizer = new Whole({}, targets)
  optimizer.applyGradients(gradientsFor(of))
  return { of, optimizer, is: [optimizer.kernel, optimizer.plan.reason] }
}

describe('the driver', () => {
  it('is the first of the backend that opens, and says why where it is not the best', () => {
    const cpu = target('cpu', { kernel: 'cpu' })
    const any = target('*', { kernel: 'ops' })
    const run = (...targets: Target[]) => {
      const { is } = stepWith(targets)
      tf.disposeVariables()
      return is
    }
    expect(run(any, target('webgpu', { kernel: 'webgpu' }), cpu)).toEqual(['cpu', null])
    expect(run(refusing('cpu', 'No SIMD here.'), cpu, any)).toEqual(['cpu', 'No SIMD here.'])
    expect(run(refusing('cpu', 'No SIMD here.'), any)).toEqual(['ops', 'No SIMD here.'])
    expect(run(target('cpu', { kernel: 'cpu-js', reason: 'WebAssembly was refused.' }))).toEqual([
      'cpu-js',
      'WebAssembly was refused.'
    ])
    expect(run(target('webgpu', {}), any)).toEqual(['ops', 'It was compiled without kernels for the "cpu" backend.'])
  })

  it('is an error where none opens, before anything changes', () => {
    const { a } = variables({ a: [2] })
    const before = [...a!.dataSync()]
    const { numTensors } = tf.memory()
    const optimizer = new Whole({}, [target('webgpu', {}), refusing('*', 'Broken.')])
    const g = tf.ones([2])
    expect(() => optimizer.applyGradients({ a: g })).toThrow(
      'Whole: it can\'t run on the "cpu" backend. It was compiled without kernels for the "cpu" backend. Broken. Compile it with --target all.'
    )
    expect([...a!.dataSync()]).toEqual(before)
    expect(optimizer.iterations).toBe(0)
    g.dispose()
    expect(tf.memory().numTensors).toBe(numTensors)
  })

  it('is opened once, and chosen again when the backend changes; state goes along', async () => {
    const run = async (change: (step: number) => Promise<unknown>) => {
      const of = variables({ a: [2, 2], b: [2] })
      const opened: string[] = []
      const closed = vi.fn()
      const targets = ['cpu', 'other'].map((backend) => ({
        backend,
        open(program: Parameters<Target['open']>[0]) {
          opened.push(backend)
          return {
            ...(wholeFormula.open(program) as Driver),
            kernel: backend === 'cpu' ? 'cpu' : 'webgpu',
            dispose: closed
          } as Driver
        }
      }))
      const optimizer = new Whole({}, targets)
      const kernels = []
      for (let i = 0; i < 6; i++) {
        await change(i)
        optimizer.applyGradients(gradientsFor(of, i + 1))
        kernels.push(optimizer.kernel)
      }
      const weights = Object.values(of).map((v) => [...v.dataSync()])
      const seen = await optimizer.observations()
      optimizer.dispose()
      tf.disposeVariables()
      expect(closed).toHaveBeenCalledTimes(opened.length)
      return { weights, seen, opened, kernels }
    }
    const still = await run(async () => {})
    expect(still.opened).toEqual(['cpu'])
    const moved = await run((i) => tf.setBackend(i === 2 || i === 3 ? 'other' : 'cpu'))
    expect(moved.opened).toEqual(['cpu', 'other', 'cpu'])
    expect(moved.kernels).toEqual(['cpu', 'cpu', 'webgpu', 'webgpu', 'cpu', 'cpu'])
    expect([moved.weights, moved.seen]).toEqual([still.weights, still.seen])
  })
})

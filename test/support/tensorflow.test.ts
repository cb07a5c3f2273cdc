import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { describeTensorFlow } from './tensorflow.js'

describeTensorFlow('tfjs on TensorFlow', () => {
  it('computes there, with the one TensorFlow.js that there is', () => {
    expect(tf.getBackend()).toBe('tensorflow')
    expect((tf.backend() as unknown as { binding: { TF_Version: string } }).binding.TF_Version).toMatch(/^2\./)
    const y = tf.tidy(() => tf.square(tf.tensor1d([1, 2, 3])))
    expect([...y.dataSync()]).toEqual([1, 4, 9])
    y.dispose()
  })
})

it('says why where there is none, and OPTC_REQUIRE makes that a failure', () => {
  const vitest = resolve('node_modules/vitest/vitest.mjs')
  const run = (required: string): { status: number | null; said: string } => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [vitest, 'run', 'test/support/tensorflow.test.ts', '-t', 'computes'],
      {
        encoding: 'utf8',
        env: { ...process.env, OPTC_TENSORFLOW: '/nowhere', OPTC_REQUIRE: required }
      }
    )
    return { status, said: stdout + stderr }
  }
  const optional = run('')
  expect(optional.said).toMatch(
    /tensorflow tests skipped: TensorFlow for Node is not set up here: npm run setup:tensorflow/
  )
  expect(optional.status).toBe(0)
  const required = run('tensorflow')
  expect(required.said).toMatch(/OPTC_REQUIRE=tensorflow, but: TensorFlow for Node is not set up/)
  expect(required.status).toBe(1)
})

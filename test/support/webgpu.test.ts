import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'
import { describeWebGpu } from './webgpu.js'

describeWebGpu('tfjs on WebGPU in Node', () => {
  it('computes on the device', async () => {
    expect(tf.getBackend()).toBe('webgpu')
    const x = tf.tensor1d([1, 2, 3])
    const y = tf.mul(x, x)
    expect([...(await y.data())]).toEqual([1, 4, 9])
    tf.dispose([x, y])
  })
})

it('a plain node script gets a GPU by running itself again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'optc-gpu-'))
  const url = (file: string): string => pathToFileURL(resolve(file)).href
  const script = join(folder, 'script.mjs')
  writeFileSync(
    script,
    `import { runAgainWithGpu } from '${url('scripts/software-gpu.mjs')}'
     runAgainWithGpu()
     const { openWebGpu, closeWebGpu } = await import('${url('scripts/webgpu.mjs')}')
     console.log(await openWebGpu() ?? 'open', process.argv[2])
     closeWebGpu()`
  )
  const { VK_ICD_FILENAMES: _, ...env } = process.env
  try {
    const said = execFileSync(process.execPath, [script, 'argument'], { encoding: 'utf8', env, timeout: 30_000 })
    expect(said.trim()).toMatch(/^(open|no WebGPU adapter.*) argument$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('says why where there is none, and OPTC_REQUIRE makes that a failure', () => {
  const vitest = resolve('node_modules/vitest/vitest.mjs')
  const run = (required: string): { status: number | null; said: string } => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [vitest, 'run', 'test/support/webgpu.test.ts', '-t', 'computes'],
      {
        encoding: 'utf8',
        env: { ...process.env, VK_ICD_FILENAMES: '/nowhere.json', OPTC_REQUIRE: required }
      }
    )
    return { status, said: stdout + stderr }
  }
  if (process.platform !== 'linux') return
  const optional = run('')
  expect(optional.said).toMatch(/webgpu tests skipped: no WebGPU adapter on linux/)
  expect(optional.status).toBe(0)
  const required = run('webgpu')
  expect(required.said).toMatch(/OPTC_REQUIRE=webgpu, but: no WebGPU adapter/)
  expect(required.status).toBe(1)
})

import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { describeWebGpu } from '../support/webgpu.js'

describeWebGpu('examples/webgpu-node', () => {
  it('trains on the device, and ends', { timeout: 3 * 60_000 }, () => {
    const said = execFileSync(process.execPath, ['examples/webgpu-node/train.mjs'], {
      encoding: 'utf8',
      timeout: 170_000
    })
    const [, first, last] = /^loss ([\d.]+) → ([\d.]+)$/m.exec(said)!
    expect(Number(last)).toBeLessThan(Number(first) / 2)
    expect(said).toMatch(/^kernel webgpu, 40 bytes a weight$/m)
  })
})

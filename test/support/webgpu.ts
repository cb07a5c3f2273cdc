/** Tests that need a WebGPU adapter: run, or skipped with one line that says why, or (OPTC_REQUIRE=webgpu) failed. */
import { describe } from 'vitest'
import { openWebGpu } from '../../scripts/webgpu.mjs'

/** Why there is no WebGPU here, or null. Asked once a test file. */
export const webGpuMissing: string | null = await openWebGpu()

if (webGpuMissing !== null) {
  if ((process.env.OPTC_REQUIRE ?? '').split(',').includes('webgpu')) {
    throw new Error(`OPTC_REQUIRE=webgpu, but: ${webGpuMissing}`)
  }
  console.warn(`webgpu tests skipped: ${webGpuMissing}`)
}

/** `describe`, skipped where there is no WebGPU. tfjs runs on its webgpu backend inside. */
export const describeWebGpu: typeof describe.skip = webGpuMissing === null ? describe : describe.skip

/** Tests that need TensorFlow: run, or skipped with one line that says why, or (OPTC_REQUIRE=tensorflow) failed. */
import { describe } from 'vitest'
import { openTensorFlow } from '../../scripts/tensorflow.mjs'

/** Why there is no TensorFlow here, or null. Asked once a test file. */
export const tensorFlowMissing: string | null = await openTensorFlow()

if (tensorFlowMissing !== null) {
  if ((process.env.OPTC_REQUIRE ?? '').split(',').includes('tensorflow')) {
    throw new Error(`OPTC_REQUIRE=tensorflow, but: ${tensorFlowMissing}`)
  }
  console.warn(`tensorflow tests skipped: ${tensorFlowMissing}`)
}

/** `describe`, skipped where there is no TensorFlow. tfjs runs on its tensorflow backend inside. */
export const describeTensorFlow: typeof describe.skip = tensorFlowMissing === null ? describe : describe.skip

/** The contract in a real browser: all of it on webgl, and on webgpu what can not be tried in Node. */
import { describe, expect } from 'vitest'
import { showDifferences } from '../conformance/difference.js'
import { describeBrowser, usePage } from '../support/browser.js'
import type { Contract } from '../support/page/contract.js'
import { holdsContract } from './column.js'
import type { Line } from './line.js'
import { printed } from './optimizers.js'

declare const contract: Contract

describeBrowser('in a browser', () => {
  const here = usePage({
    entry: 'test/support/page/contract.ts',
    expected: /CONTEXT_LOST|reading data from GPU|stall due to ReadPixels/
  })

  function column(name: string, kernel: 'webgl' | 'webgpu', takes?: (line: Line) => boolean): void {
    holdsContract({
      name,
      kernel,
      ...(takes && { takes }),
      hold: (line, name) =>
        here.page.evaluate(
          ([line, code, name, kernel]) => contract.hold(line, code, name, { kernel, backend: kernel, other: 'cpu' }),
          [line, printed(name, kernel), name, kernel] as const
        )
    })
  }

  describe('where TensorFlow.js differs', () => {
    showDifferences('webgl', [
      {
        says: 'On webgl, `tf.train.*` take 1e-4 for an ε that is not given, though textures are float32, and 1e-7 elsewhere. Compiled optimizers have the ε of their text everywhere.',
        async shows() {
          expect(await here.page.evaluate(() => contract.epsilonOf('webgl'))).toEqual({ float32: true, epsilon: 1e-4 })
          expect(await here.page.evaluate(() => contract.epsilonOf('cpu'))).toMatchObject({ epsilon: 1e-7 })
        }
      }
    ])
  })
  describe('webgl', () => column('webgl', 'webgl'))
  describe('webgpu', () => column('webgpu-browser', 'webgpu', (line) => line.inBrowser !== undefined))
})

import { createRequire } from 'node:module'
import { expect, it, vi } from 'vitest'

it('a second copy of tfjs-core that was there first is told of, once, with what to do', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/tf-core.js')
  const { LAMB } = await import('./support/lamb.js')
  warn.mockClear()
  new LAMB()
  new LAMB()
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^optc: there seem to be two copies of @tensorflow\/tfjs-core\. .*npm dedupe/)]
  ])
})

import { createRequire } from 'node:module'
import { expect, it, vi } from 'vitest'
import { warnOfSecondCore } from '../../src/runtime/cores.js'

it('a second copy of tfjs-core that comes later is told of, once; one copy is not', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  warnOfSecondCore()
  expect(warn).not.toHaveBeenCalled()
  createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/tf-core.js')
  warn.mockClear()
  warnOfSecondCore()
  warnOfSecondCore()
  expect(warn).toHaveBeenCalledTimes(1)
})

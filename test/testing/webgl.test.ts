import { beforeAll } from 'vitest'
import { remoteSubjectOf } from '../../src/testing/subject.js'
import { describeBrowser, usePage } from '../support/browser.js'
import type { Harness } from '../support/page/harness.js'
import { heldToReference } from './held.js'

declare const harness: Harness

describeBrowser('webgl', () => {
  const here = usePage({ entry: 'test/support/page/harness.ts', expected: /matched no layer/ })
  beforeAll(() => here.page.evaluate(() => harness.open('webgl')))
  heldToReference('webgl', { targets: ['webgl'] }, (source, options) =>
    remoteSubjectOf(source, options, async (code, name, slots) => {
      const index = await here.page.evaluate(([code, name]) => harness.bring(code, name), [code, name] as const)
      return (given) =>
        here.page.evaluate(([index, slots, given]) => harness.run(index, slots, given), [index, slots, given] as const)
    })
  )
})

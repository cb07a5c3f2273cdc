import { beforeAll } from 'vitest'
import { describeBrowser, usePage } from '../support/browser.js'
import type { Harness } from '../support/page/harness.js'
import { everyMistakeIsTold } from './told.js'

declare const harness: Harness

describeBrowser('every mistake is told: webgl', () => {
  // The browser says of a wrong shader what is wrong.
  const here = usePage({ entry: 'test/support/page/harness.ts', expected: /./ })
  beforeAll(() => here.page.evaluate(() => harness.open('webgl')))
  everyMistakeIsTold('webgl', {
    async bring(code, slots) {
      const index = await here.page.evaluate((code) => harness.bringText(code), code)
      return (given) =>
        here.page.evaluate(([index, slots, given]) => harness.run(index, slots, given), [index, slots, given] as const)
    }
  })
})

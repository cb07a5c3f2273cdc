import { beforeAll } from 'vitest'
import { tables } from '../../src/reference/index.js'
import type { RemoteSubject } from '../../src/testing/harness.js'
import { remoteSubjectOf, type SubjectOptions } from '../../src/testing/subject.js'
import { describeBrowser, usePage } from '../support/browser.js'
import type { Harness } from '../support/page/harness.js'
import { heldToReference } from './held.js'
import { linesAreNoDeeperThan, sumsAreNoDeeperThan } from './sums.js'

declare const harness: Harness

const OPTIONS = { targets: ['webgl'] }

describeBrowser('webgl', () => {
  const here = usePage({ entry: 'test/support/page/harness.ts', expected: /matched no layer/ })
  beforeAll(() => here.page.evaluate(() => harness.open('webgl')))

  const bring = (source: string, options: SubjectOptions): Promise<RemoteSubject> =>
    remoteSubjectOf(source, options, async (code, name, slots) => {
      const index = await here.page.evaluate(([code, name]) => harness.bring(code, name), [code, name] as const)
      return (given) =>
        here.page.evaluate(([index, slots, given]) => harness.run(index, slots, given), [index, slots, given] as const)
    })
  heldToReference('webgl', OPTIONS, bring)
  sumsAreNoDeeperThan(tables.glsl, (source) => bring(source, OPTIONS))
  // Of one block, of some, and of more than stand side by side; small, since all that is found comes out of the browser.
  const matrices = [
    [4, 300],
    [2, 700, 2],
    [19, 2, 5]
  ]
  linesAreNoDeeperThan(tables.glsl, (source) => bring(source, OPTIONS), matrices)
})

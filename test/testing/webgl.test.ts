import { beforeAll, expect, test } from 'vitest'
import { tables } from '../../src/reference/index.js'
import { propertiesOf } from '../../src/testing/claims.js'
import { factsOf } from '../../src/testing/facts.js'
import type { RemoteSubject, Subject } from '../../src/testing/harness.js'
import { remoteSubjectOf, type SubjectOptions } from '../../src/testing/subject.js'
import { describeBrowser, usePage } from '../support/browser.js'
import { shipped } from '../support/library.js'
import type { Harness } from '../support/page/harness.js'
import { heldToReference } from './held.js'
import { linesAreNoDeeperThan, sumsAreNoDeeperThan } from './sums.js'

declare const harness: Harness

const OPTIONS = { targets: ['webgl'] }
/** Cases a law; of these at least half must tell something. */
const CASES = 4

describeBrowser('webgl', () => {
  const here = usePage({ entry: 'test/support/page/harness.ts', expected: /matched no layer/ })
  beforeAll(() => here.page.evaluate(() => harness.open('webgl')))

  const bring = (source: string, options: SubjectOptions): Promise<RemoteSubject> =>
    remoteSubjectOf(source, options, async (code, name, slots) => {
      const index = await here.page.evaluate(([code, name]) => harness.bring(code, name), [code, name] as const)
      return (given, meanwhile = () => null) => {
        const held = given.layers[0]!.gradients.map((_, step) => meanwhile(step))
        const how = [index, slots, given, held] as const
        return here.page.evaluate((how) => harness.run(...how), how)
      }
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

  /** Judged here, as classes run there. */
  async function lawsHold(source: string, change = (source: string): string => source): Promise<boolean[]> {
    const of = await bring(change(source), OPTIONS)
    const subject = { ...of, reference: (await bring(source, OPTIONS)).reference } as unknown as Subject
    const held: boolean[] = []
    for (const property of propertiesOf(subject.reference.laws).filter((p) => p.sides)) {
      let told = 0
      let holds = true
      for (let seed = 1; seed <= CASES; seed++) {
        const given = property.draw(seed, subject.signature)
        const trial = { subject, given, facts: factsOf(of.program), run: of.run, table: tables.glsl, exact: false }
        const { compared, undetermined, differences, problems } = await property.check(trial)
        if (compared > 0 && undetermined <= compared / 100) told++
        if (differences.length + problems.length > 0) holds = false
      }
      expect(told).toBeGreaterThanOrEqual(CASES / 2)
      held.push(holds)
    }
    return held
  }

  // A choice by a hyperparameter; norms, conditions on them and what is observed.
  test.each(['Momentum', 'LAMB'])('%s keeps what its author claims', { timeout: 60_000 }, async (name) => {
    const held = await lawsHold(shipped.get(name)!.source)
    expect(held.length).toBeGreaterThan(0)
    expect(held).not.toContain(false)
  })

  test('and would be told if it did not', async () => {
    const { source } = shipped.get('Adam')!
    const held = await lawsHold(source, (right) => right.replace('√v̂ + ε', '√v̂ + max(ε, 0.01)'))
    expect(held).toEqual([false, true])
  })
})

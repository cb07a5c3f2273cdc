/** What each optimizer of the library holds and moves a weight, on a target without limits that matter. */
import { expect, test } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import { makePlan } from '../../../src/compiler/plan/make-plan.js'
import { IDEAL } from '../../../src/compiler/plan/plan.js'
import { linked, shipped } from '../../support/library.js'

/** Also what docs/optimizers.md says, by `npm run generate`. */
test('bytes a weight of the library', async () => {
  const rows = [...shipped.values()].map(({ name, file, source }) => {
    const plan = makePlan(check(linked(source)).checked.optimizers[0]!, IDEAL)
    const slots = (over: string): number => plan.program.slots.filter((s) => s.over === over).length
    const vectors = slots('row') + slots('col') > 0 ? { row: slots('row'), column: slots('col') } : {}
    return JSON.stringify({
      name,
      file,
      state: 4 * slots('element'),
      numbers: { layer: slots('layer'), model: slots('model'), ...vectors },
      bytes: plan.bytesPerWeight,
      compulsory: plan.bytesCompulsory,
      passes: Math.max(...plan.variants.map((v) => v.passes.filter((p) => p.domain === 'element').length)),
      barriers: plan.barriers.length,
      provedLeast: plan.provedLeast
    })
  })
  await expect(`[\n${rows.join(',\n')}\n]\n`).toMatchFileSnapshot('../../golden/bytes.json')
})

/** Where TensorFlow.js means something else, or is wrong: a sentence for docs/backends.md, and what shows it. */
import { expect, test } from 'vitest'

export interface Difference {
  readonly says: string
  readonly shows: () => void | Promise<void>
}

/** `name`: the file in test/golden/tfjs/ that docs/backends.md is made from. */
export function showDifferences(name: string, differences: readonly Difference[]): void {
  const shown: string[] = []
  for (const { says, shows } of differences) {
    test(says, async () => {
      await shows()
      shown.push(says)
    })
  }
  test('docs/backends.md says what was shown', async () => {
    await expect(`${JSON.stringify(shown, null, 2)}\n`).toMatchFileSnapshot(`../golden/tfjs/${name}.json`)
  })
}

/** Tries every line of the contract where one kernel runs, and compares what was found with what docs/backends.md says. */
import { expect, test } from 'vitest'
import type { KernelName } from '../../src/runtime/program.js'
import type { Line } from './line.js'
import { LINES } from './lines.js'

export interface Column {
  /** Its file in test/golden/contract/. */
  readonly name: string
  readonly kernel: KernelName
  /** The lines to try: all of those that say something of the kernel. */
  readonly takes?: (line: Line) => boolean
  /** Tries a line, by its place in the table, with an optimizer. Throws where it does not hold. */
  readonly hold: (line: number, optimizer: string) => Promise<void>
}

/** To be called in a `describe`. */
export function holdsContract({ name, kernel, takes = () => true, hold }: Column): void {
  const found: Record<string, string> = {}
  for (const [i, line] of LINES.entries()) {
    if (!takes(line)) continue
    const { says, by } = line
    const reason = line.not?.[kernel]
    found[says] = reason ?? 'not tried'
    if (reason) continue
    test(says, { timeout: 300_000 }, async () => {
      found[says] = 'fails'
      for (const optimizer of by) {
        await hold(i, optimizer).catch((error: Error) => {
          throw new Error(`${optimizer}: ${error.message}`, { cause: error })
        })
      }
      found[says] = 'holds'
    })
  }
  test('docs/backends.md says what was found', async () => {
    const text = `${JSON.stringify(found, null, 2)}\n`
    await expect(text).toMatchFileSnapshot(`../golden/contract/${name}.json`)
  })
}

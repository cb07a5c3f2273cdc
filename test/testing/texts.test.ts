/** Whatever it is given, the compiler ends, with a file or with diagnostics that a person can read. */
import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { compile as assemble } from 'watr'
import { compile } from '../../src/compiler/compile.js'
import { print } from '../../src/compiler/emit/classes.js'
import { render } from '../../src/compiler/render.js'
import { text } from './texts.js'

/** `npm run fuzz -- --texts 100000` tries more. */
const TEXTS = Number(process.env.OPTC_TEXTS ?? 300)
/** Seconds of processor time that no text may take. */
const LONGEST = 20

test(`${TEXTS} texts`, { timeout: 120_000 + TEXTS * 1000 }, () => {
  let compiled = 0
  let longest = 0
  const property = fc.property(text, (source) => {
    const before = process.cpuUsage()
    // Printing takes longer than all the rest, so not every class is printed.
    const printing = source.length % 4 === 0 ? { print, assemble } : {}
    const { code, plan, diagnostics } = compile(source, { path: 'text.opt', ...printing })
    const { user, system } = process.cpuUsage(before)
    longest = Math.max(longest, (user + system) / 1e6)
    expect(longest, 'seconds').toBeLessThan(LONGEST)

    const errors = diagnostics.filter((d) => d.severity === 'error')
    if (errors.length > 0) expect([code, plan]).toEqual(['', null])
    if (plan) compiled++
    for (const diagnostic of diagnostics) {
      const { start, end } = diagnostic.span
      expect(diagnostic.code, diagnostic.message).not.toBe('OPT9001')
      expect(diagnostic.path).toBe('text.opt')
      expect(start >= 0 && start <= end && end <= source.length, `${diagnostic.code} ${start} ${end}`).toBe(true)
      expect(render(diagnostic, source)).not.toMatch(/\n\s+at /)
    }
  })
  fc.assert(property, { numRuns: TEXTS })
  console.log(`${TEXTS} texts, of which ${compiled} are programs; the longest took ${longest.toFixed(2)} s`)
  // Of a few there may be none.
  if (TEXTS >= 100) expect(compiled).toBeGreaterThan(TEXTS / 100)
})

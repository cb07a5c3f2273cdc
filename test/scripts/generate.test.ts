/** Generated files are what their sources make of them: `npm run generate` would change nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { generated } from '../../scripts/generate.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files: readonly { path: string; text: string }[] = await generated()

test.each(files.map(({ path, text }) => [path, text]))('%s is fresh', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n')).toBe(text)
})

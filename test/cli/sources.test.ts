/** A file that changes while it is read is read again, until it is whole. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { read } from '../../src/cli/sources.js'

const writer = vi.hoisted(() => ({ path: '', changes: 0 }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const readFileSync = (file: number): Uint8Array => {
    const bytes = fs.readFileSync(file)
    if (writer.changes-- > 0) fs.appendFileSync(writer.path, '+')
    return bytes
  }
  return { ...fs, readFileSync }
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'optc-read-'))
  writer.path = join(folder, 'some.opt')
  writeFileSync(writer.path, 'first')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  [0, 'first'],
  [1, 'first+'],
  [3, 'first+++']
])('changed %i times, then whole', (changes, text) => {
  writer.changes = changes
  expect(read(writer.path)).toBe(text)
})

test('that never stops changing is an error of the call', () => {
  writer.changes = Number.POSITIVE_INFINITY
  expect(() => read(writer.path)).toThrow(`${writer.path} keeps changing while it is read`)
})

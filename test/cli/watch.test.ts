/** `optc compile --watch`: compiles at once, again at each change, and ends when it is told to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SGD = readFileSync(join(root, 'optimizers/sgd.opt'), 'utf8')
let folder: string
let optc: ChildProcess
/** All that it has printed. */
let said: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'optc-watch-'))
  said = ''
})
afterEach(() => {
  optc.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const put = (name: string, text: string): void => writeFileSync(join(folder, name), text)
const printed = (): string => readFileSync(join(folder, 'sgd.ts'), 'utf8')

function watch(...args: string[]): void {
  optc = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'compile', '--watch', ...args], { cwd: folder })
  for (const stream of [optc.stdout!, optc.stderr!]) stream.on('data', (text) => (said += text))
}

/** Waits until it has said something new. */
async function says(what: string): Promise<void> {
  await expect.poll(() => said, { timeout: 60_000 }).toContain(what)
  said = ''
}

test('a change, a mistake, a new file', { timeout: 240_000 }, async () => {
  put('sgd.opt', SGD)
  watch('*.opt', '--target', 'ops')
  await says('Watching')
  expect(printed()).toContain('init: 0.01')

  put('sgd.opt', SGD.replace('0.01', '0.02'))
  await says('wrote sgd.ts')
  expect(printed()).toContain('init: 0.02')

  put('sgd.opt', SGD.replace('lr * g', 'lrr * g'))
  await says('Did you mean `lr`?')
  expect(printed()).toContain('init: 0.02')

  put('sgd.opt', SGD)
  await says('wrote sgd.ts')
  put('other.opt', SGD.replace('optimizer SGD', 'optimizer Other'))
  await says('wrote other.ts')

  const ended = new Promise((resolve) => optc.once('exit', resolve))
  optc.kill('SIGINT')
  // Windows has no signals: it is ended, without a say.
  if (process.platform !== 'win32') expect(await ended).toBe(0)
})

test.each([['--check'], ['--json']])('goes without %s', { timeout: 60_000 }, async (flag) => {
  put('sgd.opt', SGD)
  watch('sgd.opt', flag)
  const status = await new Promise((resolve) => optc.once('exit', resolve))
  expect(status).toBe(2)
  expect(said).toContain('--watch goes with neither --check nor --json')
})

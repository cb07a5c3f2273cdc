/** What the README and the docs say is true: every program in them compiles, every link in them leads somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { analyse } from '../src/compiler/compile.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const docs = readdirSync(join(root, 'docs'), { recursive: true }) as string[]
const pages = ['README.md', ...docs.map((name) => `docs/${name.replaceAll('\\', '/')}`)].filter((p) =>
  p.endsWith('.md')
)

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8')

  // The page of errors shows wrong programs on purpose; the test of messages holds those.
  const programs = page === 'docs/errors.md' ? [] : [...text.matchAll(/```opt\n([\s\S]*?)```/g)].map((m) => m[1]!)
  test.each(programs.map((program) => [program.trim().split('\n').at(0), program]))('compiles: %s …', (_, program) => {
    expect(analyse(program!, page).diagnostics).toEqual([])
  })

  test('links to what is there', () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((m) => m[1]!)
    const files = [...text.matchAll(/`((?:src|test|grammar|optimizers|docs|scripts|bench|examples)\/[\w./-]+)`/g)].map(
      (m) => m[1]!
    )
    const missing = [
      ...targets.filter((target) => !existsSync(join(root, dirname(page), target))),
      ...files.filter((file) => !existsSync(join(root, file)))
    ]
    expect(missing).toEqual([])
  })

  test('names npm scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map((m) => m[1]!)
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })
})

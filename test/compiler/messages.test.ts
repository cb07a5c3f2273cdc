import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseMessage } from '../../scripts/generate/messages.mjs'
import { check } from '../../src/compiler/check/check.js'
import { fill } from '../../src/compiler/diagnostics.js'
import { messages, problems } from '../../src/compiler/messages.generated.js'
import { link } from '../../src/compiler/syntax/modules.js'

const all = Object.values(messages)

/** What a program file of its own name, which it may import, is told. */
function codesOf(source: string): string[] {
  const { module, diagnostics } = link(source, 'program.opt', (specifier) =>
    specifier === './program.opt' ? { path: 'program.opt', source } : null
  )
  return diagnostics.length > 0 ? diagnostics.map((d) => d.code) : check(module).diagnostics.map((d) => d.code)
}

/** What no text that is worth showing has. */
const WITHOUT_PROGRAMS = ['notText', 'tooManyMistakes', 'notImportable']

describe.each(all.filter((m) => m.code.startsWith('OPT1')))('$code $name', ({ code, name, wrong, right, message }) => {
  test.skipIf(WITHOUT_PROGRAMS.includes(name))('the wrong program has this error alone, the right one none', () => {
    expect(codesOf(wrong)).toEqual([code])
    expect(codesOf(right)).toEqual([])
  })

  test('is a whole sentence', () => expect(message).toMatch(/^["A-Z`{].*\.$/))
})

test('programs are missing only where they are said to be', () => {
  const without = all.filter((m) => m.code.startsWith('OPT1') && m.wrong === '').map((m) => m.name)
  expect(without.sort()).toEqual([...WITHOUT_PROGRAMS].sort())
})

test('every file is a message, codes and names are unique', () => {
  const folder = join(import.meta.dirname, '..', '..', 'src', 'compiler', 'messages')
  const codes = readdirSync(folder).map((file) => file.slice(0, 7))
  expect(Object.keys(messages)).toEqual([...codes].sort())
  expect(new Set(codes).size).toBe(codes.length)
  expect(new Set(all.map((m) => m.name)).size).toBe(all.length)
  expect(Object.keys(problems).sort()).toEqual(all.map((m) => m.name).sort())
})

test('a message has its places filled, and no empty hint', () => {
  const template = { code: 'OPT1', severity: 'error' as const, message: '{a} {b} {a}', hint: '{c}' }
  const span = { start: 1, end: 2 }
  expect(fill(template, 'p', span, { a: '{b}', b: '$&', c: '' })).toEqual({
    code: 'OPT1',
    severity: 'error',
    message: '{b} $& {b}',
    path: 'p',
    span
  })
  expect(fill(template, 'p', span, { a: 1, b: 2, c: 'x' }).hint).toBe('x')
})

describe('a message file', () => {
  const good =
    '# OPT1234 someName\nA {place}\nsentence.\n\nhint: Do\nthis.\n\nseverity: warning\n\nWhy.\n\nMore.\n\n## Wrong\n```opt\nw\n```\n\n## Right\n```opt\nr\n```\n'
  test('is read', () => {
    expect(parseMessage('OPT1234-some-name.md', good)).toEqual({
      code: 'OPT1234',
      name: 'someName',
      severity: 'warning',
      message: 'A {place} sentence.',
      hint: 'Do this.',
      explanation: 'Why.\n\nMore.',
      wrong: 'w\n',
      right: 'r\n'
    })
  })

  test.each([
    ['without a head', 'OPT1234-a.md', 'A sentence.'],
    ['with nothing to say', 'OPT1234-a.md', '# OPT1234 a\n'],
    ['under another name', 'OPT9-a.md', good],
    ['with a section that holds no program', 'OPT1234-a.md', '# OPT1234 a\nA.\n\n## Wrong\nnothing\n']
  ])('%s is refused', (_, file, text) => expect(() => parseMessage(file, text)).toThrow(file))
})

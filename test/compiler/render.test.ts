import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../src/compiler/diagnostics.js'
import { positionOf, render, toJson } from '../../src/compiler/render.js'

/** What is said of the first place where a text stands in a source. */
const about = (source: string, text: string, more: Partial<Diagnostic> = {}): Diagnostic => {
  const start = source.indexOf(text)
  return {
    code: 'OPT1234',
    severity: 'error',
    message: 'No.',
    path: 'a.opt',
    span: { start, end: start + text.length },
    ...more
  }
}
const shown = (source: string, text: string, more?: Partial<Diagnostic>): string =>
  render(about(source, text, more), source)
/** The line with the carets and the one above it, without their gutter. */
const marked = (source: string, text: string): string[] => {
  const lines = shown(source, text).split('\n')
  const at = lines.findIndex((line) => /^ *\| *\^+$/.test(line))
  return [lines[at - 1]!, lines[at]!].map((line) => line.replace(/^[> ]*\d* \| ?/, ''))
}

test('the whole of it', () => {
  const source = 'one\ntwo\n  three four\nfive\nsix\n'
  expect(shown(source, 'four', { hint: 'Write `5`.' })).toBe(
    [
      'a.opt:3:9: error[OPT1234]: No.',
      '  2 | two',
      '> 3 |   three four',
      '    |         ^^^^',
      '  4 | five',
      '  hint: Write `5`.',
      ''
    ].join('\n')
  )
  expect(shown(source, 'one', { severity: 'warning' })).toBe(
    ['a.opt:1:1: warning[OPT1234]: No.', '> 1 | one', '    | ^^^', '  2 | two', ''].join('\n')
  )
})

describe('carets stand under what is meant, by display cells', () => {
  test.each([
    ['m̂ = x', 'x', ['m̂ = x', '    ^']],
    ['m̂ + v̂', 'v̂', ['m̂ + v̂', '    ^']],
    ['变量 = x', 'x', ['变量 = x', '       ^']],
    ['a = 变量', '变量', ['a = 变量', '    ^^^^']],
    ['👩‍🔬 x', 'x', ['👩‍🔬 x', '   ^']],
    ['𝛽 = x', 'x', ['𝛽 = x', '    ^']],
    ['\tx\ty', 'y', ['  x  y', '     ^']],
    ['\u200bx', 'x', ['\u200bx', '^']],
    ['β₁·g′', 'g', ['β₁·g′', '   ^']]
  ])('%j', (source, text, expected) => expect(marked(source, text)).toEqual(expected))

  test('at the end of the file, and of an empty one', () => {
    expect(render(about('ab', '', { span: { start: 2, end: 2 } }), 'ab')).toContain('> 1 | ab\n    |   ^\n')
    expect(render(about('', ''), '')).toContain('a.opt:1:1: error[OPT1234]: No.\n> 1 |\n    | ^\n')
  })

  test('not past the end of the first line', () => {
    expect(marked('a /* b\nc */ d', '/* b\nc */')).toEqual(['a /* b', '  ^^^^'])
  })
})

test('lines end with LF, CR LF or CR', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const source = `one${end}two${end}x = y${end}four`
    expect(shown(source, 'y')).toBe(
      ['a.opt:3:5: error[OPT1234]: No.', '  2 | two', '> 3 | x = y', '    |     ^', '  4 | four', ''].join('\n')
    )
    for (let offset = 0; offset <= source.length; offset++) {
      const before = source.slice(0, offset).split(/\r\n|\n|\r/)
      // Between CR and LF there is no place of its own.
      if (source[offset - 1] === '\r' && source[offset] === '\n') continue
      expect(positionOf(source, offset)).toEqual({ line: before.length, column: before.at(-1)!.length + 1, offset })
    }
  }
})

test('the gutter is as wide as the largest number', () => {
  const source = `${'x\n'.repeat(9)}y\nz`
  expect(shown(source, 'y').split('\n').slice(1, 5)).toEqual(['   9 | x', '> 10 | y', '     | ^', '  11 | z'])
})

test('a long line is cut around the place', () => {
  const source = `${'a'.repeat(500)}X${'b'.repeat(500)}`
  const [line, carets] = marked(source, 'X')
  expect(line!.length).toBeLessThan(200)
  expect(line![carets!.indexOf('^')]).toBe('X')
})

test('a program can not write to the terminal', () => {
  const evil = '\u001b[2J\u0007\u009b31m\u202e\u2028'
  const text = shown(`x ${evil} y`, 'y', { message: `Found ${evil}.`, hint: evil })
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Bidi_Control}]/u)
  expect(marked(`x ${evil} y`, 'y')[1]!.indexOf('^')).toBe(`x ${evil} `.length)
})

test('colours come from outside, and change nothing else', () => {
  const source = 'm̂ = x'
  const used = new Set<string>()
  const coloured = render(about(source, 'x', { hint: 'h' }), source, {
    style: (style, text) => {
      used.add(style)
      return `\u0001${text}\u0002`
    }
  })
  expect(used).toEqual(new Set(['red', 'bold', 'dim', 'cyan']))
  expect(coloured.replace(/[\u0001\u0002]/g, '')).toBe(shown(source, 'x', { hint: 'h' }))
})

test('as JSON', () => {
  const source = 'one\nm̂ = x'
  const own = about(source, 'x', { hint: 'Write `y`.' })
  const others = about('other', 'her', { path: 'b.opt', severity: 'warning' })
  expect(toJson([{ path: 'a.opt', source, diagnostics: [own, others] }], () => 'other')).toEqual({
    files: [
      {
        path: 'a.opt',
        diagnostics: [
          {
            code: 'OPT1234',
            severity: 'error',
            message: 'No.',
            hint: 'Write `y`.',
            start: { line: 2, column: 6, offset: 9 },
            end: { line: 2, column: 7, offset: 10 }
          },
          {
            code: 'OPT1234',
            severity: 'warning',
            message: 'No.',
            path: 'b.opt',
            start: { line: 1, column: 3, offset: 2 },
            end: { line: 1, column: 6, offset: 5 }
          }
        ]
      }
    ]
  })
})

/** What is a program and what it means, where two readers might differ. */
import { describe, expect, test } from 'vitest'
import type * as ast from '../../../src/compiler/syntax/ast.js'
import { OptParser } from '../../../src/compiler/syntax/parser.js'
import { lexer, Name, WORDS } from '../../../src/compiler/syntax/tokens.js'
import { codesOf, everyNode, grouped, inFunction, inStep, parsed, withoutSpans } from './support.js'

test('the grammar has no ambiguity, left recursion or rule that nothing reaches', () => {
  expect(() => new OptParser(false)).not.toThrow()
})

describe('precedence, from loosest to tightest', () => {
  test.each([
    ['if a then b else c + d', '(if a b (c + d))'],
    ['if a then b else if c then d else e', '(if a b (if c d e))'],
    ['if a or b then c else d and e', '(if (a or b) c (d and e))'],
    ['if if a then b else c then d else e', '(if (if a b c) d e)'],
    ['a or b and c or d', '((a or (b and c)) or d)'],
    ['not a and b', '((not a) and b)'],
    ['not a == b', '(not (a == b))'],
    ['not not a', '(not (not a))'],
    ['a + b < c * d', '((a + b) < (c * d))'],
    ['not name ~ /x/', '(not (name ~ /x/))'],
    ['name ~ /x/i and b', '((name ~ /x/i) and b)'],
    ['a - b - c', '((a - b) - c)'],
    ['a - b * c', '(a - (b * c))'],
    ['a / b * c', '((a / b) * c)'],
    ['-a * b', '((- a) * b)'],
    ['a * -b', '(a * (- b))'],
    ['a - -b', '(a - (- b))'],
    ['--a', '(- (- a))'],
    ['-g^2', '(- (g ^ 2))'],
    ['-g²', '(- (g ^ 2))'],
    ['2^-t', '(2 ^ (- t))'],
    ['a^b^c', '(a ^ (b ^ c))'],
    ['a^-b^c', '(a ^ (- (b ^ c)))'],
    ['a^b * c', '((a ^ b) * c)'],
    ['a^b²', '(a ^ (b ^ 2))'],
    ['a²^b', '((a ^ 2) ^ b)'],
    ['a²²', '((a ^ 2) ^ 2)'],
    ['√a + b', '((√ a) + b)'],
    ['√a * b', '((√ a) * b)'],
    ['√√a', '(√ (√ a))'],
    ['√f(a)', '(√ f(a))'],
    ['√(a + b)', '(√ (a + b))'],
    ['√‖a‖', '(√ ‖a‖)'],
    ['(√a)²', '((√ a) ^ 2)'],
    ['-√a', '(- (√ a))'],
    ['‖a‖', '‖a‖'],
    ['‖a‖ * ‖b‖', '(‖a‖ * ‖b‖)'],
    ['‖a - ‖b‖ * c‖', '‖(a - (‖b‖ * c))‖'],
    ['‖‖a‖‖', '‖‖a‖‖'],
    ['‖a‖²', '(‖a‖ ^ 2)'],
    ['‖a over model‖', '‖a over model‖'],
    ['f()', 'f()'],
    ['f(a, b = c, d = e)', 'f(a, b=c, d=e)'],
    ['f(a == b)', 'f((a == b))'],
    ['sum(a * b over model)', 'sum((a * b), over model)'],
    ['max(a over rows)', 'max(a, over rows)'],
    ['min(a over cols)', 'min(a, over cols)'],
    ['(a)', 'a'],
    ['a * (if b then c else d)', '(a * (if b c d))']
  ])('%s is %s', (text, meaning) => expect(grouped(text)).toBe(meaning))
})

describe('spellings', () => {
  test.each([
    ['a·b', 'a * b'],
    ['a⋅b', 'a * b'],
    ['a×b', 'a * b'],
    ['a − b', 'a - b'],
    ['−a', '-a'],
    ['∥a∥', '‖a‖'],
    ['a≤b', 'a <= b'],
    ['a≥b', 'a >= b'],
    ['a≠b', 'a != b'],
    ['a²', 'a^2'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1E-3', '0.001'],
    ['\ufeff a\u00a0+\tb', 'a + b'],
    ['a /* b */ + /* * */ c', 'a + c'],
    ['a // b\n + c', 'a + c'],
    ['a +\r\n b', 'a + b']
  ])('%s is %s', (one, other) => expect(grouped(one)).toBe(grouped(other)))

  test('← is :=', () => {
    expect(withoutSpans(parsed(inStep('w ← w - g')).declarations)).toEqual(
      withoutSpans(parsed(inStep('w := w - g')).declarations)
    )
  })

  test('names of one normal form are one name', () => {
    const [composed, decomposed] = ['\u00e9', 'e\u0301']
    expect(composed).not.toBe(decomposed)
    expect(grouped(decomposed)).toBe(grouped(composed))
    expect(grouped('\u2126')).toBe('\u03a9')
  })

  test('√ and sqrt, ‖ and norm keep what was written', () => {
    expect(grouped('√x + sqrt(x)')).toBe('((√ x) + sqrt(x))')
  })
})

describe('names', () => {
  const isName = (text: string): boolean => {
    const { tokens, groups } = lexer.tokenize(text)
    const { strange = [] } = groups
    return tokens.length === 1 && tokens[0]!.tokenType === Name && strange.length === 0
  }

  test.each([
    'β1',
    'm̂',
    '∇',
    '∇f',
    'β₁',
    'g′',
    '𝛽',
    'ϵ',
    'µ',
    '_x',
    'constructor',
    'inf1',
    'orx',
    'ifthen',
    '变量',
    'ħ'
  ])('%s is one', (text) => expect(isName(text)).toBe(true))

  test.each(['lr·m', 'lr\u0387m', '1x', 'a b', '²', '₁', '′', 'x\u200b', 'w\ufe0e', 'a\u00ad', '', ...WORDS])(
    '%j is none',
    (text) => expect(isName(text)).toBe(false)
  )

  test('may begin with every letter there is, and with nothing else', () => {
    const wrong: string[] = []
    for (let code = 0; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue
      // What ranges of letters have inside them is tested as a whole by their ends and by every 16th.
      if (code > 0x3200 && code < 0xa000 && code % 16 !== 0) continue
      if (code > 0x20000 && code % 16 !== 0) continue
      const text = String.fromCodePoint(code)
      if (isName(text) !== /^[\p{ID_Start}_∇]$/u.test(text)) wrong.push(code.toString(16))
    }
    expect(wrong).toEqual([])
  })

  test('reserved words are no names anywhere', () => {
    for (const word of WORDS) {
      expect(codesOf(`optimizer A { hyper ${word} = 1 }`), word).toContain('OPT1011')
      expect(codesOf(inStep(`observe w as ${word}`)), word).toContain('OPT1011')
    }
  })
})

describe('files', () => {
  test('items may stand in any order, with or without semicolons', () => {
    const { imports, declarations } = parsed(`;import { a } from "std"; import { b, c } from "./x.opt"
      fn f(x) = x fn h() = 1; schedule s(a = 1, b) = a * t; transform u on (g) { g := 1 }
      transform v(a = 2) on (g, w) { state s = 0 g := a; mask q = rank > 1 use u; }
      optimizer A { step(w, g) {} use u; state m = 0 mask k = true hyper x = 1 state n over layer = 0 }`)
    expect(imports.map((i) => [i.from.text, i.names.map((n) => n.text)])).toEqual([
      ['std', ['a']],
      ['./x.opt', ['b', 'c']]
    ])
    expect(declarations.map((d) => `${d.kind} ${d.name.text}`)).toEqual([
      'fn f',
      'fn h',
      'schedule s',
      'transform u',
      'transform v',
      'optimizer A'
    ])
    const optimizer = declarations[5] as ast.OptimizerDecl
    expect(optimizer.states.map((s) => [s.name.text, s.over])).toEqual([
      ['m', null],
      ['n', 'layer']
    ])
  })

  test('statements need no semicolon, even on one line', () => {
    const [optimizer] = parsed(inStep('a = 1 b := a use f(a) on (b, c) observe b as c w := -b')).declarations
    expect((optimizer as ast.OptimizerDecl).steps[0]!.body.map((s) => s.kind)).toEqual([
      'local',
      'update',
      'use',
      'observe',
      'update'
    ])
  })

  test('an expression goes on over lines', () => {
    const [optimizer] = parsed(inStep('a =\n b\n + c\n * f(\n d,\n e = 1\n )\n w := a')).declarations
    expect((optimizer as ast.OptimizerDecl).steps[0]!.body).toHaveLength(2)
  })

  test('ranges', () => {
    const ranges = ['(0, inf)', '[0, 1)', '(-1, 2^3]', '{1, 2, 4}'].map((range) => {
      const [optimizer] = parsed(`optimizer A { hyper x = 1 in ${range} }`).declarations
      return (optimizer as ast.OptimizerDecl).hypers[0]!.range
    })
    expect(ranges.map((r) => r?.kind === 'interval' && [r.lowOpen, r.highOpen])).toEqual([
      [true, true],
      [false, true],
      [true, false],
      false
    ])
    expect(ranges[3]).toMatchObject({ kind: 'set', values: [{ value: 1 }, { value: 2 }, { value: 4 }] })
  })

  test('hyperparameters without `as` are their own symbol', () => {
    const [optimizer] = parsed('optimizer A { hyper maxNorm = 1 hyper learningRate as lr = 2 }').declarations
    expect((optimizer as ast.OptimizerDecl).hypers.map((h) => [h.external.text, h.symbol.text])).toEqual([
      ['maxNorm', 'maxNorm'],
      ['learningRate', 'lr']
    ])
  })

  test('an empty file is one', () => {
    for (const source of ['', ' \n', '// nothing', '/* nothing */', '\ufeff', ';;']) {
      expect(parsed(source).declarations).toEqual([])
    }
  })
})

describe('doc comments', () => {
  const docsOf = (source: string): string[] => {
    const docs: string[] = []
    everyNode(parsed(source).declarations, (node) => {
      if ('doc' in node && node.doc !== '') docs.push(node.doc as string)
    })
    return docs
  }

  test('document what follows', () => {
    expect(
      docsOf(`/// One
        ///   two
        ///
        /// three */
        optimizer A { /// four
          hyper x = 1 /// five
          mask m = true
          // not
          /// six
          // not either
          /* nor this */
          state s = 0 }`)
    ).toEqual(['One\n  two\n\nthree */', 'four', 'five', 'six'])
  })

  test('of four slashes are none', () => expect(docsOf('//// no\nfn f(x) = x')).toEqual([]))
  test('keep no line end of Windows', () => expect(docsOf('/// a\r\n/// b\r\nfn f(x) = x')).toEqual(['a\nb']))
  test('of one thing are not those of the next', () => {
    expect(docsOf('/// a\nfn f(x) = x\nfn g(x) = x')).toEqual(['a'])
  })
})

describe('spans', () => {
  test('are those of the text', () => {
    const source = '/* m̂ */ optimizer Ä {\r\n  step(w, g) { m̂ := (‖ w ‖)² + f(a, b = 1) }\r\n}'
    const at = (text: string): ast.Span => {
      const start = source.indexOf(text)
      return { start, end: start + text.length }
    }
    const [optimizer] = parsed(source).declarations
    const [step] = (optimizer as ast.OptimizerDecl).steps
    expect(optimizer).toMatchObject({ start: source.indexOf('optimizer'), end: source.length, name: at('Ä') })
    expect(step).toMatchObject(at('step(w, g) { m̂ := (‖ w ‖)² + f(a, b = 1) }'))
    expect(step!.body).toMatchObject([
      {
        ...at('m̂ := (‖ w ‖)² + f(a, b = 1)'),
        name: { start: source.indexOf('m̂ :='), end: source.indexOf(' :=') },
        value: {
          ...at('(‖ w ‖)² + f(a, b = 1)'),
          left: { ...at('(‖ w ‖)²'), left: at('(‖ w ‖)'), right: at('²') },
          right: { ...at('f(a, b = 1)'), args: [{ name: null }, at('b = 1')] }
        }
      }
    ])
  })

  test('lie within that of what they stand in', () => {
    const { declarations } = parsed(
      inStep('a = (b + -c^2) * f(√(d), e = ‖g over model‖) use u(1 < 2) on (a) observe if a then b else c as x')
    )
    let nodes = 0
    everyNode(declarations, (node, parent) => {
      nodes++
      const span = node as ast.Span
      expect(span.start).toBeLessThanOrEqual(span.end)
      if (!parent) return
      const around = parent as ast.Span
      expect([around.start <= span.start, span.end <= around.end]).toEqual([true, true])
    })
    expect(nodes).toBeGreaterThan(30)
  })
})

describe('what the grammar leaves out', () => {
  test.each([
    ['a < b < c', 'OPT1012'],
    ['a == b != c', 'OPT1012'],
    ['name ~ /a/ == b', 'OPT1012'],
    ['√x²', 'OPT1008'],
    ['√x^2', 'OPT1008'],
    ['√√x²', 'OPT1008'],
    ['√(x)^2', 'OPT1008'],
    ['1 + if a then b else c', 'OPT1013'],
    ['not if a then b else c', 'OPT1013'],
    ['2 x', 'OPT1018'],
    ['(a) (b)', 'OPT1018'],
    ['f(a = 1, b)', 'OPT1016'],
    ['sum(x over layers)', 'OPT1006'],
    ['sum(x over)', 'OPT1002'],
    ['1e999', 'OPT1014'],
    ['1e-400', 'OPT1014'],
    ['a ** b', 'OPT1002'],
    ['a < not b', 'OPT1002'],
    ['f(a,)', 'OPT1002'],
    ['‖a', 'OPT1002'],
    ['a | b', 'OPT1001'],
    ['"a"', 'OPT1002'],
    ['name ~ "a"', 'OPT1002'],
    ['name ~ /a', 'OPT1009'],
    ['name ~ /a/g', 'OPT1007']
  ])('%s gives %s alone', (text, code) => expect(codesOf(inFunction(text))).toEqual([code]))

  test('a name may have 200 characters, and is one name however long it is', () => {
    expect(codesOf(inFunction('β'.repeat(200)))).toEqual([])
    expect(codesOf(inFunction('β'.repeat(201)))).toEqual(['OPT1020'])
    expect(codesOf(inFunction('β'.repeat(3000)))).toEqual(['OPT1020'])
  })

  test('0e5 is a number, and so is the smallest there is', () => {
    expect(codesOf(inFunction('0e-999 + 0.000 + 5e-324 + 1.7976931348623157e308'))).toEqual([])
  })
})

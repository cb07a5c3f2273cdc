/**
 * The functions that the compiler prints where a shading language has none, or promises too little: run by a machine that
 * loses as much as the specifications let it, whichever way is worst, they keep the bound that the reference gives them.
 */
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import * as glsl from '../../../src/compiler/emit/glsl.js'
import * as wgsl from '../../../src/compiler/emit/wgsl.js'
import { tables } from '../../../src/reference/arithmetic.js'
import { type Machine, shader } from '../../reference/machine.js'

type Values = Readonly<Record<string, number>>

interface Printed {
  readonly parameters: readonly string[]
  readonly lines: readonly { readonly to: string; readonly value: ts.Expression }[]
}

interface Language {
  /** Of numbers, not of vectors. */
  readonly textOf: (name: string) => string
  readonly parameter: RegExp
  readonly line: RegExp
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  GLSL: {
    textOf: (name) => glsl.helpersOf(`${name}_(`).find((helper) => helper.startsWith(`float ${name}_(`))!,
    parameter: /float (\w+)[,)]/g,
    line: /^ {2}(?:float (\w+) =|(return)) (.*);$/gm
  },
  WGSL: {
    textOf: (name) => wgsl.helpersOf(`${name}_f32(`).find((helper) => helper.startsWith(`fn ${name}_f32(`))!,
    parameter: /(\w+): f32[,)]/g,
    line: /^ {2}(?:let (\w+) =|(return)) (.*);$/gm
  }
}

/** Its assignments, and what it returns. */
function parsed({ textOf, parameter, line }: Language, name: string): Printed {
  const text = textOf(name)
  const parameters = [...text.split('\n')[0]!.matchAll(parameter)].map(([, parameter]) => parameter!)
  const lines = [...text.matchAll(line)].map(([, to = 'return', , value]) => {
    const { statements } = ts.createSourceFile('', `(${value})`, ts.ScriptTarget.ES2022)
    return { to, value: (statements[0] as ts.ExpressionStatement).expression }
  })
  return { parameters, lines }
}

const EXACT: Readonly<Record<string, (...x: number[]) => number>> = {
  abs: Math.abs,
  sign: Math.sign,
  min: Math.min,
  max: Math.max,
  float: (x) => x!,
  lt: (x, y) => Number(x! < y!),
  ge: (x, y) => Number(x! >= y!),
  eq: (x, y) => Number(x === y),
  both: (x, y) => x! * y!,
  pick: (c, x, y) => (c === 1 ? x! : y!),
  f32: (x) => x!,
  select: (x, y, c) => (c === 1 ? y! : x!)
}

function evaluate(e: ts.Expression, at: Values, m: Machine): number {
  const of = (part: ts.Expression): number => evaluate(part, at, m)
  if (ts.isParenthesizedExpression(e)) return of(e.expression)
  if (ts.isIdentifier(e)) return at[e.text]!
  if (ts.isNumericLiteral(e)) return Math.fround(Number(e.text))
  if (ts.isPrefixUnaryExpression(e)) return -of(e.operand)
  if (ts.isBinaryExpression(e)) {
    const [x, y] = [of(e.left), of(e.right)]
    switch (e.operatorToken.kind) {
      case ts.SyntaxKind.PlusToken:
        return m.round(x + y)
      case ts.SyntaxKind.MinusToken:
        return m.round(x - y)
      case ts.SyntaxKind.AsteriskToken:
        return m.round(x * y)
      case ts.SyntaxKind.SlashToken:
        return m.divide(x, y)
      case ts.SyntaxKind.LessThanToken:
        return Number(x < y)
      case ts.SyntaxKind.GreaterThanEqualsToken:
        return Number(x >= y)
      case ts.SyntaxKind.EqualsEqualsToken:
        return Number(x === y)
      case ts.SyntaxKind.AmpersandToken:
        return x * y
    }
  }
  if (!ts.isCallExpression(e)) throw new Error(`what is ${ts.SyntaxKind[e.kind]}?`)
  const name = (e.expression as ts.Identifier).text
  const args = e.arguments.map(of)
  return name === 'exp' || name === 'log' ? m.apply(name, args[0]!) : EXACT[name]!(...args)
}

function run({ parameters, lines }: Printed, args: readonly number[], m: Machine): number {
  const at: Record<string, number> = Object.fromEntries(parameters.map((parameter, i) => [parameter, args[i]!]))
  for (const { to, value } of lines) at[to] = evaluate(value, at, m)
  return at['return']!
}

let state = 1
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const machine = shader(random)
const { device } = tables.wgsl

/** Of every size that a normal float32 has, more of them around 1. */
function numbers(count: number): number[] {
  const sizes = Array.from({ length: count }, (_, i) => 2 ** (i % 4 === 0 ? 250 * random() - 125 : 12 * random() - 8))
  return [...sizes, 0.25, 0.2499999, 1, 8, 20, 20.000002, 2 ** -126, 3e38].map(Math.fround)
}

describe.each(Object.entries(LANGUAGES))('%s', (_, language) => {
  test.each([
    ['tanh', Math.tanh, 0.24],
    ['tanh', Math.tanh, Infinity],
    ['cbrt', Math.cbrt, Infinity]
  ] as const)('$0 below $2', (name, f, below) => {
    const printed = parsed(language, name)
    let worst = 0
    for (const size of numbers(5000)) {
      if (size >= below) continue
      for (const x of [size, -size]) {
        const bound = device.functions[name](x, f(x))
        const off = Math.abs(run(printed, [x], machine) - f(x))
        expect(off, `${name}(${x})`).toBeLessThanOrEqual(bound + device.tiny)
        worst = Math.max(worst, off / bound)
      }
    }
    expect(run(printed, [0], machine)).toBe(0)
    // A bound that is never come near would hold anything.
    expect(worst).toBeGreaterThan(0.5)
  })

  test('pow is exp(y · log x), and whole at 0', () => {
    const printed = parsed(language, 'pow')
    for (const x of numbers(2000)) {
      const y = Math.fround((16 * random() - 8) / Math.max(1, Math.abs(Math.log(x))))
      const through = y * Math.log(x)
      const off = Math.abs(y) * device.functions.log(x, Math.log(x)) + device.unit * Math.abs(through)
      const bound = Math.exp(through) * (Math.expm1(off) + device.functions.exp(through, 1) * Math.exp(2 * off))
      expect(Math.abs(run(printed, [x, y], machine) - Math.exp(through)), `${x} ^ ${y}`).toBeLessThanOrEqual(bound)
    }
    expect([run(printed, [0, 0.5], machine), run(printed, [0, 0], machine)]).toEqual([0, 1])
  })
})

import { expect, test } from 'vitest'
import { checked, step } from './support.js'

const codes = (source: string): string[] => checked(source).diagnostics.map((d) => d.code)
const lines = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n')

test('inlining that doubles at each of 40 levels ends', () => {
  const chain = lines(40, (i) => `fn f${i + 1}(x) = f${i}(x) + f${i}(x + 1)`)
  expect(codes(`fn f0(x) = x\n${chain}\n${step('w := w - lr * f40(g)')}`)).toEqual(['OPT2021'])
})

test('a transform that is used ever more often ends', () => {
  const chain = lines(40, (i) => `transform f${i + 1}() on (x) { use f${i}(); use f${i}() }`)
  expect(codes(`transform f0() on (x) { x := 2 * x }\n${chain}\n${step('w := w - lr * g', 'use f40()')}`)).toEqual([
    'OPT2021'
  ])
})

test('a chain of ten thousand functions is one error, where it is too much', () => {
  const chain = lines(10_000, (i) => `fn f${i + 1}(x) = f${i}(x)`)
  expect(codes(`fn f0(x) = x\n${chain}`)).toEqual(['OPT2021'])
})

test('a cycle of ten thousand functions is one error', () => {
  const chain = lines(9_999, (i) => `fn f${i + 1}(x) = f${i}(x)`)
  const { diagnostics } = checked(`fn f0(x) = f9999(x)\n${chain}`)
  expect(diagnostics.map((d) => d.code)).toEqual(['OPT2020'])
  expect(diagnostics[0]!.message.length).toBeLessThan(200)
})

test('a step of too many operations', () => {
  expect(
    codes(
      step(
        `${lines(5_000, (i) => `u${i} = g * ${i + 2}`)}\nw := w - lr * (${Array.from({ length: 90 }, (_, i) => `u${i}`).join(' + ')})`
      )
    )
  ).toContain('OPT2012')
  expect(codes(step(lines(2_100, (i) => `w := w - ${i + 2} * g / lr`)))).toEqual(['OPT2023'])
})

test('a chain of too many operations', () => {
  expect(codes(step(lines(600, () => 'w := w - lr * g')))).toEqual(['OPT2023'])
  expect(codes(step(lines(150, () => 'w := w - lr * g')))).toEqual([])
})

test('a chain of ten thousand transforms', () => {
  const chain = lines(10_000, (i) => `transform f${i + 1}() on (x) { use f${i}() }`)
  expect(codes(`transform f0() on (x) { x := 2 * x }\n${chain}`)).toEqual(['OPT2021'])
})

test('deep expressions, one in another', () => {
  const deep = (x: string): string => `${'-('.repeat(22)}${x}${')'.repeat(22)}`
  const chain = lines(10, (i) => `fn f${i + 1}(x) = f${i}(${deep('x')})`)
  expect(codes(`fn f0(x) = ${deep('x')}\n${chain}\n${step('w := w - lr * f10(g)')}`)).toEqual([])
})

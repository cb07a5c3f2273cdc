import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { check } from '../../../src/compiler/check/check.js'
import { fits, join } from '../../../src/compiler/check/graph.js'
import type { CheckedFile, Level, Node } from '../../../src/compiler/check/program.js'
import { link } from '../../../src/compiler/syntax/modules.js'
import { program } from '../../testing/arbitraries.js'
import { shipped } from './support.js'
import { file } from './trees.js'

describe('levels are a semilattice', () => {
  const level = fc.constantFrom<Level>('const', 'config', 'step', 'model', 'layer', 'row', 'channel', 'col', 'element')

  test.prop([level, level, level])('join is associative, commutative and idempotent', (a, b, c) => {
    expect(join(a, join(b, c))).toBe(join(join(a, b), c))
    expect(join(a, b)).toBe(join(b, a))
    expect(join(a, a)).toBe(a)
  })

  test.prop([level, level, level])('join is the least that both fit in', (a, b, c) => {
    expect(fits(a, join(a, b)) && fits(b, join(a, b))).toBe(true)
    if (fits(a, c) && fits(b, c)) expect(fits(join(a, b), c)).toBe(true)
  })

  test.prop([level])('const fits everywhere, everything fits in element', (a) => {
    expect(fits('const', a) && fits(a, 'element')).toBe(true)
  })

  test('row and col fit neither in the other', () => {
    expect([fits('row', 'col'), fits('col', 'row'), join('row', 'col')]).toEqual([false, false, 'element'])
    expect([fits('channel', 'col'), fits('col', 'channel'), join('channel', 'row')]).toEqual([true, false, 'element'])
  })
})

/** What every node must be, given its operands. */
function wellFormed(node: Node): void {
  const seen = new Set<Node>()
  const waiting = [node]
  for (let n = waiting.pop(); n; n = waiting.pop()) {
    if (seen.has(n)) continue
    seen.add(n)
    waiting.push(...n.args)
    for (const argument of n.args) expect(argument.id).toBeLessThan(n.id)
    if (n.args.length === 0) continue
    if ('over' in n) {
      expect([n.level, n.place, n.kind]).toEqual([n.over, 'device', 'number'])
      expect(n.over === 'layer' ? ['element'] : ['element', 'layer']).toContain(n.args[0]!.level)
    } else if (n.op === 'noise') {
      expect([n.level, n.place, n.kind]).toEqual(['element', 'device', 'number'])
      expect(n.args.map((key) => [key.op, key.level, key.place])).toEqual(Array(4).fill(['key', 'layer', 'host']))
    } else {
      expect(n.level).toBe(n.args.map((a) => a.level).reduce(join))
      expect(n.place).toBe(n.args.some((a) => a.place === 'device') ? 'device' : 'host')
    }
  }
}

function wellFormedFile({ optimizers, schedules }: CheckedFile): void {
  for (const schedule of schedules) {
    wellFormed(schedule.body)
    expect([schedule.body.place, fits(schedule.body.level, 'step')]).toEqual(['host', true])
  }
  for (const { weight, slots, masks, observations } of optimizers) {
    for (const { predicate } of masks) {
      wellFormed(predicate)
      expect([predicate.kind, predicate.place]).toEqual(['bool', 'host'])
    }
    for (const { name, over, place, init, next } of slots) {
      for (const node of [init, next]) {
        wellFormed(node)
        expect([name, fits(node.level, over), node.kind]).toEqual([name, true, 'number'])
      }
      if (place === 'host') expect([init.place, next.place]).toEqual(['host', 'host'])
    }
    for (const { value } of observations) {
      wellFormed(value)
      expect(fits(value.level, 'layer')).toBe(true)
    }
    wellFormed(weight)
    expect(weight.kind).toBe('number')
  }
}

test.prop([program], { numRuns: 100 })('random programs become well-formed graphs', (source) => {
  const { checked } = check(link(source, 'random.opt', () => null).module)
  expect(checked.optimizers).toHaveLength(1)
  wellFormedFile(checked)
})

test.prop([file], { numRuns: 1000 })('nothing that a parser could make is too much', (tree) => {
  const { checked, diagnostics } = check({ file: tree, imports: new Map() })
  wellFormedFile(checked)
  const optimizers = tree.declarations.filter((d) => d.kind === 'optimizer').length
  const hasErrorNodes = JSON.stringify(tree).includes('"kind":"error"')
  if (diagnostics.length === 0 && !hasErrorNodes) expect(checked.optimizers).toHaveLength(optimizers)
})

describe('shipped optimizers with a few words changed', () => {
  const words = (text: string): string[] => text.match(/[\p{L}\p{M}_][\p{L}\p{M}\p{N}_]*|\d[\d.e-]*|\s+|./gu) ?? []
  const sources = ['adam', 'clipped-adamw', 'lamb', 'lars', 'momentum', 'std'].map((name) => words(shipped(name)))
  const vocabulary = [...new Set(sources.flat().filter((word) => word.trim() !== ''))]
  const change = fc.record({
    at: fc.nat(5000),
    kind: fc.constantFrom('replace', 'remove', 'repeat'),
    by: fc.constantFrom(...vocabulary)
  })
  const changed = fc
    .tuple(fc.constantFrom(...sources), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([source, changes]) => {
      const text = [...source]
      for (const { at, kind, by } of changes) {
        const i = at % text.length
        text[i] = kind === 'replace' ? by : kind === 'remove' ? '' : `${text[i]} ${text[i]}`
      }
      return text.join('')
    })

  test.prop([changed], { numRuns: 250 })('are checked without a throw; errors come in order, each once', (text) => {
    const { module, diagnostics: syntax } = link(text, 'changed.opt', () => null)
    const { checked, diagnostics } = check(module, new Set(syntax.map((d) => d.path)))
    wellFormedFile(checked)
    const starts = diagnostics.map((d) => d.span.start)
    expect(starts).toEqual([...starts].sort((a, b) => a - b))
    const said = diagnostics.map((d) => `${d.code} ${d.span.start} ${d.message}`)
    expect(new Set(said).size).toBe(said.length)
    for (const d of diagnostics) {
      expect(d.message).not.toMatch(/undefined|null|NaN|\[object/)
      expect(d.span.end).toBeLessThanOrEqual(text.length)
    }
  })
})

/** Random programs as graphs, from a tape of numbers (so that fast-check can shrink them), and inputs for them. */
import fc from 'fast-check'
import type { Binary, Node, Program, Unary } from '../../../../src/compiler/check/program.js'
import type { LayerInput, StepInput } from '../../../../src/compiler/plan/evaluate.js'
import { Sketch } from './programs.js'

/** Takes numbers off a tape; 0 when it has run out. */
export interface Tape {
  below(n: number): number
  pick<T>(items: readonly T[]): T
}

export function tapeOf(numbers: readonly number[]): Tape {
  let at = 0
  const below = (n: number): number => (numbers[at++] ?? 0) % n
  return { below, pick: (items) => items[below(items.length)]! }
}

export interface Shape {
  readonly slots: number
  readonly operations: number
  /** Host conditions, state of layer and model, observations. */
  readonly rich: boolean
  /** Reductions over the model too. */
  readonly model: boolean
}

const UNARY: readonly Unary[] = ['neg', 'abs', 'sign', 'sqrt', 'rsqrt', 'cbrt', 'exp', 'log', 'floor', 'tanh']
const BINARY: readonly Binary[] = ['add', 'sub', 'mul', 'div', 'add', 'mul', 'max', 'min', 'pow']
const COMPARE: readonly Binary[] = ['lt', 'le', 'gt', 'ge', 'eq', 'ne']
const CONSTANTS = [0, 1, -1, 2, 0.5, -0.5, 3, -2]

const isElement = (n: Node): boolean => n.level === 'element'
const ofLayer = (n: Node): boolean => !isElement(n)
const ofModel = (n: Node): boolean => ofLayer(n) && n.level !== 'layer'

export function randomProgram(tape: Tape, shape: Shape): Program {
  const s = new Sketch()
  const slots = Array.from({ length: tape.below(shape.slots + 1) }, (_, i) => s.slot(`s${i}`))
  const numbers: Node[] = [s.w, s.g, ...slots, s.hyper('a', 'a', 0.5), s.hyper('b', 'b', 2)]
  const bools: Node[] = []
  const host = new Map<string, Node>()
  if (shape.rich) {
    numbers.push(s.t, s.graph.fact('size'), s.graph.fact('age'), s.slot('l', 'layer'), s.slot('k', 'model'))
    for (const over of ['layer', 'model'] as const) host.set(`h${over}`, s.slot(`h${over}`, over, 'host'))
    numbers.push(...host.values())
    bools.push(s.mask('p'), s.mask('q'), s.hyper('flag', 'flag', false))
  }
  const elements = (): Node[] => numbers.filter(isElement)
  const late = <T>(items: readonly T[]): T =>
    items[items.length - 1 - Math.min(tape.below(items.length), tape.below(items.length))]!
  for (let i = 0; i < shape.operations; i++) {
    const kind = tape.below(12)
    if (kind < 5) numbers.push(s.op(tape.pick(BINARY.slice(0, shape.rich ? 9 : 4)), late(numbers), tape.pick(numbers)))
    else if (kind === 5) numbers.push(s.graph.unary(tape.pick(UNARY), late(numbers)))
    else if (kind === 6)
      numbers.push(s.op(tape.pick(['add', 'mul', 'div', 'pow', 'sub']), late(numbers), tape.pick(CONSTANTS)))
    else if (kind < 9) numbers.push(s.graph.reduce(tape.pick(['sum', 'sum', 'max', 'min']), 'layer', late(elements())))
    else if (kind === 9 && shape.model) {
      const operand = late(numbers.filter((n) => isElement(n) || (shape.rich && n.level === 'layer')))
      numbers.push(s.graph.reduce(tape.pick(['sum', 'max']), 'model', operand))
    } else if (!shape.rich) numbers.push(s.op('mul', late(numbers), late(elements())))
    else if (kind === 10) bools.push(s.op(tape.pick(COMPARE), late(numbers), tape.pick(numbers)))
    else {
      const [p, q] = [late(bools), tape.pick(bools)]
      bools.push(tape.below(2) === 0 ? s.graph.unary('not', p) : s.graph.binary(tape.pick(['and', 'or']), p, q))
      numbers.push(s.if(late(bools), late(numbers), tape.pick(numbers)))
    }
  }
  for (let i = 0; i < slots.length; i++) s.update(`s${i}`, tape.below(8) === 0 ? tape.pick(numbers) : late(numbers))
  if (shape.rich) {
    s.update('l', late(numbers.filter(ofLayer)))
    s.update('k', late(numbers.filter(ofModel)))
    const onHost = numbers.filter((n) => n.place === 'host')
    s.update('hlayer', late(onHost.filter(ofLayer)))
    s.update('hmodel', late(onHost.filter((n) => ofModel(n) && n.op !== 'fact')))
    for (let i = tape.below(3); i > 0; i--) s.observe(`o${i}`, late(numbers.filter(ofLayer)))
  }
  return s.program('Random', s.add(s.w, late(numbers)))
}

/** Values made of many tensors, wanted again after reductions of them: where storing one may be worth it. */
export function randomChain(tape: Tape, over: 'layer' | 'model' | 'row'): Program {
  const s = new Sketch()
  const slots = Array.from({ length: 1 + tape.below(2) }, (_, i) => s.slot(`s${i}`))
  const leaves = [s.w, s.g, ...slots]
  const values = [leaves.slice(tape.below(2)).reduce((x, y) => s.add(x, y))]
  for (let i = 1 + tape.below(2); i > 0; i--) {
    const operand = tape.below(3) === 0 ? s.mul(tape.pick(values), tape.pick(leaves)) : tape.pick(values)
    const scaled = s.mul(s.graph.reduce('sum', over, operand), tape.pick(values))
    values.push(tape.below(3) === 0 ? s.add(scaled, tape.pick(leaves)) : scaled)
  }
  for (const [i, slot] of slots.entries()) if (tape.below(3) === 0) s.update(`s${i}`, s.add(slot, tape.pick(values)))
  return s.program('Chain', s.add(s.w, values[values.length - 1 - tape.below(2)]!))
}

/** Quarters between −2 and 2: sums and ties of them are exact, and 0 is not rare. */
const value = (tape: Tape): number => (tape.below(17) - 8) / 4

export function randomInput(program: Program, tape: Tape): StepInput {
  const inLayer = program.slots.flatMap(({ name, over }) =>
    over === 'layer' || over === 'model' ? [] : [{ name, over }]
  )
  const numbers = (over: string): Record<string, number> =>
    Object.fromEntries(program.slots.filter((s) => s.over === over).map((s) => [s.name, value(tape)]))
  const layers = Array.from({ length: 1 + tape.below(3) }, (): LayerInput => {
    const shape = [[], [1 + tape.below(3)], [1 + tape.below(2), 1 + tape.below(2)], [2, 1 + tape.below(3), 2]][
      tape.below(4)
    ]!
    const [cols, rows] = shape.length === 1 ? [1, shape[0]!] : [...shape].reverse()
    const size = shape.reduce((a, b) => a * b, 1)
    const counts = { element: size, row: size / (cols ?? 1), col: size / (rows ?? 1), channel: cols ?? 1 }
    const column = (over: keyof typeof counts = 'element'): number[] =>
      Array.from({ length: counts[over] }, () => value(tape))
    return {
      shape,
      age: 1 + tape.below(3),
      masks: Object.fromEntries(program.masks.map((m) => [m.name, tape.below(2) === 1])),
      weight: column(),
      gradient: column(),
      slots: Object.fromEntries(inLayer.map((s) => [s.name, column(s.over)])),
      numbers: numbers('layer')
    }
  })
  const hypers = program.hypers.map((h) => [h.name, h.kind === 'bool' ? tape.below(2) === 1 : h.init])
  return { step: 1 + tape.below(4), hypers: Object.fromEntries(hypers), layers, numbers: numbers('model') }
}

/** The tape of a program of this shape, and of an input. Drawn as numbers, so that a counterexample prints and shrinks well. */
export const tape = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.noBias(fc.nat({ max: 9999 })), { minLength: length, maxLength: length })
export const programTape = (shape: Shape): fc.Arbitrary<number[]> => tape(8 + 5 * shape.operations)

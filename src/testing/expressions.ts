/**
 * Random expressions of a wanted level, as text. They are written so that most values stay near 1 and most divisions are
 * safe: what a bound can't decide tests nothing.
 */
import type { Choices } from './choices.js'

export type Level = 'config' | 'step' | 'model' | 'layer' | 'row' | 'channel' | 'col' | 'element'
const LEVELS: readonly Level[] = ['config', 'step', 'model', 'layer', 'row', 'channel', 'col', 'element']
const rank = (level: Level): number => LEVELS.indexOf(level)

/** A channel is the same for a column of each matrix; rows and columns have nothing in common but the element that both cross. */
function join(a: Level, b: Level): Level {
  const crosses = (x: Level): boolean => x === 'col' || x === 'channel'
  const cross = (a === 'row' && crosses(b)) || (crosses(a) && b === 'row')
  return cross ? 'element' : rank(a) > rank(b) ? a : b
}
export const fits = (level: Level, ceiling: Level): boolean => join(level, ceiling) === ceiling

/** An expression's text, its level, and the names that it reads. */
export interface Term {
  readonly text: string
  readonly level: Level
  readonly reads: ReadonlySet<string>
}

export interface Named {
  readonly name: string
  readonly level: Level
}

/** What an expression may be made of. */
export interface Vocabulary {
  readonly numbers: readonly Named[]
  readonly bools: readonly Named[]
  /** Functions of the file, by name, with their number of parameters. */
  readonly fns: readonly { readonly name: string; readonly params: number; readonly element: boolean }[]
  readonly schedules: readonly { readonly name: string; readonly param: string }[]
  /** Expressions made before, to be used again. */
  readonly pool: Term[]
  /** Reductions make no sense of parameters whose level is the caller's. */
  readonly reduces: boolean
  /** Whether there are rows and columns. */
  readonly axes: boolean
}

export const term = (text: string, level: Level, reads: Iterable<string> = []): Term => ({
  text,
  level,
  reads: new Set(reads)
})

/** An expression made of others: their joint level, all that they read. */
export function build(text: string, ...of: readonly Term[]): Term {
  const level = of.reduce<Level>((all, t) => join(all, t.level), 'config')
  return term(
    text,
    level,
    of.flatMap((t) => [...t.reads])
  )
}

const CONSTANTS = ['1', '2', '0.5', '0.1', '3', '0.75', '1e-3']

type Rule = (c: Choices, of: () => Term) => Term
const unary =
  (f: (x: string) => string): Rule =>
  (_, of) => {
    const x = of()
    return build(f(x.text), x)
  }
const binary =
  (f: (x: string, y: string) => string): Rule =>
  (_, of) => {
    const [x, y] = [of(), of()]
    return build(f(x.text, y.text), x, y)
  }

/** Every operator and function, in the spellings that the language has. Safe forms first. */
const RULES: readonly Rule[] = [
  binary((x, y) => `(${x} + ${y})`),
  binary((x, y) => `(${x} - ${y})`),
  binary((x, y) => `(${x} * ${y})`),
  binary((x, y) => `(${x} · ${y})`),
  binary((x, y) => `${x} / (abs(${y}) + 0.5)`),
  binary((x, y) => `(${x} / (2 + ${y}²))`),
  unary((x) => `(-${x})`),
  unary((x) => `(${x})²`),
  unary((x) => `(√(${x} * ${x}))`),
  unary((x) => `sqrt(abs(${x}))`),
  unary((x) => `abs(${x})`),
  unary((x) => `tanh(${x})`),
  unary((x) => `exp(clamp(${x}, -2, 2))`),
  unary((x) => `log(1 + abs(${x}))`),
  unary((x) => `rsqrt(1 + (${x})^2)`),
  unary((x) => `cbrt(${x})`),
  unary((x) => `sign(${x})`),
  unary((x) => `floor(3 * ${x})`),
  unary((x) => `(${x})^3`),
  unary((x) => `(1 + abs(${x}))^-2`),
  unary((x) => `(1 + abs(${x}))^1.5`),
  unary((x) => `abs(${x})^0.5`),
  unary((x) => `(1 + abs(${x}))^-0.5`),
  binary((x, y) => `(0.5 + abs(${x}))^(1 / (2 + abs(${y})))`),
  binary((x, y) => `max(${x}, ${y})`),
  binary((x, y) => `min(${x}, ${y}, 2)`),
  binary((x, y) => `clamp(${x}, -1, abs(${y}))`),
  binary((x, y) => `(${x} / ${y})`),
  unary((x) => `(1 / ${x})`)
]

const COMPARISONS = ['>', '<', '>=', '<=', '!=', '==', '≥', '≤', '≠']

/** A number whose level fits under `ceiling`. */
export function numberOf(c: Choices, ceiling: Level, vocabulary: Vocabulary, depth: number): Term {
  const of = (): Term => numberOf(c, ceiling, vocabulary, depth - 1)
  // A whole statement is never a leaf.
  const kind = depth <= 0 ? 0 : depth >= 3 ? 3 + c.below(9) : c.below(12)
  let made: Term
  if (kind < 3) made = leaf(c, ceiling, vocabulary)
  else if (kind < 8) made = c.of(RULES)(c, of)
  else if (kind === 8) made = conditional(c, ceiling, vocabulary, depth)
  else if (kind === 9) made = callOf(c, ceiling, vocabulary, of)
  else if (kind === 10) made = reduction(c, ceiling, vocabulary, depth)
  else made = again(c, ceiling, vocabulary)
  if (depth > 0) vocabulary.pool.push(made)
  return made
}

function leaf(c: Choices, ceiling: Level, { numbers, reduces }: Vocabulary): Term {
  if (reduces && ceiling === 'element' && c.chance(16)) return term('noise()', 'element')
  const fitting = numbers.filter((n) => fits(n.level, ceiling))
  // The highest levels are the most telling, so they stand first.
  const named = [...fitting].sort((a, b) => rank(b.level) - rank(a.level))
  const recent = c.chance(4) ? named : named.slice(0, 4)
  const found = recent[c.below(recent.length + 1)]
  return found ? term(found.name, found.level, [found.name]) : term(c.of(CONSTANTS), 'config')
}

function again(c: Choices, ceiling: Level, vocabulary: Vocabulary): Term {
  const known = vocabulary.pool.filter((t) => fits(t.level, ceiling)).slice(-8)
  return known.length > 0 ? c.of(known) : leaf(c, ceiling, vocabulary)
}

function conditional(c: Choices, ceiling: Level, vocabulary: Vocabulary, depth: number): Term {
  const condition = boolOf(c, ceiling, vocabulary, depth - 1)
  const branch = numberOf(c, ceiling, vocabulary, depth - 1)
  // A reduction ranges over all elements, whatever conditional it stands in.
  const then = c.chance(2) ? reduction(c, ceiling, vocabulary, depth) : branch
  const otherwise = numberOf(c, ceiling, vocabulary, depth - 1)
  return build(`(if ${condition.text} then ${then.text} else ${otherwise.text})`, condition, then, otherwise)
}

function callOf(c: Choices, ceiling: Level, vocabulary: Vocabulary, of: () => Term): Term {
  const { fns, schedules } = vocabulary
  const fitting = fns.filter((f) => !f.element || ceiling === 'element')
  const i = c.below(fitting.length + (fits('step', ceiling) ? schedules.length : 0) || 1)
  const fn = fitting[i]
  if (fn) {
    const args = Array.from({ length: fn.params }, () => (fn.element ? elementOf(of(), vocabulary) : of()))
    return build(`${fn.name}(${args.map((a) => a.text).join(', ')})`, ...args, term('', 'config', [fn.name]))
  }
  const schedule = fits('step', ceiling) ? schedules[i - fitting.length] : undefined
  if (!schedule) return leaf(c, ceiling, vocabulary)
  const given = c.below(2) === 1 ? `${schedule.param} = 0.25` : ''
  return term(`${schedule.name}(${given})`, 'step', [schedule.name])
}

/** The same, made to vary by element if it does not yet. */
function elementOf(x: Term, { numbers }: Vocabulary): Term {
  if (x.level === 'element') return x
  const element = numbers.find((n) => n.level === 'element')!
  return build(`(${x.text} + ${element.name})`, x, term('', 'element', [element.name]))
}

const OVER_LAYER: readonly ((x: string) => string)[] = [
  (x) => `‖${x}‖`,
  (x) => `mean(${x})`,
  (x) => `rms(${x})`,
  (x) => `norm(${x})`,
  (x) => `max(${x})`,
  (x) => `min(${x})`,
  (x) => `dot(${x}, ${x}) / size`,
  (x) => `sum(${x}) / size`,
  (x) => `sum(${x} over layer) / (1 + size)`
]
const OVER_MODEL: readonly ((x: string) => string)[] = [
  (x) => `norm(${x} over model)`,
  (x) => `‖${x} over model‖`,
  (x) => `mean(${x} over model)`,
  (x) => `rms(${x} over model)`,
  (x) => `max(${x} over model)`,
  (x) => `min(${x} over model)`,
  (x) => `tanh(sum(${x} over model))`,
  (x) => `tanh(dot(${x}, ${x} over model))`
]

/** `#` is rows, cols or channels. */
const OVER_VECTORS: readonly ((x: string) => string)[] = [
  (x) => `mean(${x} over #)`,
  (x) => `‖${x} over #‖`,
  (x) => `max(${x} over #)`,
  (x) => `rms(${x} over #)`,
  (x) => `(mean(${x} over #) * rsqrt(count(${x} over #)))`,
  (x) => `min(${x} over #)`,
  (x) => `tanh(sum(${x} over #))`,
  (x) => `tanh(dot(${x}, ${x} over #))`
]

function reduction(c: Choices, ceiling: Level, vocabulary: Vocabulary, depth: number): Term {
  if (!vocabulary.reduces || !fits('model', ceiling)) return leaf(c, ceiling, vocabulary)
  const vectors = VECTORS.filter((level) => vocabulary.axes && fits(level, ceiling))
  if (vectors.length > 0 && !c.chance(3)) return vectorReduction(c, c.of(vectors), vocabulary, depth)
  const overLayer = fits('layer', ceiling) && !c.chance(3)
  const wanted = vocabulary.axes && c.chance(3) ? c.of(VECTORS) : 'element'
  const operand = numberOf(c, !overLayer && c.chance(3) ? 'layer' : wanted, vocabulary, depth - 1)
  const counts = isVector(operand.level) || (operand.level === 'layer' && !overLayer)
  const x = counts ? operand : elementOf(operand, vocabulary)
  return term(c.of(overLayer ? OVER_LAYER : OVER_MODEL)(x.text), overLayer ? 'layer' : 'model', x.reads)
}

const VECTORS = ['row', 'col', 'channel'] as const
type Vector = (typeof VECTORS)[number]
const isVector = (level: Level): boolean => VECTORS.some((vector) => vector === level)

/** What has, beside elements, several values for each row, column or channel. */
const ACROSS: Readonly<Record<Vector, readonly Vector[]>> = {
  row: ['col', 'channel'],
  col: ['row'],
  channel: ['row', 'col']
}

/** One value a row of what has one a weight, a column or a channel, and so on. */
function vectorReduction(c: Choices, over: Vector, vocabulary: Vocabulary, depth: number): Term {
  const across = c.of(ACROSS[over])
  const operand = numberOf(c, c.chance(3) ? across : 'element', vocabulary, depth - 1)
  const x = ACROSS[over].some((level) => level === operand.level) ? operand : elementOf(operand, vocabulary)
  return term(c.of(OVER_VECTORS)(x.text).replaceAll('#', `${over}s`), over, x.reads)
}

/** A bool whose level fits under `ceiling`. */
export function boolOf(c: Choices, ceiling: Level, vocabulary: Vocabulary, depth: number): Term {
  const named = vocabulary.bools.filter((n) => fits(n.level, ceiling))
  const kind = depth <= 0 ? 0 : c.below(6)
  if (kind === 1 && named.length > 0) {
    const found = c.of(named)
    return term(found.name, found.level, [found.name])
  }
  if (kind === 2) {
    const x = boolOf(c, ceiling, vocabulary, depth - 1)
    return build(`not (${x.text})`, x)
  }
  if (kind === 3) {
    const [x, y] = [boolOf(c, ceiling, vocabulary, depth - 1), boolOf(c, ceiling, vocabulary, depth - 1)]
    return build(`(${x.text} ${c.of(['and', 'or'])} ${y.text})`, x, y)
  }
  const [x, y] = [numberOf(c, ceiling, vocabulary, depth - 1), numberOf(c, ceiling, vocabulary, Math.min(1, depth - 1))]
  return build(`(${x.text} ${c.of(COMPARISONS)} ${y.text})`, x, y)
}

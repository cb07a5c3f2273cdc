/** The names that the language itself binds: they can't be bound again. */
import type { Unary } from './program.js'

/** Functions of one number. */
export const UNARY: ReadonlySet<string> = new Set<Unary>([
  'sqrt',
  'rsqrt',
  'cbrt',
  'abs',
  'sign',
  'exp',
  'log',
  'floor',
  'tanh'
])

/** Reductions, with their number of arguments. `max` and `min` reduce one, and choose among several. */
export const REDUCTIONS: ReadonlyMap<string, number> = new Map([
  ['sum', 1],
  ['mean', 1],
  ['count', 1],
  ['norm', 1],
  ['rms', 1],
  ['dot', 2],
  ['max', 1],
  ['min', 1]
])

/** A random number, of no argument. */
export const NOISE = 'noise'

export const FUNCTIONS: ReadonlySet<string> = new Set([...UNARY, 'clamp', NOISE, ...REDUCTIONS.keys()])

/** Numbers that every layer has. */
export const FACTS: ReadonlySet<string> = new Set(['rank', 'size', 'age'])

/** The layer's name: text, so it can only be matched. */
export const LAYER_NAME = 'name'

/** The step, wherever the author has given it no other name. */
export const STEP = 't'

/** "a built-in function": what a name of the language stands for, or null if it is none. */
export function describeBuiltin(name: string): string | null {
  if (FUNCTIONS.has(name)) return 'a built-in function'
  if (FACTS.has(name)) return 'a fact of the layer'
  if (name === LAYER_NAME) return "the layer's name"
  return name === STEP ? 'the step' : null
}

/** Hyperparameters as functions of the step, and how those that were compiled are saved and found again. */
import { didYouMean, show } from './errors.js'

/** The value at step `t` (from 1). `base`: in a group, the optimizer's own value; else the default. */
export type Schedule<T extends number | boolean = number> = (t: number, base: T) => T

/** A function in a saved config: its text under `name`, because tfjs's loader changes every other string. */
export interface SavedFunction {
  readonly name: string
  readonly kind: 'schedule' | 'function'
  readonly args?: readonly unknown[]
}

/** On a function that knows how it is saved. A registered symbol, so that two copies of this module agree. */
const SAVED: unique symbol = Symbol.for('optc.saved')

type Argument = number | boolean
type Body = (t: number, args: never) => number

interface Registered {
  readonly defaults: Readonly<Record<string, Argument | null>>
  readonly body: Body
}

/** By name; null where two files define different schedules of one name. */
const registry = new Map<string, Registered | null>()

/** What a schedule of a `.opt` file compiles to: its factory, with named arguments. `null` has no default. */
export function schedule<A extends object>(
  name: string,
  defaults: { readonly [K in keyof A]: A[K] | null },
  body: (t: number, args: A) => number
): (args?: Partial<A>) => Schedule {
  const own = { defaults, body } as unknown as Registered
  const known = registry.get(name)
  registry.set(name, known === undefined || (known && same(known, own)) ? own : null)
  return (args = {}) => make(name, own, bind(name, own, args as Readonly<Record<string, unknown>>))
}

/** How to save a function: as the schedule it was made by, or as one that can't be. */
export function savedForm(f: object): SavedFunction {
  return (f as { [SAVED]?: SavedFunction })[SAVED] ?? { name: 'function', kind: 'function' }
}

/**
 * The function that a saved config stands for. One that is not to be had (a plain function, a schedule whose module was
 * not imported) throws when it is first called, so that a loaded model can predict but not train on something else.
 */
export function restored(option: string, saved: SavedFunction): Schedule {
  const f: Schedule = (t, base) => {
    if (saved.kind === 'function') {
      throw new Error(
        `${option} was a plain function when this optimizer was saved, and functions can't be saved. ` +
          `Set it again before training: ${assignment(option)}.`
      )
    }
    const own = registry.get(saved.name)
    if (!own) {
      throw new Error(
        `${option} was the schedule "${saved.name}" when this optimizer was saved, and ` +
          (own === null
            ? 'two imported files define different schedules of that name. '
            : 'no imported file has it. ') +
          `${own === null ? 'Set it' : 'Import that file, or set it'} before training: ${assignment(option)}.`
      )
    }
    const names = Object.keys(own.defaults)
    const values = saved.args ?? []
    if (names.length !== values.length) {
      throw new Error(
        `${option} was the schedule "${saved.name}" of ${values.length} arguments when this optimizer was saved; ` +
          `now it takes ${names.length} (${names.join(', ')}). Set it again before training: ${assignment(option)}.`
      )
    }
    const args = Object.fromEntries(names.map((name, i) => [name, values[i]]))
    return make(saved.name, own, bind(saved.name, own, args))(t, base)
  }
  return tag(f, saved)
}

function assignment(option: string): string {
  return option.startsWith('groups') ? 'optimizer.groups = […]' : `optimizer.${option} = …`
}

function make(name: string, { defaults, body }: Registered, args: Readonly<Record<string, Argument>>): Schedule {
  return tag((t) => body(t, args as never), {
    name,
    kind: 'schedule',
    args: Object.keys(defaults).map((key) => args[key])
  })
}

function tag(f: Schedule, saved: SavedFunction): Schedule {
  return Object.assign(f, { [SAVED]: saved })
}

function bind(
  name: string,
  { defaults }: Registered,
  given: Readonly<Record<string, unknown>>
): Record<string, Argument> {
  const names = Object.keys(defaults)
  for (const key of Object.keys(given)) {
    if (names.includes(key)) continue
    throw new Error(`${name} has no argument "${key}"${didYouMean(key, names)} It takes ${names.join(', ')}.`)
  }
  return Object.fromEntries(
    names.map((key) => {
      const value = given[key] ?? defaults[key]
      if (value === null || value === undefined) throw new Error(`${name} needs its argument ${key}.`)
      const wanted = typeof defaults[key] === 'boolean' ? 'boolean' : 'number'
      if (typeof value !== wanted || Number.isNaN(value)) {
        throw new Error(
          `${name}: ${key} must be ${wanted === 'boolean' ? 'true or false' : 'a number'}; got ${show(value)}.`
        )
      }
      return [key, value as Argument]
    })
  )
}

function same(a: Registered, b: Registered): boolean {
  return JSON.stringify(a.defaults) === JSON.stringify(b.defaults) && String(a.body) === String(b.body)
}

/**
 * Options as JSON that tfjs's loader can't change. It rewrites keys and strings that hold a `_`, unless the string stands
 * under the key `name`; and JSON itself has no functions, patterns, infinities or −0. So whatever is not an ordinary number
 * or boolean is an object with its text under `name`.
 */
import { restored, type SavedFunction, savedForm } from './schedules.js'

type Config = Readonly<Record<string, unknown>>

/** An option's value for the config: of a hyperparameter, a mask or a `match`. */
export function toConfig(value: unknown): unknown {
  if (typeof value === 'number') {
    const plain = Number.isFinite(value) && !Object.is(value, -0)
    return plain ? value : { name: Object.is(value, -0) ? '-0' : String(value), kind: 'number' }
  }
  if (value instanceof RegExp) return { name: String(value), kind: 'regexp' }
  if (Array.isArray(value)) return { name: JSON.stringify(value), kind: 'names' }
  if (typeof value === 'function') {
    const { args, ...saved } = savedForm(value)
    return args ? { ...saved, args: args.map(toConfig) } : saved
  }
  return value
}

/** The option's value again. What is no config of ours is left as it is, for the constructor to judge. */
export function fromConfig(option: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof RegExp) return value
  const { name, kind, args } = value as Config
  if (typeof name !== 'string') return value
  switch (kind) {
    case 'number':
      return Number(name)
    case 'regexp':
      return new RegExp(name.slice(1, name.lastIndexOf('/')), name.slice(name.lastIndexOf('/') + 1))
    case 'names':
      return JSON.parse(name)
    case 'schedule':
      return restored(option, {
        name,
        kind,
        args: ((args ?? []) as unknown[]).map((arg, i) => fromConfig(`${option}[${i}]`, arg))
      })
    case 'function':
      return restored(option, { name, kind } satisfies SavedFunction)
    default:
      return value
  }
}

/** All options of a config, without what the loader added. */
export function optionsFrom(config: Config): Record<string, unknown> {
  const { customObjects, groups, ...rest } = config
  const options = mapValues(rest, fromConfig)
  if (!Array.isArray(groups)) return groups === undefined ? options : { ...options, groups }
  return {
    ...options,
    groups: groups.map((group: Config, i) => mapValues(group, (key, value) => fromConfig(`groups[${i}].${key}`, value)))
  }
}

function mapValues(record: Config, f: (key: string, value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(key, value)]))
}

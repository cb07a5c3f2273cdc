/** Hyperparameters and masks for some layers: the first group that matches a layer wins whole. */
import { didYouMean, show } from './errors.js'
import { checkHyper, type Hyper } from './hypers.js'
import { checkMatch, type LayerMatch } from './masks.js'
import type { CompiledProgram } from './program.js'

/** A group after checking, by declaration order; undefined where it leaves the optimizer's own. */
export interface Group {
  readonly match: LayerMatch
  readonly hypers: readonly (Hyper | undefined)[]
  readonly masks: readonly (LayerMatch | undefined)[]
  /** As the caller reads it. Frozen. */
  readonly shown: object
}

export function checkGroups(program: CompiledProgram, value: unknown): readonly Group[] {
  if (!Array.isArray(value)) throw new Error(`groups must be an array of { match, … }; got ${show(value)}.`)
  return value.map((group, i) => checkGroup(program, `groups[${i}]`, group))
}

function checkGroup({ hypers, masks }: CompiledProgram, at: string, value: unknown): Group {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${at} must be an object { match, … }; got ${show(value)}.`)
  }
  const given = value as { readonly match?: unknown; readonly [option: string]: unknown }
  const groupable = hypers.filter((spec) => spec.groupable).map((spec) => spec.name)
  const known = ['match', ...groupable, ...masks.map((spec) => spec.name)]
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    if (hypers.some((spec) => spec.name === key)) {
      throw new Error(`${at}.${key} can't be set in a group: it takes part in a value of the whole model.`)
    }
    throw new Error(`${at} has an unknown option "${key}"${didYouMean(key, known)} A group takes ${known.join(', ')}.`)
  }
  if (given.match === undefined) throw new Error(`${at} needs match: which layers it is for.`)
  const read = <T, S extends { readonly name: string }>(
    specs: readonly S[],
    check: (name: string, spec: S, x: unknown) => T
  ) =>
    specs.map((spec) => {
      const x = Object.hasOwn(given, spec.name) ? given[spec.name] : undefined
      return x === undefined ? undefined : check(`${at}.${spec.name}`, spec, x)
    })
  const group = {
    match: checkMatch(`${at}.match`, given.match),
    hypers: read(hypers, checkHyper),
    masks: read(masks, (name, _, x) => checkMatch(name, x))
  }
  const entries = (specs: readonly { readonly name: string }[], values: readonly unknown[]) =>
    specs.map((spec, i) => [spec.name, values[i]] as const).filter(([, x]) => x !== undefined)
  const shown = {
    match: group.match,
    ...Object.fromEntries([...entries(hypers, group.hypers), ...entries(masks, group.masks)])
  }
  return { ...group, shown: Object.freeze(shown) }
}

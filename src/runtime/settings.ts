/** What a caller sets: hyperparameters, masks, groups, and how steps are written. Checked when set, and at each step. */
import { toConfig } from './config.js'
import { didYouMean, show } from './errors.js'
import { checkGroups, type Group } from './groups.js'
import { checkHyper, type Hyper, hyperAt } from './hypers.js'
import { checkMatch, type LayerMatch, matches } from './masks.js'
import { isSeed } from './noise.js'
import type { CompiledProgram, LayerInfo } from './program.js'

export interface Settings {
  readonly hypers: Hyper[]
  /** undefined: the program's own predicate. */
  readonly masks: (LayerMatch | undefined)[]
  groups: readonly Group[]
  inPlace: boolean
  /** Of random numbers, if the program draws any. */
  seed: number
  /** What was chosen for layers so far, where layers share it. */
  readonly choices: Choice[]
}

/** Hyperparameters at one step: the optimizer's own, and each group's. Bools are 1 or 0. */
export interface Values {
  readonly own: Float64Array
  readonly groups: readonly Float64Array[]
}

/** What the settings say of a layer, or of all layers of which `host` can't say more. */
export interface Choice {
  /** The first group that matches it, or null. */
  readonly group: number | null
  readonly masks: readonly boolean[]
  /** What `host` made of it, and of which values: a step asks once. */
  readonly scalars: Float64Array
  variant: number
  values: Values | null
}

export function readOptions(program: CompiledProgram, options: unknown): Settings {
  const { hypers, masks } = program
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new Error(`options must be an object, { ${hypers[0]?.name ?? 'groups'}: … }; got ${show(options)}.`)
  }
  const settings: Settings = {
    hypers: hypers.map((spec) => spec.init),
    masks: masks.map(() => undefined),
    groups: [],
    inPlace: true,
    seed: 0,
    choices: []
  }
  const setters = new Map<string, (value: unknown) => void>([
    ...hypers.map((spec, i) => [spec.name, (value: unknown) => setHyper(program, settings, i, value)] as const),
    ...masks.map((spec, i) => [spec.name, (value: unknown) => setMask(program, settings, i, value)] as const),
    ['groups', (value) => setGroups(program, settings, value)],
    ['inPlace', (value) => setInPlace(settings, value)],
    ...(program.seeded ? [['seed', (value: unknown) => setSeed(settings, value)] as const] : [])
  ])
  const known = [...setters.keys()]
  for (const [name, value] of Object.entries(options)) {
    const set = setters.get(name)
    if (!set) {
      throw new Error(`there is no option "${name}"${didYouMean(name, known)} The options are ${known.join(', ')}.`)
    }
    if (value !== undefined) set(value)
  }
  return settings
}

export function setHyper(program: CompiledProgram, settings: Settings, index: number, value: unknown): void {
  const spec = program.hypers[index]!
  settings.hypers[index] = checkHyper(spec.name, spec, value)
}

export function setMask(program: CompiledProgram, settings: Settings, index: number, value: unknown): void {
  settings.masks[index] = checkMatch(program.masks[index]!.name, value)
}

export function setGroups(program: CompiledProgram, settings: Settings, value: unknown): void {
  settings.groups = checkGroups(program, value)
}

export function setInPlace(settings: Settings, value: unknown): void {
  if (typeof value !== 'boolean') throw new Error(`inPlace must be true or false; got ${show(value)}.`)
  settings.inPlace = value
}

export function setSeed(settings: Settings, value: unknown): void {
  if (!isSeed(value)) throw new Error(`seed must be a whole number in [0, 2^32); got ${show(value)}.`)
  settings.seed = value
}

/** All hyperparameters at step `t`, each function called once. */
export function valuesAt({ hypers }: CompiledProgram, settings: Settings, t: number): Values {
  const own = hypers.map((spec, i) => hyperAt(spec.name, spec, settings.hypers[i]!, t, spec.init))
  const groups = settings.groups.map((group, g) =>
    numbersOf(
      hypers.map((spec, i) => {
        const hyper = group.hypers[i]
        return hyper === undefined ? own[i]! : hyperAt(`groups[${g}].${spec.name}`, spec, hyper, t, own[i]!)
      })
    )
  )
  return { own: numbersOf(own), groups }
}

/** As `Float64Array.from(values, Number)`, which takes longer than all else here. */
function numbersOf(values: readonly (number | boolean)[]): Float64Array {
  const numbers = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) numbers[i] = Number(values[i])
  return numbers
}

export function chooseFor(program: CompiledProgram, { groups, masks, choices }: Settings, layer: LayerInfo): Choice {
  const found = groups.findIndex((group, i) => matches(`groups[${i}].match`, group.match, layer))
  const group = found < 0 ? null : found
  const chosen = program.masks.map(({ name, predicate }, i) => {
    const ofGroup = groups[found]?.masks[i]
    if (ofGroup !== undefined) return matches(`groups[${found}].${name}`, ofGroup, layer)
    return matches(name, masks[i] ?? predicate, layer)
  })
  const known = choices.find((one) => one.group === group && one.masks.every((mask, i) => mask === chosen[i]))
  if (known) return known
  const choice: Choice = {
    group,
    masks: chosen,
    scalars: new Float64Array(program.scalars),
    variant: 0,
    values: null
  }
  if (program.sharesScalars) choices.push(choice)
  return choice
}

/** The settings as options that tfjs's loader can't change. A mask that was left alone is left out. */
export function configOf({ hypers, masks, seeded }: CompiledProgram, settings: Settings): Record<string, unknown> {
  const overridden = masks.flatMap(({ name }, i) =>
    settings.masks[i] === undefined ? [] : [[name, settings.masks[i]] as const]
  )
  const own = [...hypers.map(({ name }, i) => [name, settings.hypers[i]] as const), ...overridden]
  return {
    ...configOfEntries(own),
    groups: settings.groups.map((group) => configOfEntries(Object.entries(group.shown))),
    inPlace: settings.inPlace,
    ...(seeded && { seed: settings.seed })
  }
}

function configOfEntries(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.map(([key, value]) => [key, toConfig(value)]))
}

/** The options that hold a function which can't be saved. */
export function functionsIn({ groups, ...own }: Record<string, unknown>): string[] {
  const names = (record: object, at: string) =>
    Object.entries(record).flatMap(([key, value]) => (value?.kind === 'function' ? [at + key] : []))
  return [...names(own, ''), ...(groups as object[]).flatMap((group, i) => names(group, `groups[${i}].`))]
}

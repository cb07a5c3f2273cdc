/** A case: a small model with its weights, options and several steps of gradients, drawn from a seed. */
import type { HyperRange, Program } from '../compiler/check/program.js'
import { reach } from '../compiler/plan/order.js'
import { randomOf } from './choices.js'

export interface CaseLayer {
  readonly name: string
  readonly shape: readonly number[]
  readonly weight: Float32Array
  /** Of each step; null where the layer has none. */
  readonly gradients: readonly (Float32Array | null)[]
  /** Its hyperparameters and masks where its group sets them, else the optimizer's own. */
  readonly group: Readonly<Record<string, number | boolean>>
}

export interface Case {
  readonly layers: readonly CaseLayer[]
  readonly hypers: Readonly<Record<string, number | boolean>>
  /** Hyperparameters that the caller gives as functions of the step (`hypersAt`). */
  readonly falling: readonly string[]
  /** Masks that are overridden for every layer. */
  readonly masks: Readonly<Record<string, boolean>>
  readonly inPlace: boolean
  /** Of the optimizer's random numbers, if it draws any. */
  readonly seed?: number
  readonly steps: number
  /** The step before which the optimizer is saved and another goes on from what was saved; 0 for none. */
  readonly reload: number
}

export const without = <T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name))

/** The layer with what `f` makes of its weight and of each gradient. */
export function mapValues(layer: CaseLayer, f: (values: Float32Array) => Float32Array): CaseLayer {
  return { ...layer, weight: f(layer.weight), gradients: layer.gradients.map((g) => (g === null ? null : f(g))) }
}

/** The hyperparameters of a step: those that fall do so within their range. */
export function hypersAt({ hypers, falling }: Case, t: number): Record<string, number | boolean> {
  return Object.fromEntries(
    Object.entries(hypers).map(([name, v]) => [name, falling.includes(name) ? Number(v) / (1 + 0.1 * (t - 1)) : v])
  )
}

/** What a case has to know of the optimizer. */
export interface Signature {
  readonly hypers: readonly {
    readonly name: string
    readonly init: number | boolean
    readonly range: HyperRange | null
    readonly groupable: boolean
  }[]
  readonly masks: readonly string[]
  /** Whether it draws random numbers. */
  readonly seeded: boolean
  /** Numbers in the formula. */
  readonly constants: readonly number[]
}

export function signatureOf(program: Program): Signature {
  const roots = [program.weight, ...program.slots.map((s) => s.next), ...program.observations.map((o) => o.value)]
  const constants = reach(roots, () => true).flatMap((node) =>
    node.op === 'const' && typeof node.value === 'number' && Math.abs(node.value) < 100 ? node.value : []
  )
  return { hypers: program.hypers, masks: program.masks.map((m) => m.name), seeded: program.seeded, constants }
}

/** Tails of every kernel: scalars, odd sizes, either side of a block, several of those, high ranks, nothing at all. */
const SHAPES: readonly (readonly number[])[] = [
  [2, 3],
  [5],
  [],
  [1],
  [2],
  [3],
  [17],
  [1023],
  [1025],
  [33, 31],
  [5, 5, 83],
  [1, 1],
  [3, 1, 2, 1, 2],
  [3, 2, 2, 5],
  [4, 5],
  [0],
  [2, 0]
]
const NAMES = ['dense/kernel', 'dense/bias', 'conv/kernel', 'norm/gamma', 'head']

export function drawCase(seed: number, { hypers, masks, seeded, constants }: Signature): Case {
  const random = randomOf(seed)
  // Apart, so that a formula's numbers change nothing else of its cases.
  const aside = randomOf(~seed)
  const of = <T>(options: readonly T[]): T => options[Math.floor(random() * options.length)]!
  const one = (n: number): boolean => random() < 1 / n
  const steps = 1 + Math.floor(random() * 3)

  const values = (shape: readonly number[], scale: number): Float32Array => {
    const size = shape.reduce((a, b) => a * b, 1)
    const allZero = one(6)
    // What a formula compares with, it may do something else for.
    const special = (): number =>
      aside() < 0.5 ? 0 : (constants[Math.floor(aside() * constants.length)] ?? 0) * (aside() < 0.5 ? 1 : -1)
    return Float32Array.from({ length: size }, () => (allZero ? 0 : one(12) ? special() : (2 * random() - 1) * scale))
  }
  // Far enough from the default to show a default that was used in its place; now and then the least that is allowed.
  const value = ({ init, range }: Signature['hypers'][number]): number | boolean => {
    if (typeof init === 'boolean') return one(3) ? init : !init
    if (range?.kind === 'set') return of(range.values)
    if (range && !range.lowOpen && Number.isFinite(range.low) && one(6)) return range.low
    if (range && Number.isFinite(range.low) && Number.isFinite(range.high)) {
      // Near the end, where 1 − β shows whether β was ever rounded to float32.
      if (one(4)) return range.high - (range.high - range.low) * 10 ** (-2 - 2 * random())
      return range.low + (range.high - range.low) * (0.05 + 0.9 * random())
    }
    // A tiny ε is lost in the rounding of what it is added to, wherever it stands.
    if (init === 0 || (Math.abs(init) < 0.01 && one(2))) return 0.001 + random() / 10
    const low = range && Number.isFinite(range.low) ? range.low : 0
    return low + (init - low) * (0.4 + random())
  }
  // Now and then a number that float32 holds: a kernel may have a way of its own for those.
  const rounded = (hyper: Signature['hypers'][number]): number | boolean => {
    const drawn = value(hyper)
    if (typeof drawn === 'boolean' || hyper.range?.kind === 'set' || aside() >= 1 / 6) return drawn
    const near = Math.round(16 * drawn) / 16
    const { low = -Infinity, high = Infinity } = hyper.range ?? {}
    return near > low && near < high ? near : drawn
  }

  const grouped = one(2)
  const group = (): Record<string, number | boolean> => ({
    ...Object.fromEntries(hypers.filter((h) => h.groupable && one(2)).map((h) => [h.name, value(h)])),
    ...Object.fromEntries(masks.filter(() => one(3)).map((name) => [name, one(2)]))
  })
  const mayFall = hypers.filter(
    ({ init, range }) => typeof init === 'number' && range?.kind !== 'set' && !(range && range.low > 0)
  )
  const layers = NAMES.slice(0, 1 + Math.floor(random() * 4)).map((name): CaseLayer => {
    const shape = of(SHAPES)
    const weight = values(shape, of([1, 0.1, 2]))
    const gradients = Array.from({ length: steps }, () => (one(7) ? null : values(shape, of([1, 0.01, 3]))))
    // The optimizer warns, rightly, of a group that matched nothing by its first step.
    const mayBeGrouped = grouped && gradients[0] !== null && weight.length > 0
    return { name, shape, weight, gradients, group: mayBeGrouped && one(2) ? group() : {} }
  })
  // Saved state binds by name as long as no layer is new; what else is done with it is for tests of saving.
  const first = Math.max(...layers.map((l) => l.gradients.findIndex((g) => g !== null)))
  return {
    steps,
    layers,
    inPlace: !one(4),
    ...(seeded && { seed: Math.floor(random() * 2 ** 32) }),
    reload: one(2) && first + 1 < steps ? first + 2 : 0,
    falling: mayFall.filter(() => one(6)).map((h) => h.name),
    hypers: Object.fromEntries(hypers.map((h) => [h.name, rounded(h)])),
    masks: Object.fromEntries(masks.filter(() => one(4)).map((name) => [name, one(2)]))
  }
}

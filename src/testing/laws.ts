/**
 * Laws compare an optimizer with itself: the same training done in another way, and which numbers must come out the same.
 * Each is a row of a table; `compareTwins` reads them all.
 */
import type { Table } from '../reference/index.js'
import { type Case, type CaseLayer, mapValues } from './case.js'
import { randomOf } from './choices.js'
import { type Comparison, type Difference, expectedStep } from './compare.js'
import type { Facts } from './facts.js'
import type { Subject } from './harness.js'
import type { StepRecord } from './session.js'

/** The same training in another way. */
interface Twin {
  readonly given: Case
  /** Which layer of the original each of its layers must agree with; null for none. */
  readonly layers: readonly (number | null)[]
  /** Where a layer's element stands in the twin; where it stood by default. Null: nothing is said of it. */
  readonly place?: (layer: number, element: number) => number | null
}

export interface Law {
  readonly name: string
  /** One sentence: what holds. */
  readonly says: string
  /** How the twin is trained, as it stands behind "weight is 0.1". */
  readonly otherwise: (given: Case) => string
  /** Why it says nothing of such an optimizer; null where it does. */
  readonly silent: (facts: Facts) => string | null
  /** Whether equal to the bit, else within the bound. `exact`: each element's arithmetic is the same wherever it stands. */
  readonly bits: (facts: Facts, exact: boolean) => boolean
  readonly twins: (given: Case) => readonly Twin[]
}

const always = (): null => null
const toTheBit = (): boolean => true
const aboutLayersAlone = ({ mixesLayers }: Facts): string | null =>
  mixesLayers ? 'layers are meant to know of each other: something is over the model' : null
const all = ({ layers }: Case): number[] => layers.map((_, i) => i)

export const LAWS: readonly Law[] = [
  {
    name: 'repeatable',
    says: 'The same steps twice give the same bits.',
    otherwise: () => 'the second time',
    silent: always,
    bits: toTheBit,
    twins: (given) => [{ given, layers: all(given) }]
  },
  {
    name: 'permutation',
    says: "Permuting a layer's elements permutes the result: to the bit on JavaScript and WebAssembly where nothing is reduced, within the bound elsewhere.",
    otherwise: () => 'with elements permuted',
    silent: ({ knowsPlaces }) => (knowsPlaces ? 'elements know where they stand' : null),
    bits: ({ reduces }, exact) => exact && !reduces,
    twins: permuted
  },
  {
    name: 'together',
    says: 'Many layers in one step end as each would by itself, to the bit.',
    otherwise: () => 'by itself',
    silent: aboutLayersAlone,
    bits: toTheBit,
    twins: (given) => given.layers.map((layer, i) => ({ given: { ...given, layers: [layer] }, layers: [i] }))
  },
  {
    name: 'independence',
    says: "A layer's result does not change, not by a bit, with the weights and gradients of other layers.",
    otherwise: () => 'with all else changed in the other layers',
    silent: aboutLayersAlone,
    bits: toTheBit,
    twins: (given) => {
      const last = given.layers.length - 1
      const others = given.layers.map((layer, i) =>
        i === last ? layer : mapValues(layer, (values) => values.map((x) => 0.5 - 3 * x))
      )
      return last < 1
        ? []
        : [{ given: { ...given, layers: others }, layers: others.map((_, i) => (i === last ? i : null)) }]
    }
  },
  {
    name: 'order',
    says: 'The order in which layers are given does not matter: to the bit, or within the bound where something is reduced over the model.',
    otherwise: () => 'with the layers in reverse order',
    silent: always,
    bits: ({ mixesLayers }) => !mixesLayers,
    twins: (given) => [{ given: { ...given, layers: given.layers.toReversed() }, layers: all(given).toReversed() }]
  },
  {
    name: 'groups',
    says: "A hyperparameter or mask means the same, to the bit, set for a group and as the optimizer's own.",
    otherwise: () => "with what its group sets as the optimizer's own",
    silent: aboutLayersAlone,
    bits: toTheBit,
    twins: inGroups
  },
  {
    name: 'resume',
    says: 'Training that was saved, and went on in a new optimizer, is training that never stopped, to the bit.',
    otherwise: ({ reload }) =>
      reload === 0
        ? 'where it was saved, and went on in a new optimizer'
        : 'where it was saved before another step, or never',
    silent: always,
    bits: toTheBit,
    twins: (given) =>
      reloads(given).map((reload) => ({
        given: { ...given, reload: given.reload === reload ? 0 : reload },
        layers: all(given)
      }))
  },
  {
    name: 'in place',
    says: 'Steps that write in place, and steps into fresh arrays, end the same, to the bit.',
    otherwise: ({ inPlace }) => (inPlace ? 'in fresh arrays' : 'in place'),
    silent: always,
    bits: toTheBit,
    twins: (given) => [{ given: { ...given, inPlace: !given.inPlace }, layers: all(given) }]
  }
]

function permuted(given: Case): readonly Twin[] {
  const random = randomOf(given.layers.length)
  // `places[i][j]`: where element j of layer i goes.
  const places = given.layers.map(({ weight }) => {
    const order = Array.from(weight, (_, j) => j)
    for (let j = order.length - 1; j > 0; j--) {
      const k = Math.floor(random() * (j + 1))
      ;[order[j], order[k]] = [order[k]!, order[j]!]
    }
    return order
  })
  const layers = given.layers.map((layer, i): CaseLayer => {
    const moved = (values: Float32Array): Float32Array => {
      const to = new Float32Array(values.length)
      values.forEach((x, j) => {
        to[places[i]![j]!] = x
      })
      return to
    }
    return mapValues(layer, moved)
  })
  return [{ given: { ...given, layers }, layers: all(given), place: (layer, element) => places[layer]![element]! }]
}

/** What groups set becomes the optimizer's own, for one layer at a time that trains alone. */
function inGroups(given: Case): readonly Twin[] {
  return given.layers.flatMap((layer, i): Twin[] => {
    const names = Object.keys(layer.group)
    if (names.length === 0) return []
    const masks = names.filter((name) => !(name in given.hypers))
    const own = Object.fromEntries(Object.entries(layer.group).filter(([name]) => name in given.hypers))
    const alone: Case = {
      ...given,
      layers: given.layers.map((l) => (l === layer ? { ...l, group: {} } : l)),
      falling: given.falling.filter((name) => !(name in own)),
      hypers: { ...given.hypers, ...own },
      masks: {
        ...given.masks,
        ...(Object.fromEntries(masks.map((name) => [name, layer.group[name]])) as Record<string, boolean>)
      }
    }
    return [{ given: alone, layers: given.layers.map((_, j) => (j === i ? i : null)) }]
  })
}

/** Before which steps, from 1, a case can be saved and loaded: when every layer that will be there has been. */
export function reloads({ layers, steps }: Case): readonly number[] {
  const first = Math.max(...layers.map((l) => l.gradients.findIndex((g) => g !== null)))
  return Array.from({ length: steps }, (_, i) => i + 1).filter((step) => step >= first + 2)
}

/** Runs every twin, and compares all that it held and observed with the original. */
export async function compareTwins(
  { reference }: Subject,
  twins: readonly Twin[],
  given: Case,
  run: (given: Case) => Promise<readonly StepRecord[]>,
  bits: boolean,
  table: Table
): Promise<Comparison> {
  const differences: Difference[] = []
  let compared = 0
  let undetermined = 0
  const original = twins.length > 0 ? await run(given) : []
  for (const twin of twins) {
    const records = await run(twin.given)
    // Where rounding may differ, only the first step starts from the same numbers.
    records.slice(0, bits ? undefined : 1).forEach((record, step) => {
      const bounds = bits ? null : expectedStep(reference, given, original[step]!, step, table)
      const check = (
        where: string,
        layer: number,
        ours: ArrayLike<number>,
        theirs: ArrayLike<number>,
        known: { bound: ArrayLike<number>; undecided: ArrayLike<number> } | null | undefined
      ): void => {
        for (let element = 0; element < ours.length; element++) {
          const place = !twin.place || layer < 0 || ours.length === 1 ? element : twin.place(layer, element)
          if (place === null) continue
          const [x, y] = [ours[element]!, theirs[place] ?? NaN]
          compared++
          const bound = bits ? 0 : 2 * (known?.bound[element] ?? Infinity)
          if (known?.undecided[element] || !Number.isFinite(bound)) undetermined++
          else if (!Object.is(x, y) && !(Math.abs(x - y) <= bound && !bits)) {
            const at = { step, layer, element }
            const label = `step ${step + 1}, ${where}${ours.length > 1 ? `[${element}]` : ''}`
            differences.push({ where: label, at, actual: y, expected: x, bound, trace: [] })
          }
        }
      }
      twin.layers.forEach((layer, i) => {
        if (layer === null) return
        const { name } = given.layers[layer]!
        const [was, is] = [original[step]!.after.layers[layer]!, record.after.layers[i]!]
        const expected = bounds?.layers[layer]
        check(`${name}, weight`, layer, was.weight, is.weight, expected?.weight)
        for (const [slot, values] of Object.entries(was.slots ?? {})) {
          check(`${name}, ${slot}`, layer, values, is.slots?.[slot] ?? [], expected?.slots[slot])
        }
        for (const [key, value] of Object.entries(original[step]!.observations[name] ?? {})) {
          check(
            `${name}, ${key}`,
            layer,
            [value],
            [record.observations[name]?.[key] ?? NaN],
            expected?.observations[key]
          )
        }
      })
      if (!twin.layers.includes(null) && twin.layers.length === given.layers.length) {
        for (const [slot, value] of Object.entries(original[step]!.after.modelState ?? {})) {
          check(`model, ${slot}`, -1, [value], [record.after.modelState?.[slot] ?? NaN], bounds?.modelState[slot])
        }
      }
    })
  }
  return { compared, undetermined, differences, tensors: [] }
}

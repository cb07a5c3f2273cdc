/** Why a number can't be determined, and which formula it begins with: what the author of one that never can be wants to know. */
import type { Program } from '../compiler/check/program.js'
import type { Bounded, LayerResult, Reference, StepResult } from '../reference/index.js'
import type { Case } from './case.js'
import { elementAt } from './compare.js'
import { tracedAt } from './formulas.js'

/** The first number of these steps that can't be determined, in half a sentence; null where all can be. */
export function firstUndetermined(
  program: Program,
  reference: Pick<Reference, 'slots'>,
  given: Case,
  results: readonly StepResult[]
): string | null {
  for (const [step, { layers }] of results.entries()) {
    for (const [i, layer] of layers.entries()) {
      const found = firstOf(layer)
      if (!found) continue
      const { shape } = given.layers[i]!
      const element = elementAt(reference, shape, found.name, found.place)
      const formula = tracedAt(program, layer, shape, element).find((f) => why(f.value, f.place))
      const { text, value, place } = formula ?? { text: found.name, value: found.value, place: found.place }
      const many = layer.weight.value.length > 1
      return `\`${text}\` ${why(value, place)}: step ${step + 1}, ${layer.name}${many ? `[${element}]` : ''}`
    }
  }
  return null
}

function firstOf({ weight, slots, observations }: LayerResult): { name: string; value: Bounded; place: number } | null {
  for (const [name, value] of Object.entries({ weight, ...slots, ...observations })) {
    const place = Array.from(value.value).findIndex((_, j) => why(value, j) !== null)
    if (place >= 0) return { name, value, place }
  }
  return null
}

function why({ value, bound, undecided }: Bounded, j: number): string | null {
  if (Number.isNaN(value[j])) return 'is NaN'
  if (!Number.isFinite(value[j])) return 'is infinite'
  if (!Number.isFinite(Math.fround(value[j]!))) return 'is more than float32 holds'
  if (undecided[j]) return 'hangs on a comparison that rounding decides'
  return Number.isFinite(bound[j]) ? null : 'may be rounded to anything'
}

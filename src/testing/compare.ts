/** Compares what a compiled optimizer did in a step with the reference, at the derived bound. */
import type { Bounded, LayerInput, Reference, StepInput, StepResult, Table } from '../reference/index.js'
import { elementOf, gridOf } from '../reference/value.js'
import { type Case, hypersAt } from './case.js'
import type { Snapshot, StepRecord } from './session.js'

export interface Difference {
  /** "step 2, dense/kernel, weight[3]" */
  readonly where: string
  /** The step, from 0; the layer's place in the case, -1 for the model; the element, of a row, column or channel the first. */
  readonly at: { readonly step: number; readonly layer: number; readonly element: number }
  readonly actual: number
  readonly expected: number
  readonly bound: number
  /** What the reference computed on the way, for this element. */
  readonly trace: readonly string[]
}

/** What a weight, a slot or an observation of one layer came to in one step: how far off it was, and might have been. */
export interface TensorRecord {
  /** "weight", or the slot or observation. */
  readonly name: string
  readonly elements: number
  /** Elements whose bound is infinite, or that hang on a select which could not be decided. */
  readonly undetermined: number
  /** Over the others. */
  readonly largestError: number
  readonly largestBound: number
}

export interface Comparison {
  readonly compared: number
  readonly undetermined: number
  readonly differences: readonly Difference[]
  readonly tensors: readonly TensorRecord[]
}

/** What the reference makes of a step that starts from what the optimizer held. */
export function expectedStep(
  reference: Reference,
  given: Case,
  record: StepRecord,
  step: number,
  table: Table
): StepResult {
  return reference.step(inputOf(given, record.before, step), table)
}

/** The element at which a weight (or what else is not a slot) or slot of a layer has its j-th value. */
export function elementAt(
  { slots }: Pick<Reference, 'slots'>,
  shape: readonly number[],
  name: string,
  j: number
): number {
  return elementOf(gridOf(shape), slots.find((s) => s.name === name)?.over ?? 'element', j)
}

/** A step of a case, from what the optimizer and its variables hold. */
export function inputOf(given: Case, before: Snapshot, step: number): StepInput {
  const layers = given.layers.map((layer, i): LayerInput => {
    const { weight, slots } = before.layers[i]!
    const took = layer.gradients.slice(0, step + 1).filter((g) => g !== null && weight.length > 0).length
    const masks = { ...given.masks, ...(layer.group as Record<string, boolean>) }
    const gradient = layer.gradients[step] ?? null
    return { name: layer.name, shape: layer.shape, weight, gradient, age: took, hypers: layer.group, masks, slots }
  })
  const { seed = 0 } = given
  return { t: step + 1, seed, hypers: hypersAt(given, step + 1), layers, modelState: before.modelState }
}

export function compareCase(
  reference: Reference,
  given: Case,
  records: readonly StepRecord[],
  table: Table,
  results: readonly StepResult[] = records.map((record, step) => expectedStep(reference, given, record, step, table))
): Comparison {
  const differences: Difference[] = []
  const tensors: TensorRecord[] = []

  records.forEach((record, step) => {
    const result = results[step]!

    const check = (
      layer: number,
      name: string,
      actual: ArrayLike<number>,
      expected: Bounded,
      trace: (i: number) => string[]
    ): void => {
      const owner = given.layers[layer]?.name ?? 'model'
      let undetermined = 0
      let largestError = 0
      let largestBound = 0
      for (let i = 0; i < expected.value.length; i++) {
        const [x, e] = [expected.value[i]!, expected.bound[i]!]
        const error = Math.abs(actual[i]! - x)
        const exact = Object.is(actual[i]!, x) || actual[i]! === x
        if (!Number.isFinite(e) || expected.undecided[i]) undetermined++
        else {
          largestBound = Math.max(largestBound, e)
          largestError = Math.max(largestError, error)
        }
        if (exact || error <= e || e === Infinity) continue
        const where = `step ${step + 1}, ${owner}, ${name}${expected.value.length > 1 ? `[${i}]` : ''}`
        differences.push({
          where,
          at: { step, layer, element: layer < 0 ? 0 : elementAt(reference, given.layers[layer]!.shape, name, i) },
          actual: actual[i]!,
          expected: x,
          bound: e,
          trace: trace(i)
        })
      }
      tensors.push({ name, elements: expected.value.length, undetermined, largestError, largestBound })
    }

    result.layers.forEach((expected, i) => {
      const actual = record.after.layers[i]!
      const { name } = given.layers[i]!
      const trace = (j: number): string[] =>
        expected.trace.map((t) => `${t.name} = ${t.value.value[j] ?? t.value.value[0]}`)
      check(i, 'weight', actual.weight, expected.weight, trace)
      if (actual.slots)
        for (const [slot, e] of Object.entries(expected.slots)) check(i, slot, actual.slots[slot]!, e, trace)
      const seen = record.observations[name]
      for (const [key, e] of Object.entries(expected.observations)) check(i, key, [seen?.[key] ?? NaN], e, trace)
    })
    for (const [slot, e] of Object.entries(result.modelState)) {
      check(-1, slot, [record.after.modelState?.[slot] ?? NaN], e, () => [])
    }
  })
  const total = (count: (t: TensorRecord) => number): number => tensors.reduce((sum, t) => sum + count(t), 0)
  return { compared: total((t) => t.elements), undetermined: total((t) => t.undetermined), differences, tensors }
}

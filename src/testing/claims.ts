/**
 * The laws that a program's author claims, each a property. A law is tried twice: in the reference, where float64's own bound
 * is so narrow that a false claim shows, and on the compiled class, within what its arithmetic may lose on both sides.
 */
import { includes } from '../compiler/check/hypers.js'
import { type Bounded, type Law, type Reference, type Relation, type Table, tables } from '../reference/index.js'
import { type Case, type CaseLayer, drawCase, type Signature } from './case.js'
import { type Comparison, type Difference, elementAt, inputOf } from './compare.js'
import { reloads } from './laws.js'
import { PROPERTIES, type Property, type Trial } from './properties.js'
import type { Snapshot, StepRecord } from './session.js'
import { sidesAt } from './sides.js'

/** All that an optimizer with these laws is held to. */
export const propertiesOf = (laws: readonly Law[]): readonly Property[] => [...PROPERTIES, ...laws.map(claimOf)]

function claimOf(law: Law): Property {
  const doc = law.doc
    .split(/\n\s*\n/)[0]!
    .replace(/\s+/g, ' ')
    .replace(/\.?\s*$/, '')
  return {
    name: `law ${law.name}`,
    says: `${doc === '' ? 'The author claims' : doc}: ${law.text}.`,
    draw: (seed, signature) => drawClaimed(law, seed, signature),
    silent: () => null,
    strict: true,
    wants: 'a layer for which its condition holds, and hyperparameters that stay in their ranges',
    check: (trial) => tryLaw(law, trial),
    otherwise: () => `with ${law.text}`,
    sides: (subject, given, difference) => sidesAt(law, subject, given, difference)
  }
}

/** How many cases are drawn before one is given up for which the law claims anything. */
const DRAWS = 30

function drawClaimed(law: Law, seed: number, signature: Signature): Case {
  const replaced = (name: string): boolean => [0.5, 2].some((x) => law.hyper(name, x) !== x)
  const draw = (one: number): Case => {
    const given = drawCase(one, signature)
    // What falls with the steps and what it is replaced by would have to fall alike.
    return { ...given, reload: 0, falling: given.falling.filter((name) => !replaced(name)) }
  }
  const claimed = (given: Case): boolean => {
    if (!staysInRange(replacedBy(law, given), signature)) return false
    // Of later steps only the weights and state are not known before they are taken.
    const start = { layers: given.layers.map(({ weight }) => ({ weight, slots: null })), modelState: null }
    const steps = Array.from({ length: given.steps }, (_, step) => inputOf(given, start, step))
    return steps.some((input) => law.claims(input).includes(true))
  }
  const seeds = Array.from({ length: DRAWS }, (_, i) => seed + i * 0x10001)
  return draw(seeds.find((one) => claimed(draw(one))) ?? seed)
}

/** The same training with everything replaced. */
export function replacedBy(law: Law, given: Case): Case {
  const options = <T extends number | boolean>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(all).map(([name, x]) => [name, name in given.hypers ? (law.hyper(name, x) as T) : x])
    )
  const layers = given.layers.map(
    (layer): CaseLayer => ({
      ...layer,
      weight: Float32Array.from(law.weight(layer.weight)),
      gradients: layer.gradients.map((g) => g && Float32Array.from(law.gradient(g))),
      group: options(layer.group)
    })
  )
  return { ...given, layers, hypers: options(given.hypers) }
}

const staysInRange = ({ hypers, layers }: Case, signature: Signature): boolean =>
  signature.hypers.every(({ name, range }) =>
    [hypers[name], ...layers.map((l) => l.group[name])].every(
      (x) => typeof x !== 'number' || (range ? includes(range, x) : Number.isFinite(x))
    )
  )

/** What an optimizer holds, replaced. */
const heldBy = (law: Law, { layers, modelState }: Snapshot): Snapshot => ({
  layers: layers.map(({ weight, slots }) => ({
    weight: Float32Array.from(law.weight(weight)),
    slots:
      slots &&
      Object.fromEntries(Object.entries(slots).map(([name, values]) => [name, law.slot(name, values)] as const))
  })),
  modelState:
    modelState &&
    Object.fromEntries(Object.entries(modelState).map(([name, value]) => [name, law.slot(name, [value])[0]!]))
})

async function tryLaw(law: Law, { subject, given, run, table }: Trial): ReturnType<Property['check']> {
  const other = replacedBy(law, given)
  if (!staysInRange(other, subject.signature)) return { ...NOTHING, problems: [] }
  const { records } = await run(given)
  const formula = compareSides(law, subject.reference, given, records, tables.float64, null)
  if (formula.differences.length > 0) return { ...formula, problems: [] }
  // A step at a time, as with the reference: each starts from what the law makes of what the first training held.
  const known = reloads(given)
  const restored = (step: number): boolean => known.includes(step + 1)
  const beside = await run(other, (step) => (restored(step) ? heldBy(law, records[step]!.before) : null))
  const others = beside.records.map((record, step) => (step === 0 || restored(step) ? record : null))
  const compiled = compareSides(law, subject.reference, given, records, table, others)
  const blame = 'The formula keeps this law: it is the compiled class that breaks it.'
  return {
    compared: formula.compared + compiled.compared,
    undetermined: formula.undetermined + compiled.undetermined,
    differences: compiled.differences,
    tensors: [],
    problems: compiled.differences.length > 0 ? [blame] : []
  }
}

const NOTHING: Comparison = { compared: 0, undetermined: 0, differences: [], tensors: [] }

/** The two sides in the reference or, where there are records of the second training, in the compiled class. */
function compareSides(
  law: Law,
  reference: Pick<Reference, 'slots'>,
  given: Case,
  records: readonly StepRecord[],
  table: Table,
  others: readonly (StepRecord | null)[] | null
): Comparison {
  const differences: Difference[] = []
  let compared = 0
  let undetermined = 0
  for (const [step, record] of records.entries()) {
    const other = others?.[step]
    if (other === null) continue
    const input = inputOf(given, record.before, step)
    const claimed = law.claims(input)
    if (!claimed.includes(true)) continue
    const { expected, found }: Relation = law.relate(input, table)
    const check = (layer: number, name: string, a: Bounded, b: Bounded, actual: readonly ArrayLike<number>[]): void => {
      const [wanted = a.value, is = b.value] = actual
      for (let element = 0; element < a.value.length; element++) {
        compared++
        const bound = a.bound[element]! + b.bound[element]!
        const [x, y] = [wanted[element] ?? NaN, is[element] ?? NaN]
        if (!Number.isFinite(bound) || a.undecided[element] || b.undecided[element]) undetermined++
        else if (x !== y && !(Math.abs(x - y) <= bound)) {
          const owner = given.layers[layer]?.name ?? 'model'
          const where = `step ${step + 1}, ${owner}, ${name}${a.value.length > 1 ? `[${element}]` : ''}`
          const at = {
            step,
            layer,
            element: layer < 0 ? 0 : elementAt(reference, given.layers[layer]!.shape, name, element)
          }
          differences.push({ where, at, actual: y, expected: x, bound, trace: [] })
        }
      }
    }
    for (const [i, { name }] of given.layers.entries()) {
      if (!claimed[i]) continue
      const [a, b] = [expected.layers[i]!, found.layers[i]!]
      const [was, is] = [record.after.layers[i]!, other?.after.layers[i]]
      check(i, 'weight', a.weight, b.weight, is ? [law.weight(was.weight), is.weight] : [])
      for (const [slot, value] of Object.entries(a.slots)) {
        const actual = is ? [law.slot(slot, was.slots![slot]!), is.slots![slot]!] : []
        check(i, slot, value, b.slots[slot]!, actual)
      }
      for (const [key, value] of Object.entries(a.observations)) {
        const seen = (from: StepRecord): number[] => [from.observations[name]?.[key] ?? NaN]
        const actual = other ? [law.observation(key, seen(record)), seen(other)] : []
        check(i, key, value, b.observations[key]!, actual)
      }
    }
    // State of the model is made of all layers, so it is claimed where each is that takes part.
    if (!input.layers.every((l, i) => claimed[i] || l.gradient === null || l.weight.length === 0)) continue
    for (const [slot, value] of Object.entries(expected.modelState)) {
      const held = (from: StepRecord): number[] => [from.after.modelState![slot]!]
      const actual = other ? [law.slot(slot, held(record)), held(other)] : []
      check(-1, slot, value, found.modelState[slot]!, actual)
    }
  }
  return { compared, undetermined, differences, tensors: [] }
}

/** What an optimizer is held to, in the order in which it is tried and printed. docs/testing.md is made of the same table. */
import type { Table } from '../reference/index.js'
import { type Case, drawCase, type Signature } from './case.js'
import type { Draw } from './cases.js'
import { type Comparison, compareCase, type Difference, expectedStep } from './compare.js'
import { drawExtremes, drawNotFinite } from './extremes.js'
import type { Facts } from './facts.js'
import type { Subject } from './harness.js'
import { sameHostScalars } from './host-scalars.js'
import { compareTwins, LAWS, type Law } from './laws.js'
import type { runCase } from './session.js'
import type { Side } from './sides.js'

/** Where a property is tried. */
export interface Ground {
  /** The driver's rounding table. */
  readonly table: Table
  /** An element's arithmetic is the same wherever it stands, and infinities and NaN are as IEEE has them. */
  readonly exact: boolean
}

export interface Trial extends Ground {
  readonly subject: Subject
  readonly given: Case
  readonly facts: Facts
  /** As `runCase`. */
  readonly run: (given: Case, meanwhile?: Parameters<typeof runCase>[3]) => ReturnType<typeof runCase>
}

export interface Finding extends Comparison {
  /** What is wrong besides numbers. */
  readonly problems: readonly string[]
}

export interface Property {
  readonly name: string
  /** One sentence: what holds. */
  readonly says: string
  readonly draw: Draw
  /** Why there is nothing to try; null where there is. */
  readonly silent: (facts: Facts, ground: Ground) => string | null
  readonly check: (trial: Trial) => Promise<Finding>
  /** A case tells something only if nearly all of its numbers could be determined. */
  readonly strict?: true
  /** What a case must have to tell something. */
  readonly wants?: string
  /** Of two trainings: how the second goes, as it stands behind "weight is 0.1". */
  readonly otherwise?: (given: Case) => string
  /** Of a law that an author claims: the numbers on its two sides where they differ. */
  readonly sides?: (subject: Subject, given: Case, difference: Difference) => Promise<readonly Side[]>
}

export const PROPERTIES: readonly Property[] = [
  {
    name: 'reference',
    says: 'Every step ends within the derived bound of the reference, each weight, state and observation, and nothing is left in memory.',
    draw: drawCase,
    silent: () => null,
    strict: true,
    check: againstReference
  },
  {
    name: 'extremes',
    says: 'So it does with subnormal numbers, signed zeros, numbers whose squares leave what float32 holds, and hyperparameters at its ends.',
    draw: drawExtremes,
    silent: () => null,
    check: againstReference
  },
  {
    name: 'not finite',
    says: 'Where an infinity or NaN goes in, and the formula carries it to a weight or state, it shows there; elements that it does not reach keep to the bound.',
    draw: drawNotFinite,
    silent: (_, { exact }) => (exact ? null : 'this backend promises nothing of infinities and NaN'),
    check: notFinite
  },
  {
    name: 'host scalars',
    says: 'What the host computes of a step (its number, schedules, β^t) is the same, to the bit, whichever layers take part in it.',
    draw: drawCase,
    silent: ({ hostScalars }) => (hostScalars.length > 0 ? null : 'the host computes nothing of a step'),
    check: async ({ subject, given }) => ({ ...(await sameHostScalars(subject, given)), problems: [] })
  },
  ...LAWS.map(asProperty)
]

function asProperty(law: Law): Property {
  return {
    name: law.name,
    says: law.says,
    otherwise: law.otherwise,
    draw: (seed, signature) => drawTelling(law, seed, signature),
    silent: law.silent,
    check: async ({ subject, given, facts, run, exact, table }) => {
      const records = async (c: Case) => (await run(c)).records
      const comparison = await compareTwins(subject, law.twins(given), given, records, law.bits(facts, exact), table)
      return { ...comparison, problems: [] }
    }
  }
}

/** A case that the law says something of, if one is soon found: that has a group, or steps enough to be saved between. */
function drawTelling({ twins }: Law, seed: number, signature: Signature): Case {
  const seeds = Array.from({ length: 30 }, (_, i) => seed + i * 0x10001)
  const telling = seeds.find((one) => twins(drawCase(one, signature)).length > 0)
  return drawCase(telling ?? seed, signature)
}

async function againstReference({ subject, given, run, table }: Trial): Promise<Finding> {
  const { records, leaked } = await run(given)
  const problems = leaked === 0 ? [] : [`tensors that were left when everything had been disposed: ${leaked}`]
  return { ...compareCase(subject.reference, given, records, table), problems }
}

/** Where an infinity or NaN went in and the reference shows it, the kernel must show it; the bound has no word there. */
async function notFinite({ subject, given, run, table }: Trial): Promise<Finding> {
  const { records } = await run(given)
  const results = records.map((record, step) => expectedStep(subject.reference, given, record, step, table))
  const comparison = compareCase(subject.reference, given, records, table, results)
  const hidden: Difference[] = []
  results.forEach(({ layers }, step) => {
    layers.forEach(({ name, weight, slots }, layer) => {
      const [before, after] = [records[step]!.before.layers[layer]!, records[step]!.after.layers[layer]!]
      const inputs = [before.weight, given.layers[layer]!.gradients[step] ?? [], ...Object.values(before.slots ?? {})]
      const outputs: Readonly<Record<string, ArrayLike<number>>> = { weight: after.weight, ...after.slots }
      for (const [key, { value, undecided }] of Object.entries({ weight, ...slots })) {
        const actual = outputs[key] ?? []
        value.forEach((expected, element) => {
          if (Number.isFinite(expected) || undecided[element] || !Number.isFinite(actual[element])) return
          if (inputs.every((values) => Number.isFinite(values[element] ?? 0))) return
          const where = `step ${step + 1}, ${name}, ${key}[${element}]`
          const at = { step, layer, element }
          hidden.push({ where, at, actual: actual[element]!, expected, bound: 0, trace: [] })
        })
      }
    })
  })
  return { ...comparison, differences: [...comparison.differences, ...hidden], problems: [] }
}

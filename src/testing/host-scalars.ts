/** What the host computes of a step, seen through a class that was compiled to observe it besides. */
import type { Case } from './case.js'
import type { Comparison, Difference } from './compare.js'
import { factsOf } from './facts.js'
import type { Subject } from './harness.js'
import { runCase } from './session.js'

/** No name of the language holds a `_`. */
const OBSERVED = 'host_'

const known = new WeakMap<Subject, Promise<Subject>>()

function observing(subject: Subject): Promise<Subject> {
  const made =
    known.get(subject) ??
    subject.again((program) => {
      const more = factsOf(program).hostScalars.map((value, i) => ({ name: `${OBSERVED}${i}`, value }))
      return { ...program, observations: [...program.observations, ...more] }
    })
  known.set(subject, made)
  return made
}

/** Each layer by itself must have the scalars that it has in the step of them all. */
export async function sameHostScalars(subject: Subject, given: Case): Promise<Comparison> {
  const { Optimizer, reference } = await observing(subject)
  const observed = async (c: Case) => (await runCase(Optimizer, reference, c)).records.map((r) => r.observations)
  const together = await observed(given)
  const differences: Difference[] = []
  let compared = 0
  for (const [i, layer] of given.layers.entries()) {
    const alone = await observed({ ...given, layers: [layer] })
    for (const [step, gradient] of layer.gradients.entries()) {
      if (!gradient || gradient.length === 0) continue
      for (const [name, expected] of Object.entries(together[step]![layer.name]!)) {
        if (!name.startsWith(OBSERVED)) continue
        compared++
        const actual = alone[step]![layer.name]?.[name] ?? NaN
        if (Object.is(actual, expected)) continue
        const where = `step ${step + 1}, ${layer.name}, ${name.replace(OBSERVED, 'host scalar ')}`
        differences.push({ where, at: { step, layer: i, element: 0 }, actual, expected, bound: 0, trace: [] })
      }
    }
  }
  return { compared, undetermined: 0, differences, tensors: [] }
}

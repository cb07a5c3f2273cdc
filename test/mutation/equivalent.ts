/**
 * Whether two plans do the same, bit for bit in float64, in all that can be expected to happen: ten thousand steps from
 * start values on, with hyperparameters, masks, groups and shapes drawn as for any case.
 */
import { Graph } from '../../src/compiler/check/graph.js'
import type { Node } from '../../src/compiler/check/program.js'
import {
  evaluatePlan,
  evaluateProgram,
  type LayerInput,
  type StepInput,
  type StepResult
} from '../../src/compiler/plan/evaluate.js'
import type { Plan } from '../../src/compiler/plan/plan.js'
import { type Case, drawCase, hypersAt, signatureOf } from '../../src/testing/case.js'
import { type RemoteSubject, runOn, type Subject } from '../../src/testing/harness.js'
import type { Ran } from '../../src/testing/session.js'

const STEPS = 10_000

type AnySubject = Subject | RemoteSubject

export function areEquivalent(right: Plan, wrong: Plan): boolean {
  const { program } = right
  const signature = signatureOf(program)
  for (let seed = 1, steps = 0; steps < STEPS; seed++) {
    const given = few(drawCase(seed, signature))
    if (expected(right, seed, given) !== JSON.stringify(ofWrong(wrong, given), exactly)) return false
    steps += given.steps
  }
  return true
}

const known = new WeakMap<Plan, string[]>()

/** What the right plan does: asked for every mutant of it. */
function expected(right: Plan, seed: number, given: Case): string {
  const results = known.get(right) ?? []
  known.set(right, results)
  results[seed] ??= JSON.stringify(run(right, given), exactly)
  return results[seed]
}

/** A plan that uses what it has not made does not do the same. */
function ofWrong(plan: Plan, given: Case): readonly StepResult[] | null {
  try {
    return run(plan, given)
  } catch {
    return null
  }
}

/** The same of kernels, which are run: whether both end each of so many steps of a layer with the same bits. */
export async function endTheSame(right: AnySubject, wrong: AnySubject, inputs: number): Promise<boolean> {
  for (let seed = 1, done = 0; done < inputs; seed++) {
    const given = drawCase(seed, right.signature)
    if ((await endOf(right, seed, given)) !== textOf(await runOn(wrong, given))) return false
    done += given.steps * given.layers.length
  }
  return true
}

const ends = new WeakMap<AnySubject, string[]>()

/** How the right one ends: asked for every mutant of it. */
async function endOf(right: AnySubject, seed: number, given: Case): Promise<string> {
  const texts = ends.get(right) ?? []
  ends.set(right, texts)
  texts[seed] ??= textOf(await runOn(right, given))
  return texts[seed]
}

const textOf = ({ records, leaked }: Ran): string =>
  JSON.stringify([leaked, records.map(({ after, observations }) => [after, observations])], (_, x) =>
    ArrayBuffer.isView(x) ? Array.from(x as Float32Array, (one) => exactly('', one)) : exactly('', x)
  )

/** JSON has no NaN and no infinities; the sign of a zero is no part of a program's meaning. */
const exactly = (_: string, x: unknown): unknown =>
  typeof x === 'number' && !Number.isFinite(x) ? String(x) : x === 0 ? 0 : x

/** What a plan computes for an element it computes for all. */
function few(given: Case): Case {
  const cut = (x: Float32Array): Float32Array => x.slice(0, 3)
  const shapeOf = (l: Case['layers'][number]): readonly number[] =>
    l.weight.length <= 3 ? l.shape : [...l.shape.slice(1).fill(1), 3]
  const layers = given.layers.slice(0, 2).map((l) => ({
    ...l,
    shape: shapeOf(l),
    weight: cut(l.weight),
    gradients: l.gradients.map((g) => g && cut(g))
  }))
  return { ...given, layers }
}

function run(plan: Plan, given: Case): readonly StepResult[] {
  const { program } = plan
  // A program whose step gives what the slots start as, and reads none.
  const nothing = new Graph().const(0)
  const slots = program.slots.map((s) => ({ ...s, next: s.init }))
  const starts = { ...program, weight: nothing, observations: [], slots }
  const held = given.layers.map((l) => ({
    weight: [...l.weight],
    age: 0,
    state: null as Pick<LayerInput, 'slots' | 'numbers'> | null
  }))
  let numbers: Readonly<Record<string, number>> | null = null
  const results: StepResult[] = []
  for (let t = 1; t <= given.steps; t++) {
    const present = given.layers.flatMap((l, i) => (l.gradients[t - 1] && l.weight.length > 0 ? [i] : []))
    const hypers = { ...Object.fromEntries(program.hypers.map((h) => [h.name, h.init])), ...hypersAt(given, t) }
    const layers = present.map((i): LayerInput => {
      const layer = given.layers[i]!
      const { weight, state } = held[i]!
      const age = ++held[i]!.age
      const masks = Object.fromEntries(
        program.masks.map((m) => [m.name, layer.group[m.name] ?? given.masks[m.name] ?? predicate(m.predicate, layer)])
      ) as Record<string, boolean>
      const empty = { slots: {}, numbers: {} }
      return {
        shape: layer.shape,
        age,
        masks,
        hypers: layer.group,
        weight,
        gradient: [...layer.gradients[t - 1]!],
        ...(state ?? empty)
      }
    })
    const input: StepInput = { step: t, hypers, layers, numbers: numbers ?? {} }
    const start = evaluateProgram(starts, input)
    const from: StepInput = {
      ...input,
      numbers: numbers ?? start.numbers,
      layers: layers.map((l, k) =>
        held[present[k]!]!.state ? l : { ...l, slots: start.layers[k]!.slots, numbers: start.layers[k]!.numbers }
      )
    }
    const result = present.length > 0 ? evaluatePlan(plan, from) : { layers: [], numbers: from.numbers }
    results.push(result)
    numbers = result.numbers
    for (const [k, i] of present.entries()) {
      const { weight, slots, numbers: own } = result.layers[k]!
      Object.assign(held[i]!, { weight, state: { slots, numbers: own } })
    }
  }
  return results
}

function predicate(node: Node, layer: Case['layers'][number]): boolean {
  const of = (n: Node): number | boolean => {
    const [x, y] = n.args.map(of)
    switch (n.op) {
      case 'const':
        return n.value
      case 'fact':
        return n.name === 'rank' ? layer.shape.length : layer.shape.reduce((a, b) => a * b, 1)
      case 'match':
        return new RegExp(n.pattern, n.flags).test(layer.name)
      case 'not':
        return !x
      case 'and':
        return Boolean(x && y)
      case 'or':
        return Boolean(x || y)
      case 'gt':
        return x! > y!
      case 'ge':
        return x! >= y!
      case 'lt':
        return x! < y!
      case 'eq':
        return x === y
      default:
        throw new Error(n.op)
    }
  }
  return of(node) as boolean
}

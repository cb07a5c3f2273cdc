/** The formulas of a step beside those of the step that a law makes of it: where the two part is what an author looks for. */
import { type Bounded, type Law, tables } from '../reference/index.js'
import { gridOf, placeOf } from '../reference/value.js'
import type { Case } from './case.js'
import { type Difference, inputOf } from './compare.js'
import type { Subject } from './harness.js'
import { runCase } from './session.js'

/** One number of the first training, and of the second. In float64, from the reference. */
export interface Side {
  /** A formula as it stands in the program, or the name of what is replaced. */
  readonly text: string
  readonly plain: number
  readonly replaced: number
  /** What the law makes of the first; null where it says nothing. */
  readonly wanted: number | null
  readonly differs: boolean
}

export async function sidesAt(
  law: Law,
  { Optimizer, reference, program }: Subject,
  given: Case,
  { at }: Difference
): Promise<readonly Side[]> {
  const { records } = await runCase(Optimizer, reference, given)
  const input = inputOf(given, records[at.step]!.before, at.step)
  const layer = Math.max(0, at.layer)
  const { plain, expected, found } = law.relate(input, tables.float64)
  const [was, wanted, is] = [plain, expected, found].map((result) => result.layers[layer]!)
  const grid = gridOf(given.layers[layer]!.shape)

  const result = (text: string, j: number, [x, y, z]: readonly Bounded[]): Side => {
    const bound = y!.bound[j]! + z!.bound[j]!
    const differs = Math.abs(y!.value[j]! - z!.value[j]!) > bound
    return { text, plain: x!.value[j]!, replaced: z!.value[j]!, wanted: y!.value[j]!, differs }
  }
  const outcomes = new Map<string, readonly Bounded[]>([
    [program.symbols.weight, [was!.weight, wanted!.weight, is!.weight]],
    ...Object.keys(was!.slots).map((s) => [s, [was!.slots[s]!, wanted!.slots[s]!, is!.slots[s]!]] as const)
  ])
  const own = (name: string): boolean => !name.includes('_')
  const [before, after] = [was!.trace.filter((t) => own(t.name)), is!.trace.filter((t) => own(t.name))]
  const formulas = program.names.flatMap(({ name, span, node }, i): Side[] => {
    if (before[i]?.name !== name) return []
    const j = placeOf(grid, node.level, 'element', at.element)
    const text = program.source.slice(span.start, span.end)
    const isLast = program.names.findLastIndex((n) => n.name === name) === i
    const outcome = isLast ? outcomes.get(name) : undefined
    if (outcome) return [result(text, j, outcome)]
    const [x, z] = [before[i]!, after[i]!].map((t) => t.value.value[j]!)
    return [{ text, plain: x!, replaced: z!, wanted: null, differs: false }]
  })
  const observed = Object.keys(was!.observations).map((name) =>
    result(`observe ${name}`, 0, [was!.observations[name]!, wanted!.observations[name]!, is!.observations[name]!])
  )
  return [...goingIn(law, program, input, layer, at.element), ...formulas, ...observed]
}

/** What is replaced before the step. */
function goingIn(
  law: Law,
  { hypers, symbols, slots }: Subject['program'],
  input: ReturnType<typeof inputOf>,
  index: number,
  element: number
): Side[] {
  const layer = input.layers[index]!
  const side = (text: string, plain: number | boolean | undefined, replaced: number | boolean | undefined): Side[] =>
    plain === undefined
      ? []
      : [{ text, plain: Number(plain), replaced: Number(replaced), wanted: null, differs: false }]
  return law.replaced.flatMap((name) => {
    const hyper = hypers.find((h) => h.symbol === name)
    if (hyper) {
      const value = layer.hypers?.[hyper.name] ?? input.hypers?.[hyper.name] ?? hyper.init
      return side(name, value, law.hyper(hyper.name, value))
    }
    const at = (values: ArrayLike<number>): number | undefined => values[values.length > 1 ? element : 0]
    if (name === symbols.weight) return side(name, at(layer.weight), at(law.weight(layer.weight)))
    if (name === symbols.gradient) return side(name, at(layer.gradient ?? []), at(law.gradient(layer.gradient ?? [])))
    const held = slots.some((s) => s.name === name && s.over === 'element') ? layer.slots?.[name] : undefined
    return held ? side(`${name}, held`, at(held), at(law.slot(name, held))) : []
  })
}

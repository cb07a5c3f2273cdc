/**
 * What the author's formulas come to, in the reference and in the kernel. A kernel keeps its values to itself; so each is
 * read from a kernel that was compiled to keep that one besides, in a slot or an observation, and `same` says whether that
 * kernel still ends the step as the original did. Where it does not, the mistake hangs on how the kernel is put together.
 */
import type { Node, Op, Program } from '../compiler/check/program.js'
import { isElement, reach } from '../compiler/plan/order.js'
import type { Table } from '../reference/index.js'
import { gridOf, placeOf } from '../reference/value.js'
import type { Case } from './case.js'
import { type Difference, expectedStep } from './compare.js'
import type { Subject } from './harness.js'
import { runCase } from './session.js'

export interface Formula {
  /** As it stands in the program. */
  readonly text: string
  readonly reference: number
  readonly bound: number
  /** null where no kernel could be made that keeps it. */
  readonly kernel: number | null
  /** The kernel that keeps it ends the step as the original does. */
  readonly same: boolean
  /** Further from the reference than its bound. */
  readonly differs: boolean
}

/** No name of the language holds a `_`. */
const KEPT = 'kept_formula'

export async function formulasAt(
  subject: Subject,
  given: Case,
  { at }: Difference,
  table: Table
): Promise<readonly Formula[]> {
  const { program, reference } = subject
  const { step, element } = at
  const layer = Math.max(0, at.layer)
  const { records } = await runCase(subject.Optimizer, reference, given)
  const own = expectedStep(reference, given, records[step]!, step, table).layers[layer]!.trace.filter(
    ({ name }) => !name.includes('_')
  )
  const formulas: Formula[] = []
  const grid = gridOf(given.layers[layer]!.shape)
  for (const [i, { name, span, node }] of program.names.entries()) {
    const expected = own[i]
    if (expected?.name !== name) continue
    const j = isElement(node) ? placeOf(grid, node.level, 'element', element) : 0
    const [x, bound] = [expected.value.value[j]!, expected.value.bound[j]!]
    const kept = await keptBy(subject, given, i, step, layer, element)
    const same = kept !== null && sameEnd(records[step]!.after, kept.after)
    const kernel = kept?.value ?? null
    const differs =
      kernel !== null && !(Object.is(kernel, x) || kernel === x || Math.abs(kernel - x) <= bound || bound === Infinity)
    formulas.push({ text: program.source.slice(span.start, span.end), reference: x, bound, kernel, same, differs })
  }
  return formulas
}

type After = Awaited<ReturnType<typeof runCase>>['records'][number]['after']

async function keptBy(
  { again, reference }: Subject,
  given: Case,
  name: number,
  step: number,
  layer: number,
  element: number
): Promise<{ readonly value: number; readonly after: After } | null> {
  try {
    let inSlot = false
    const { Optimizer } = await again((program) => {
      const { node } = program.names[name]!
      inSlot = isElement(node)
      return keeping(program, node)
    })
    const slot = { name: KEPT, over: 'element', place: 'device' } as const
    const slots = inSlot ? [...reference.slots, slot] : reference.slots
    const { records } = await runCase(Optimizer, { ...reference, slots }, given)
    const { after, observations } = records[step]!
    const value = inSlot
      ? after.layers[layer]!.slots?.[KEPT]?.[element]
      : observations[given.layers[layer]!.name]?.[KEPT]
    return value === undefined ? null : { value, after }
  } catch {
    // A target has no room for one slot more.
    return null
  }
}

/** The program with one value of it kept besides. */
function keeping(program: Program, node: Node): Program {
  const roots = [program.weight, node, ...program.slots.flatMap((s) => [s.init, s.next])]
  let next = 1 + Math.max(...reach(roots, () => true).map((n) => n.id))
  const made = (op: Op, args: readonly Node[], like: Pick<Node, 'level' | 'place'>): Node =>
    ({ ...op, id: next++, args, kind: 'number', level: like.level, place: like.place }) as Node
  const constant = (value: number): Node => made({ op: 'const', value }, [], { level: 'const', place: 'host' })
  const value = node.kind === 'number' ? node : made({ op: 'select' }, [node, constant(1), constant(0)], node)
  if (!isElement(node)) return { ...program, observations: [...program.observations, { name: KEPT, value }] }
  const slot = { name: KEPT, over: 'element', place: 'device', init: constant(0), next: value, doc: '' } as const
  return { ...program, slots: [...program.slots, slot] }
}

function sameEnd(a: After, b: After): boolean {
  return a.layers.every(({ weight, slots }, i) => {
    const other = b.layers[i]!
    const same = (p: ArrayLike<number>, q: ArrayLike<number>): boolean =>
      Array.from(p).every((x, j) => Object.is(x, q[j]))
    return (
      same(weight, other.weight) &&
      Object.entries(slots ?? {}).every(([name, values]) => same(values, other.slots?.[name] ?? []))
    )
  })
}

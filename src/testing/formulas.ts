/**
 * What the author's formulas come to, in the reference and in the kernel. A kernel keeps its values to itself; so each is
 * read from a kernel that was compiled to keep that one besides, in a slot or an observation, and `same` says whether that
 * kernel still ends the step as the original did. Where it does not, the mistake hangs on how the kernel is put together.
 */
import type { Node, Op, Program, Slot } from '../compiler/check/program.js'
import { isVarying, reach } from '../compiler/plan/order.js'
import type { Bounded, LayerResult, Table } from '../reference/index.js'
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
  /** Further from the reference than its bound; or, where an infinity or NaN must show, not one of these. */
  readonly differs: boolean
}

/** No name of the language holds a `_`. */
const KEPT = 'kept_formula'

/** What the reference made of a formula of the program's own. */
interface Traced {
  /** Its number among the program's names. */
  readonly index: number
  readonly text: string
  readonly value: Bounded
  /** Where in `value` an element finds its own. */
  readonly place: number
}

/** The formulas of a layer, as an element of it reads them. Those of transforms are not the author's. */
export function tracedAt(
  { names, source }: Program,
  { trace }: Pick<LayerResult, 'trace'>,
  shape: readonly number[],
  element: number
): readonly Traced[] {
  const own = trace.filter(({ name }) => !name.includes('_'))
  const grid = gridOf(shape)
  return names.flatMap(({ name, span, node }, index): Traced[] => {
    const found = own[index]
    if (found?.name !== name) return []
    const place = placeOf(grid, node.level, 'element', element)
    return [{ index, text: source.slice(span.start, span.end), value: found.value, place }]
  })
}

export async function formulasAt(
  subject: Subject,
  given: Case,
  { at, expected }: Difference,
  table: Table
): Promise<readonly Formula[]> {
  const { program, reference } = subject
  const { step, element } = at
  const layer = Math.max(0, at.layer)
  const { records } = await runCase(subject.Optimizer, reference, given)
  const result = expectedStep(reference, given, records[step]!, step, table).layers[layer]!
  const formulas: Formula[] = []
  for (const { index, text, value, place } of tracedAt(program, result, given.layers[layer]!.shape, element)) {
    const [x, bound] = [value.value[place]!, value.bound[place]!]
    const kept = await keptBy(subject, given, index, step, layer, place)
    const same = kept !== null && sameEnd(records[step]!.after, kept.after)
    const kernel = kept?.value ?? null
    const isFar = (y: number): boolean =>
      Number.isFinite(expected)
        ? !(Object.is(y, x) || y === x || Math.abs(y - x) <= bound || bound === Infinity)
        : Number.isFinite(y) && !Number.isFinite(x)
    const differs = kernel !== null && isFar(kernel)
    formulas.push({ text, reference: x, bound, kernel, same, differs })
  }
  return formulas
}

type After = Awaited<ReturnType<typeof runCase>>['records'][number]['after']

async function keptBy(
  { again, program, reference }: Subject,
  given: Case,
  name: number,
  step: number,
  layer: number,
  place: number
): Promise<{ readonly value: number; readonly after: After } | null> {
  try {
    const { Optimizer } = await again((program) => keeping(program, program.names[name]!.node))
    const { node } = program.names[name]!
    const slots = isVarying(node) ? [...reference.slots, slotFor(node)] : reference.slots
    const { records } = await runCase(Optimizer, { ...reference, slots }, given)
    const { after, observations } = records[step]!
    const value = isVarying(node)
      ? after.layers[layer]!.slots?.[KEPT]?.[place]
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
  if (!isVarying(node)) return { ...program, observations: [...program.observations, { name: KEPT, value }] }
  return { ...program, slots: [...program.slots, { ...slotFor(node), init: constant(0), next: value, doc: '' }] }
}

/** One value for each that there is of the node's. */
const slotFor = ({ level }: Node) => ({ name: KEPT, over: level as Slot['over'], place: 'device' }) as const

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

/**
 * Which stores of a pass TensorFlow's own training kernels can make, in place: matched by what is computed
 * (`tensorflow-match.ts`), and by how it is rounded. A kernel stands for a store only if each of its roundings is one of those that the bound allows the store
 * (docs/numerics.md): every operand goes through no more of them than in the program.
 *
 * KerasMomentum        a := a·μ − r·x;  w := w + a. A running mean, with what w it is given for a waste
 * Momentum             a := a·μ + g;  w := w − r·a, or with Nesterov w := w − (r·g + r·μ·a)
 * GradientDescent      w := w − r·x
 * AdagradV2            a := a + g², or a as it is;  w := w − r·x / (√a + ε), where w may be f·w in a place of its own
 * RMSProp              a := a + (g² − a)(1 − ρ);  b := μ·b + r·g / √(a + ε);  w := w − b
 * Adam                 m := m + (g − m)(1 − β1);  v := v + (g² − v)(1 − β2);  w := w − r·m / (√v + ε)
 *
 * Adam and RMSProp form 1 − β in float32, of a β that was rounded: 1.3e-5 beside 0.001. So they stand for means whose β and
 * 1 − β are float32 numbers that add up to 1, as the runtime must find; with β ≥ ½ the roundings of g − m are then those of
 * β·m + (1 − β)·g. The bias corrections are taken into r and ε on the host, in float64 (√(c·v) + ε = √c·(√v + ε/√c)), and the
 * kernel is given powers of 0, with which it corrects nothing. Other means are made by KerasMomentum, whose factors are given.
 * GradientDescent takes a rate that a layer's reductions make, as LAMB's ratio, and for x what an earlier pass kept.
 */
import type { Pass, Plan, Store } from '../plan/plan.js'
import { bufferIndex } from './buffers.js'
import type { Cells } from './ops.js'
import {
  type Descent,
  type Factor,
  GRADIENT,
  isOne,
  type Made,
  negative,
  type Reader,
  type Root,
  readerOf,
  WEIGHT
} from './tensorflow-match.js'

export interface InPlace {
  /** Statements that run the kernels; `k` is `TfKernels`, `c` the scalars, `s` the scope. */
  readonly kernels: readonly string[]
  /** Expressions over `s.h`. */
  readonly scalars: readonly string[]
  readonly decays: readonly (readonly [number, number])[]
  /** They read a value of the layer, which a kernel takes for one layer only. */
  readonly one: boolean
  /** Stores that they do not make. */
  readonly left: readonly Store[]
}

/** Ways to make the pass in place, the best first. Each is right if its scalars are. */
export function inPlaceOf(plan: Plan, pass: Pass, cells: Cells): InPlace[] {
  const reader = readerOf(plan, pass, cells)
  const found = reachable(
    plan,
    pass,
    reader,
    pass.stores.flatMap((store) => reader.made(store) ?? [])
  )
  const whole = wholeKernel(found, pass)
  if (whole && whole.decays.length === 0) return [{ ...whole, one: false, left: [] }]
  const each = found.filter((one) => one.is !== 'nesterov' && one.is !== 'rooted')
  const ways = [each, each.filter((one) => !isOfLayer(one))].map((some) => reachable(plan, pass, reader, some))
  const [all, general] = ways as [readonly Made[], readonly Made[]]
  const way = (single: readonly Made[]): InPlace => ({
    ...separately(single),
    one: single.some(isOfLayer),
    left: pass.stores.filter((s) => !single.some((one) => one.store === s))
  })
  return [
    ...(whole ? [{ ...whole, one: false, left: [] }] : []),
    ...(all.length > general.length ? [way(all)] : []),
    ...(general.length > 0 ? [way(general)] : [])
  ]
}

/** In place, on the weight. */
function isPlain({ to, f }: Descent): boolean {
  return to === WEIGHT && isOne(f)
}

function isOfDevice(made: Made): boolean {
  return made.is === 'descent' && made.r.cells.length > 0
}

function isOfLayer(made: Made): boolean {
  return made.is === 'descent' && made.r.cells.some((text) => text.startsWith('s.cells'))
}

type Text = Pick<InPlace, 'kernels' | 'scalars' | 'decays'>

/** One kernel for the whole pass. */
function wholeKernel(made: readonly Made[], pass: Pass): Text | null {
  if (made.length < pass.stores.length || pass.reductions.length > 0 || made.some(isOfDevice)) return null
  const means = made.filter((one) => one.is === 'mean')
  const down = made.find((one) => one.is === 'descent' && isPlain(one)) as Descent | undefined
  const ahead = made.find((one) => one.is === 'nesterov')
  const rooted = made.find((one) => one.is === 'rooted')
  const [first, second] = means
  const c = scalars()
  if (means.length === 1 && first) {
    const { slot, a, b, square } = first
    if (ahead && made.length === 2 && !square && isOne(b) && ahead.a === slot && same(ahead.μ, a)) {
      return c.text(`Momentum', [0, ${slot}], [${c.of(ahead.r)}, k.at(1), ${c.of(a)}], { use_nesterov: true }`)
    }
    if (down && made.length === 2 && !down.root && !square && down.x.buffer === slot) {
      if (isOne(b)) return c.text(`Momentum', [0, ${slot}], [${c.of(down.r)}, k.at(1), ${c.of(a)}]`)
      if (isOne(negative(down.r))) {
        return c.text(`KerasMomentum', [0, ${slot}], [${c.of(negative(b))}, k.at(1), ${c.of(a)}]`)
      }
    }
    if (down && made.length === 2 && down.root && isOne(a) && isOne(b) && square) {
      const { r, ε } = scaled(down.r, down.root)
      if (down.x.buffer === GRADIENT && down.root.a === slot) {
        return c.text(`AdagradV2', [0, ${slot}], [${c.text1(r)}, ${c.text1(ε)}, k.at(1)]`)
      }
    }
    if (rooted && down && made.length === 3 && square && rooted.a === slot && !down.root) {
      if (down.x.buffer === rooted.slot && isOne(down.r)) {
        const ρ = c.decay(a, b)
        const args = [c.of(rooted.r), ρ, c.of(rooted.μ), c.of(rooted.ε), 'k.at(1)']
        return c.text(`RMSProp', [0, ${slot}, ${rooted.slot}], [${args.join(', ')}]`)
      }
    }
  }
  if (means.length === 2 && made.length === 3 && down?.root) {
    const m = [first!, second!].find((mean) => !mean.square && mean.slot === down.x.buffer)
    const v = [first!, second!].find((mean) => mean.square && mean.slot === down.root!.a)
    if (m && v) {
      const { r, ε } = scaled(down.r, down.root)
      const args = [0, 0, c.text1(r), c.decay(m.a, m.b), c.decay(v.a, v.b), c.text1(ε), 'k.at(1)']
      return c.text(`Adam', [0, ${m.slot}, ${v.slot}], [${args.join(', ')}]`)
    }
  }
  return null
}

/** A kernel a store: slots, then the weight, which may be made of them. */
function separately(made: readonly Made[]): Text {
  const c = scalars()
  const kernels: string[] = []
  for (const one of made) {
    if (one.is !== 'mean') continue
    const x = one.square ? "k.once('Square', k.at(1))" : 'k.at(1)'
    kernels.push(`k.apply('KerasMomentum', [-1, ${one.slot}], [${c.of(negative(one.b))}, ${x}, ${c.of(one.a)}])`)
  }
  // The weight last: others are made of what it was.
  const descents = made.filter((one) => one.is === 'descent').sort((one, other) => other.to - one.to)
  for (const one of descents) {
    const { to, f, root } = one
    if (!isPlain(one)) kernels.push(`k.fill(${to}, k.once('Mul', ${c.of(f)}, k.at(0)))`)
    const x = `k.at(${one.x.buffer})`
    if (!root) kernels.push(`k.apply('GradientDescent', [${to}], [${c.of(one.r)}, ${x}])`)
    else {
      const { r, ε } = scaled(one.r, root)
      const args = [c.text1(r), c.text1(ε), x].join(', ')
      kernels.push(`k.apply('AdagradV2', [${to}, ${root.a}], [${args}], { update_slots: false })`)
    }
  }
  return { kernels, ...c.lists() }
}

/** What of it may be made before the rest: nothing that is left reads what it overwrites, and it reads nothing that is left. */
function reachable(plan: Plan, pass: Pass, reader: Reader, made: readonly Made[]): readonly Made[] {
  const index = (store: Store): number => bufferIndex(plan.program, store.to)
  const stored = new Set(made.map((one) => index(one.store)))
  const left = pass.stores.filter((store) => !stored.has(index(store)))
  const needed = reader.oldValues(
    [...left, ...pass.reductions].map((s) => s.value),
    made
  )
  const operands = (one: Made): number[] => {
    if (one.is === 'mean') return []
    if (one.is === 'descent') return [...(one.x.stored ? [one.x.buffer] : []), ...(one.root ? [one.root.a] : [])]
    return [one.a]
  }
  const kept = made.filter((one) => !needed.has(index(one.store)) && operands(one).every((i) => stored.has(i)))
  return kept.length === made.length ? made : reachable(plan, pass, reader, kept)
}

function same(a: Factor, b: Factor): boolean {
  return a.minus === b.minus && a.hosts.join() === b.hosts.join() && a.cells.join() === b.cells.join()
}

function textOf({ minus, hosts }: Factor): string {
  return `${minus ? '-' : ''}${hosts.join(' * ') || '1'}`
}

/** √(c·a) + ε = √c·(√a + ε/√c): what stands before x, and what is added to √a. */
function scaled(r: Factor, { c, ε }: Root): { readonly r: string; readonly ε: string } {
  if (isOne(c)) return { r: textOf(r), ε: textOf(ε) }
  const by = `Math.sqrt(${textOf(c)})`
  return { r: `${textOf(r)} / ${by}`, ε: `${textOf(ε)} / ${by}` }
}

/** Collects the scalars that kernels take; gives the text by which they read one. */
function scalars() {
  const texts: string[] = []
  const decays: [number, number][] = []
  const index = (text: string): number => {
    if (!texts.includes(text)) texts.push(text)
    return texts.indexOf(text)
  }
  const text1 = (text: string): string => (/^-?1$/.test(text) ? text : `c[${index(text)}]!`)
  return {
    text1,
    of(factor: Factor): string {
      const host = text1(textOf(factor))
      return factor.cells.length > 0 ? `k.scalar(${[host, ...factor.cells].join(', ')})` : host
    },
    decay(a: Factor, b: Factor): string {
      decays.push([index(textOf(a)), index(textOf(b))])
      return `c[${index(textOf(a))}]!`
    },
    lists: () => ({ scalars: texts, decays }),
    text: (call: string): Text => ({ kernels: [`k.apply('${call})`], scalars: texts, decays })
  }
}

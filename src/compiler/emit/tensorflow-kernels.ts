/**
 * Which stores of a pass TensorFlow's own training kernels can make, in place: matched by what is computed, and by how it is
 * rounded. A kernel stands for a store only if each of its roundings is one of those that the bound allows the store
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
import type { Node } from '../check/program.js'
import type { Pass, Plan, Store } from '../plan/plan.js'
import { bufferIndex } from './buffers.js'
import { type Cells, readScalar } from './ops.js'

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

/** The weight and the gradient, among buffers. */
const WEIGHT = 0
const GRADIENT = 1

/** s := a·s + b·x, where x is the gradient, or its square. */
interface Mean {
  readonly is: 'mean'
  readonly store: Store
  readonly slot: number
  readonly a: Factor
  readonly b: Factor
  readonly square: boolean
}

/** w := w − r·x / (√(c·a) + ε), or w − r·x. */
interface Descent {
  readonly is: 'descent'
  readonly store: Store
  readonly r: Factor
  /** The gradient, scratch of an earlier pass, or a slot that is stored before. */
  readonly x: Operand
  readonly root: Root | null
}

/** √(c·a) + ε. */
interface Root {
  readonly a: number
  readonly c: Factor
  readonly ε: Factor
}

/** u := f·w + r·x / (√(c·a) + ε), for a later pass. */
interface Sum {
  readonly is: 'sum'
  readonly store: Store
  readonly to: number
  readonly f: Factor
  readonly r: Factor
  readonly x: Operand
  readonly root: Root
}

/** w := w − r·(g + μ·a). */
interface Nesterov {
  readonly is: 'nesterov'
  readonly store: Store
  readonly r: Factor
  readonly a: number
  readonly μ: Factor
}

/** b := μ·b + r·g / √(a + ε). */
interface Rooted {
  readonly is: 'rooted'
  readonly store: Store
  readonly slot: number
  readonly μ: Factor
  readonly r: Factor
  readonly a: number
  readonly ε: Factor
}

interface Operand {
  readonly buffer: number
  /** As the pass stores it. */
  readonly stored: boolean
}

type Made = Mean | Descent | Sum | Nesterov | Rooted

/** Numbers, multiplied: none is 1. Those of the host, and values of the layer or the model on the device. */
interface Factor {
  readonly minus: boolean
  readonly hosts: readonly string[]
  readonly cells: readonly string[]
}

/** A product of factors, over a divisor. */
interface Term extends Factor {
  readonly elements: readonly Node[]
  readonly divisor: Node | null
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
  const down = made.find((one) => one.is === 'descent')
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
  for (const one of made) {
    if (one.is !== 'sum') continue
    const { r, ε } = scaled(negative(one.r), one.root)
    const { to } = one
    kernels.push(`k.fill(${to}, k.once('Mul', ${c.of(one.f)}, k.at(0)))`)
    const args = [c.text1(r), c.text1(ε), `k.at(${one.x.buffer})`].join(', ')
    kernels.push(`k.apply('AdagradV2', [${to}, ${one.root.a}], [${args}], { update_slots: false })`)
  }
  for (const one of made) {
    if (one.is !== 'descent') continue
    const x = `k.at(${one.x.buffer})`
    if (!one.root) kernels.push(`k.apply('GradientDescent', [0], [${c.of(one.r)}, ${x}])`)
    else {
      const { r, ε } = scaled(one.r, one.root)
      const args = [c.text1(r), c.text1(ε), x].join(', ')
      kernels.push(`k.apply('AdagradV2', [0, ${one.root.a}], [${args}], { update_slots: false })`)
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
    if (one.is === 'descent' || one.is === 'sum')
      return [...(one.x.stored ? [one.x.buffer] : []), ...(one.root ? [one.root.a] : [])]
    return [one.a]
  }
  const kept = made.filter((one) => !needed.has(index(one.store)) && operands(one).every((i) => stored.has(i)))
  return kept.length === made.length ? made : reachable(plan, pass, reader, kept)
}

interface Reader {
  made(store: Store): Made | null
  /** Buffers whose old values these are made of, once `made` is stored. */
  oldValues(roots: readonly Node[], made: readonly Made[]): Set<number>
}

function readerOf(plan: Plan, pass: Pass, cells: Cells): Reader {
  const { program } = plan
  const old = new Map(pass.reads.map(({ node, from }) => [node, bufferIndex(program, from)]))
  const fresh = new Map(pass.stores.map(({ to, value }) => [value, bufferIndex(program, to)]))
  const isOld = (node: Node | undefined, buffer: number): boolean => node !== undefined && old.get(node) === buffer
  const hostText = (node: Node): string | null =>
    node.kind === 'number' && (node.op === 'const' || node.place === 'host') ? readScalar(plan, node) : null

  /** Of a sum; a value that is stored, or loaded, is not taken apart, unless it is the root. */
  function termsOf(node: Node, root = true): Term[] {
    const whole = !root && (old.has(node) || fresh.has(node))
    if (!whole && node.op === 'neg') return termsOf(node.args[0]!, false).map(negative)
    if (!whole && (node.op === 'add' || node.op === 'sub')) {
      const [left, right] = node.args.map((arg) => termsOf(arg, false)) as [Term[], Term[]]
      return [...left, ...(node.op === 'sub' ? right.map(negative) : right)]
    }
    return [productOf(node, root)]
  }

  function productOf(node: Node, root: boolean): Term {
    const host = hostText(node)
    if (host !== null) return { minus: false, hosts: [host], cells: [], elements: [], divisor: null }
    const cell = cells.get(node)
    if (cell !== undefined) return { minus: false, hosts: [], cells: [cell], elements: [], divisor: null }
    const whole = !root && (old.has(node) || fresh.has(node))
    const parts = whole ? [] : node.args.map((arg) => (arg.kind === 'number' ? productOf(arg, false) : null))
    const [left, right] = parts
    if (node.op === 'neg' && left) return negative(left)
    if (node.op === 'mul' && left && right && !(left.divisor && right.divisor)) {
      return {
        minus: left.minus !== right.minus,
        hosts: [...left.hosts, ...right.hosts],
        cells: [...left.cells, ...right.cells],
        elements: [...left.elements, ...right.elements],
        divisor: left.divisor ?? right.divisor
      }
    }
    if (node.op === 'div' && left && !left.divisor && hostText(node.args[1]!) === null) {
      return { ...left, divisor: node.args[1]! }
    }
    return { minus: false, hosts: [], cells: [], elements: [node], divisor: null }
  }

  /** What of two terms is a multiple of an old value, and the other term. */
  function around(terms: readonly Term[], buffer: number): { readonly a: Term; readonly other: Term } | null {
    if (terms.length !== 2) return null
    const at = terms.findIndex((t) => t.elements.length === 1 && !t.divisor && isOld(t.elements[0], buffer))
    return at < 0 ? null : { a: terms[at]!, other: terms[1 - at]! }
  }

  /** √(c·a) + ε. */
  function rootOf(divisor: Node): Root | null {
    const terms = termsOf(divisor, false)
    const ε = terms.find((t) => t.elements.length === 0 && !t.divisor)
    const root = terms.find((t) => t.elements.length === 1 && !t.divisor && t.hosts.length === 0 && !t.minus)
    const under = root?.elements[0]
    if (terms.length !== 2 || !ε || under?.op !== 'sqrt') return null
    const c = productOf(under.args[0]!, false)
    const a = fresh.get(c.elements[0]!)
    return c.elements.length === 1 && !c.divisor && !c.minus && a !== undefined ? { a, c, ε } : null
  }

  function operandOf({ elements }: Term): Operand | null {
    const [x] = elements
    if (elements.length !== 1 || !x) return null
    if (isOld(x, GRADIENT)) return { buffer: GRADIENT, stored: false }
    const read = pass.reads.find(({ node, from }) => node === x && from.kind === 'scratch')
    if (read) return { buffer: bufferIndex(program, read.from), stored: false }
    const buffer = fresh.get(x)
    return buffer === undefined ? null : { buffer, stored: true }
  }

  function slot(store: Store, index: number): Made | null {
    const found = around(termsOf(store.value), index)
    if (!found) return null
    const { a, other } = found
    const gradients = other.elements.every((x) => isOld(x, GRADIENT)) ? other.elements.length : 0
    if (!other.divisor) {
      if (gradients !== 1 && gradients !== 2) return null
      return { is: 'mean', store, slot: index, a, b: other, square: gradients === 2 }
    }
    if (gradients !== 1 || other.divisor.op !== 'sqrt') return null
    const under = termsOf(other.divisor.args[0]!, false)
    const ε = under.find((t) => t.elements.length === 0 && !t.divisor)
    const mean = under.find((t) => isOne(t) && !t.divisor && t.elements.length === 1)
    const buffer = mean && fresh.get(mean.elements[0]!)
    if (under.length !== 2 || !ε || buffer === undefined) return null
    return { is: 'rooted', store, slot: index, μ: a, r: other, a: buffer, ε }
  }

  function sum(store: Store): Made | null {
    const found = around(termsOf(store.value), WEIGHT)
    if (!found?.other.divisor) return null
    const { a: f, other: r } = found
    const x = operandOf(r)
    const root = rootOf(r.divisor!)
    return x && root ? { is: 'sum', store, to: bufferIndex(program, store.to), f, r, x, root } : null
  }

  function weight(store: Store): Made | null {
    const found = around(termsOf(store.value), WEIGHT)
    if (!found || !isOne(found.a)) return null
    const r = negative(found.other)
    const x = operandOf(r)
    if (x !== null) {
      const root = r.divisor ? rootOf(r.divisor) : null
      return r.divisor && !root ? null : { is: 'descent', store, r, x, root }
    }
    if (r.elements.length !== 1 || r.divisor) return null
    const ahead = termsOf(r.elements[0]!, false)
    const g = ahead.find((t) => isOne(t) && !t.divisor && operandOf(t)?.buffer === GRADIENT)
    const velocity = ahead.find((t) => t !== g && !t.divisor && operandOf(t)?.stored)
    if (ahead.length !== 2 || !g || !velocity) return null
    return { is: 'nesterov', store, r, a: operandOf(velocity)!.buffer, μ: velocity }
  }

  return {
    made(store) {
      const index = bufferIndex(program, store.to)
      const { kind } = store.to
      const made = kind === 'weight' ? weight(store) : kind === 'scratch' ? sum(store) : slot(store, index)
      return made && hostFactors(made).every((factor) => factor.cells.length === 0) ? made : null
    },
    oldValues(roots, made) {
      const stored = new Set(made.map((one) => one.store.value))
      const seen = new Set<Node>()
      const found = new Set<number>()
      const visit = (node: Node): void => {
        if (seen.has(node) || stored.has(node)) return
        seen.add(node)
        const buffer = old.get(node)
        if (buffer !== undefined) found.add(buffer)
        else for (const arg of node.args) visit(arg)
      }
      for (const root of roots) visit(root)
      return found
    }
  }
}

/** Those that must come from the host: only the rate of a plain descent need not. */
function hostFactors(made: Made): Factor[] {
  switch (made.is) {
    case 'mean':
      return [made.a, made.b]
    case 'descent':
      return made.root ? [made.r, made.root.c, made.root.ε] : []
    case 'sum':
      return [made.f, made.r, made.root.c, made.root.ε]
    case 'nesterov':
      return [made.r, made.μ]
    case 'rooted':
      return [made.μ, made.r, made.ε]
  }
}

function negative<F extends Factor>(factor: F): F {
  return { ...factor, minus: !factor.minus }
}

function isOne({ minus, hosts, cells }: Factor): boolean {
  return !minus && hosts.length + cells.length === 0
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

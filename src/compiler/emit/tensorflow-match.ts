/**
 * What a store of a pass is, seen as one of the forms that TensorFlow's training kernels have: by what is computed, however
 * it is written.
 */
import type { Node } from '../check/program.js'
import type { Pass, Plan, Store } from '../plan/plan.js'
import { bufferIndex, isVectorBuffer } from './buffers.js'
import { type Cells, readScalar } from './ops.js'

/** The weight and the gradient, among buffers. */
export const WEIGHT = 0
export const GRADIENT = 1

/** s := a·s + b·x, where x is the gradient, or its square. */
export interface Mean {
  readonly is: 'mean'
  readonly store: Store
  readonly slot: number
  readonly a: Factor
  readonly b: Factor
  readonly square: boolean
}

/** w := f·w − r·x / (√(c·a) + ε), or f·w − r·x; or another buffer := the same. */
export interface Descent {
  readonly is: 'descent'
  readonly store: Store
  readonly to: number
  readonly f: Factor
  readonly r: Factor
  /** The gradient, scratch of an earlier pass, or a slot that is stored before. */
  readonly x: Operand
  readonly root: Root | null
}

/** √(c·a) + ε. */
export interface Root {
  readonly a: number
  readonly c: Factor
  readonly ε: Factor
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

export type Made = Mean | Descent | Nesterov | Rooted

/** Numbers, multiplied: none is 1. Those of the host, and values of the layer or the model on the device. */
export interface Factor {
  readonly minus: boolean
  readonly hosts: readonly string[]
  readonly cells: readonly string[]
}

/** A product of factors, over a divisor. */
interface Term extends Factor {
  readonly elements: readonly Node[]
  readonly divisor: Node | null
}

export interface Reader {
  made(store: Store): Made | null
  /** Buffers whose old values these are made of, once `made` is stored. */
  oldValues(roots: readonly Node[], made: readonly Made[]): Set<number>
}

export function readerOf(plan: Plan, pass: Pass, cells: Cells): Reader {
  const { program } = plan
  const ofElements = pass.reads.filter(({ from }) => !isVectorBuffer(from))
  const old = new Map(ofElements.map(({ node, from }) => [node, bufferIndex(program, from)]))
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

  function descent(store: Store): Made | null {
    const found = around(termsOf(store.value), WEIGHT)
    if (!found) return null
    const r = negative(found.other)
    const x = operandOf(r)
    if (x !== null) {
      const root = r.divisor ? rootOf(r.divisor) : null
      const to = bufferIndex(program, store.to)
      return r.divisor && !root ? null : { is: 'descent', store, to, f: found.a, r, x, root }
    }
    if (store.to.kind !== 'weight' || !isOne(found.a)) return null
    if (r.elements.length !== 1 || r.divisor) return null
    const ahead = termsOf(r.elements[0]!, false)
    const g = ahead.find((t) => isOne(t) && !t.divisor && operandOf(t)?.buffer === GRADIENT)
    const velocity = ahead.find((t) => t !== g && !t.divisor && operandOf(t)?.stored)
    if (ahead.length !== 2 || !g || !velocity) return null
    return { is: 'nesterov', store, r, a: operandOf(velocity)!.buffer, μ: velocity }
  }

  return {
    made(store) {
      const made = store.to.kind === 'slot' ? slot(store, bufferIndex(program, store.to)) : descent(store)
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
      return [made.f, ...(made.root ? [made.r, made.root.c, made.root.ε] : [])]
    case 'nesterov':
      return [made.r, made.μ]
    case 'rooted':
      return [made.μ, made.r, made.ε]
  }
}

export function negative<F extends Factor>(factor: F): F {
  return { ...factor, minus: !factor.minus }
}

export function isOne({ minus, hosts, cells }: Factor): boolean {
  return !minus && hosts.length + cells.length === 0
}

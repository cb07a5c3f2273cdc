/** Typed programs with one mistake in them: what a compiler might get wrong, at every place where it might. */
import { Graph } from '../../src/compiler/check/graph.js'
import type { Binary, Node, Program } from '../../src/compiler/check/program.js'
import { isReduction, reach } from '../../src/compiler/plan/order.js'

export interface Mutation {
  /** The kind of mistake, as the docs list them. */
  readonly kind: string
  /** What was done, and where. */
  readonly label: string
  readonly apply: (program: Program) => Program
}

/** Where a mistake is made: the passes that reduce may get another value than those that store. */
type Scope = 'everywhere' | 'in reductions only' | 'outside of reductions'

/** What stands in a node's place, made of the operands as they have become. */
type Replace = (graph: Graph, args: readonly Node[]) => Node

interface Mistake {
  readonly kind: string
  readonly label: string
  readonly replace: Replace
}

const rootsOf = (p: Program): Node[] => [p.weight, ...p.slots.map((s) => s.next), ...p.observations.map((o) => o.value)]
const nodesOf = (p: Program): Node[] => reach(rootsOf(p), () => true)

const swap =
  (op: Binary): Replace =>
  (graph, [x, y]) =>
    graph.binary(op, x!, y!)
const operand =
  (i: number): Replace =>
  (_, args) =>
    args[i]!

const SWAPS: Readonly<Partial<Record<Node['op'], readonly Binary[]>>> = {
  add: ['sub', 'mul'],
  sub: ['add'],
  mul: ['div', 'add'],
  div: ['mul'],
  max: ['min'],
  min: ['max'],
  lt: ['le', 'ge'],
  le: ['lt', 'gt'],
  gt: ['ge', 'le'],
  ge: ['gt', 'lt'],
  eq: ['ne'],
  ne: ['eq'],
  and: ['or'],
  or: ['and']
}
/** Of these an operand may have been forgotten. */
const DROPS = new Set(['add', 'sub', 'mul', 'div', 'max', 'min', 'and', 'or'])
const FUNCTIONS = new Set(['sqrt', 'rsqrt', 'cbrt', 'exp', 'log', 'tanh', 'abs', 'sign', 'floor', 'neg', 'not'])

/** The mistakes that can be made at a node, apart from those with leaves. */
function mistakesAt(node: Node, p: Program): Mistake[] {
  const found: Mistake[] = []
  const add = (kind: string, label: string, replace: Replace): void => void found.push({ kind, label, replace })
  const { op } = node
  for (const other of SWAPS[op] ?? []) add('operator', `${op} → ${other}`, swap(other))
  if (op === 'sub' || op === 'div' || op === 'pow')
    add('operands exchanged', `${op}(y, x)`, (graph, [x, y]) => graph.binary(op, y!, x!))
  if (DROPS.has(op) && node.args.length > 1) {
    add('term forgotten', `first of ${op}`, operand(0))
    if (op !== 'sub' && op !== 'div') add('term forgotten', `second of ${op}`, operand(1))
  }
  if (FUNCTIONS.has(op)) add('function forgotten', op, operand(0))
  if (op === 'select') {
    add('guard forgotten', 'then', operand(1))
    add('guard forgotten', 'else', operand(2))
    add('guard turned round', 'select', (graph, [c, x, y]) => graph.select(c!, y!, x!))
  }
  if (op === 'add' && node.args[0]!.op === 'sqrt' && node.args[1]!.place === 'host')
    add('ε into the root', '√x + ε → √(x + ε)', (graph, [root, e]) =>
      graph.unary('sqrt', graph.binary('add', root!.args[0]!, e!))
    )
  if (op === 'sqrt' && node.args[0]!.op === 'add' && node.args[0]!.args[1]!.place === 'host')
    add('ε out of the root', '√(x + ε) → √x + ε', (graph, [sum]) =>
      graph.binary('add', graph.unary('sqrt', sum!.args[0]!), sum!.args[1]!)
    )
  if (isReduction(node)) {
    const over = node.over === 'layer' ? 'model' : 'layer'
    if (node.args[0]!.level === 'element')
      add(`over the ${over}, not the ${node.over}`, op, (graph, [x]) => graph.reduce(node.op, over, x!))
    add('reduction', `${op} → ${op === 'max' ? 'min' : 'max'}`, (graph, [x]) =>
      graph.reduce(op === 'max' ? 'min' : 'max', node.over, x!)
    )
    for (const leaf of [p.weight, ...p.slots.filter((s) => s.over === 'element').map((s) => s.next)].map(startOf(p))) {
      add('reduction of something else', `${op} of ${leaf.op}${'name' in leaf ? ` ${leaf.name}` : ''}`, (graph) => {
        const x = graph.rebuild(leaf, [])
        return graph.reduce(node.op, node.over, graph.binary('mul', x, x))
      })
    }
  }
  return found
}

/** The leaf that a new value of the weight or of a slot started from. */
const startOf =
  (p: Program) =>
  (next: Node): Node =>
    leafOf(p, next) ?? next

function leafOf(p: Program, next: Node): Node | undefined {
  const slot = p.slots.find((s) => s.next === next)
  return nodesOf(p).find((n) => (slot ? n.op === 'slot' && n.name === slot.name : n.op === 'weight'))
}

/** Mistakes with what a step begins from. */
function leafMistakes(node: Node, p: Program): Mistake[] {
  const found: Mistake[] = []
  const add = (kind: string, label: string, replace: Replace): void => void found.push({ kind, label, replace })
  const plus =
    (by: number): Replace =>
    (graph) =>
      graph.binary('add', graph.rebuild(node, []), graph.const(by))
  if (node.op === 'step' || (node.op === 'fact' && node.name === 'age')) {
    add('t off by one', `${node.op} + 1`, plus(1))
    add('t off by one', `${node.op} − 1`, plus(-1))
  }
  if (node.op === 'fact' && node.name !== 'age') add('fact off by one', node.name, plus(1))
  if (node.op === 'const' && typeof node.value === 'number') add('constant', `${node.value}`, plus(0.125))
  if (node.op === 'hyper') {
    const { name } = node
    const own = p.hypers.find((h) => h.name === name)!
    add('default in place of the hyperparameter', name, (graph) => graph.const(own.init))
    for (const other of p.hypers) {
      if (other.name === name || other.kind !== own.kind) continue
      add('another hyperparameter', `${name} → ${other.name}`, (graph) => graph.hyper(other.name, other.kind))
    }
  }
  if (node.op === 'gradient') add('another tensor', 'gradient → weight', (graph) => graph.weight())
  if (node.op === 'weight') add('another tensor', 'weight → gradient', (graph) => graph.gradient())
  if (node.op === 'slot' && node.level === 'element') {
    add('another tensor', `${node.name} → gradient`, (graph) => graph.gradient())
    for (const other of p.slots) {
      if (other.over !== 'element' || other.name === node.name) continue
      add('another tensor', `${node.name} → ${other.name}`, (graph) =>
        graph.slot(other.name, { level: 'element', place: 'device' })
      )
    }
  }
  if (node.op === 'mask') add('mask turned round', node.name, (graph) => graph.unary('not', graph.rebuild(node, [])))
  return found
}

/** The program with one node replaced, wherever the scope says. */
function withMistake(p: Program, at: Node, replace: Replace, scope: Scope): Program {
  const graph = new Graph()
  const done = [new Map<Node, Node>(), new Map<Node, Node>()]
  const change = (node: Node, inside: boolean): Node => {
    const known = done[Number(inside)]!.get(node)
    if (known) return known
    const args = node.args.map((arg) => change(arg, inside || isReduction(node)))
    const here = scope === 'everywhere' || (scope === 'in reductions only') === inside
    const made = node === at && here ? replace(graph, args) : graph.rebuild(node, args)
    done[Number(inside)]!.set(node, made)
    return made
  }
  return rebuilt(p, (node) => change(node, false))
}

function rebuilt(p: Program, change: (node: Node) => Node): Program {
  return {
    ...p,
    weight: change(p.weight),
    masks: p.masks.map((m) => ({ ...m, predicate: change(m.predicate) })),
    slots: p.slots.map((s) => ({ ...s, init: change(s.init), next: change(s.next) })),
    observations: p.observations.map((o) => ({ ...o, value: change(o.value) })),
    names: []
  }
}

const describe = (node: Node): string => `${node.op}${'name' in node ? ` ${node.name}` : ''}#${node.id}`

/** Every mistake that can be made with this program. */
export function mutationsOf(p: Program): Mutation[] {
  const nodes = nodesOf(p)
  const inside = new Set(
    reach(
      nodes.filter(isReduction).flatMap((n) => [...n.args]),
      () => true
    )
  )
  const outside = new Set(reach(rootsOf(p), (n) => !isReduction(n)))
  const local = nodes.flatMap((node) =>
    [...mistakesAt(node, p), ...leafMistakes(node, p)].flatMap(({ kind, label, replace }): Mutation[] => {
      const both = inside.has(node) && outside.has(node) && !isReduction(node)
      const scopes: readonly Scope[] = both
        ? ['everywhere', 'in reductions only', 'outside of reductions']
        : ['everywhere']
      return scopes.map((scope) => ({
        kind: scope === 'everywhere' ? kind : `${kind}, ${scope}`,
        label: `${label} at ${describe(node)}`,
        apply: () => withMistake(p, node, replace, scope)
      }))
    })
  )
  return [...local, ...updatesLost(p), ...stale(p), ...decays(p), ...starts(p)]
}

/** Nothing is stored. */
function updatesLost(p: Program): Mutation[] {
  return p.slots.flatMap((slot): Mutation[] => {
    const leaf = leafOf(p, slot.next)
    if (!leaf || leaf === slot.next) return []
    const slots = p.slots.map((s) => (s === slot ? { ...s, next: leaf } : s))
    return [{ kind: 'update lost', label: slot.name, apply: () => rebuiltOnce({ ...p, slots }) }]
  })
}

/** What reads the new value of a slot gets the old one. */
function stale(p: Program): Mutation[] {
  return p.slots.flatMap((slot): Mutation[] => {
    const leaf = leafOf(p, slot.next)
    if (!leaf || leaf === slot.next || !reach(rootsOf({ ...p, slots: [] }), () => true).includes(slot.next)) return []
    const apply = (): Program => {
      const graph = new Graph()
      const change = changer(graph, new Map([[slot.next, leaf]]))
      const right = changer(graph, new Map())
      const changed = rebuilt(p, change)
      return { ...changed, slots: changed.slots.map((s, i) => ({ ...s, next: right(p.slots[i]!.next) })) }
    }
    return [{ kind: 'the old value in place of the new', label: slot.name, apply }]
  })
}

/** Weight decay through the gradient, where the formula has it beside; and the other way round. */
function decays(p: Program): Mutation[] {
  const terms = nodesOf(p).filter(
    (n) => n.op === 'mul' && n.args.some((a) => a.op === 'weight') && n.args.some((a) => a.place === 'host')
  )
  return terms.map((term): Mutation => {
    const apply = (): Program => {
      const graph = new Graph()
      const plain = changer(graph, new Map())
      const gradient = graph.gradient()
      const decayed = graph.binary('add', gradient, plain(term))
      const done = new Map<Node, Node>([[term, graph.const(0)]])
      const change = (node: Node): Node => {
        const known = done.get(node)
        if (known) return known
        const made = node.op === 'gradient' ? decayed : graph.rebuild(node, node.args.map(change))
        done.set(node, made)
        return made
      }
      return rebuilt(p, change)
    }
    return { kind: 'coupled decay', label: describe(term), apply }
  })
}

function starts(p: Program): Mutation[] {
  return p.slots.map((slot): Mutation => {
    const apply = (): Program => {
      const graph = new Graph()
      const change = changer(graph, new Map())
      const changed = rebuilt(p, change)
      const init = graph.binary('add', change(slot.init), graph.const(0.125))
      return { ...changed, slots: changed.slots.map((s) => (s.name === slot.name ? { ...s, init } : s)) }
    }
    return { kind: 'start value', label: slot.name, apply }
  })
}

const rebuiltOnce = (p: Program): Program => rebuilt(p, changer(new Graph(), new Map()))

/** Copies into another graph, with some nodes exchanged for others. */
function changer(graph: Graph, exchanged: ReadonlyMap<Node, Node>): (node: Node) => Node {
  const done = new Map<Node, Node>()
  const change = (asked: Node): Node => {
    const node = exchanged.get(asked) ?? asked
    const known = done.get(node)
    if (known) return known
    const made = graph.rebuild(
      node,
      node.args.map((arg) => change(arg))
    )
    done.set(node, made)
    return made
  }
  return change
}

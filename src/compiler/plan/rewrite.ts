/** Applies the rules to whole graphs, in a graph of its own. */
import { type Reducer, reduceAs } from '../check/axes.js'
import { Graph } from '../check/graph.js'
import type { Level, Node, Program, Reduce } from '../check/program.js'
import { isOfModel, isReduction, reach } from './order.js'
import { type Build, RULES } from './rules.js'

export interface Rewriter {
  /** The same value by the rules; of a graph given from outside. */
  rewrite(node: Node): Node
  /**
   * A rewritten value under some host conditions (which are operands of device values). What belongs to the model stays
   * as it is: it is the same for layers of all variants.
   */
  specialise(roots: readonly Node[], decided: ReadonlyMap<Node, boolean>): Map<Node, Node>
  /** What a layer adds to a reduction over the model of values that are of `level`. */
  share(op: Reduce, level: Level, x: Node): Node
}

const COMMUTE = new Set(['add', 'mul', 'max', 'min', 'and', 'or', 'eq', 'ne'])

/** `kept`: values that are stored. `grouped`: hyperparameters that a group may set. */
export function createRewriter(kept: ReadonlySet<Node>, grouped: ReadonlySet<string> = new Set()): Rewriter {
  const graph = new Graph()
  const done = new Map<Node, Node>()
  const stored = new Set<Node>()
  const commuted = new Map<string, Node>()

  /** x · y and y · x are one node: the first that was written. */
  function share(node: Node): Node {
    if (!COMMUTE.has(node.op)) return node
    const key = `${node.op}|${node.args.map((a) => a.id).sort((a, b) => a - b)}`
    const known = commuted.get(key)
    if (!known) commuted.set(key, node)
    return known ?? node
  }

  function simplify(made: Node): Node {
    const node = share(made)
    for (const rule of RULES) {
      const better = rule.apply(node, build)
      if (better) return better
    }
    return node
  }

  const build: Build = {
    const: (value) => graph.const(value),
    unary: (op, x) => simplify(graph.unary(op, x)),
    binary: (op, x, y) => simplify(graph.binary(op, x, y)),
    select: (condition, then, otherwise) => simplify(graph.select(condition, then, otherwise)),
    isKept: (node) => stored.has(node)
  }

  const reducer: Reducer = {
    reduce: (op, over, x) => graph.reduce(op, over, x),
    times: (x, fact) => build.binary('mul', x, graph.fact(fact))
  }

  /** `node` with other operands. A reduction whose operand no longer varies is arithmetic. */
  function rebuild(node: Node, args: readonly Node[]): Node {
    if (node.op === 'hyper' && grouped.has(node.name)) return graph.rebuild({ ...node, grouped: true }, args)
    if (!isReduction(node)) return args.length === 0 ? graph.rebuild(node, args) : simplify(graph.rebuild(node, args))
    return reduceAs(node.op, node.over, node.args[0]!.level, args[0]!, reducer)
  }

  function rewrite(node: Node): Node {
    for (const each of reach([node], (n) => !done.has(n))) {
      if (done.has(each)) continue
      const result = rebuild(
        each,
        each.args.map((arg) => done.get(arg)!)
      )
      done.set(each, result)
      if (kept.has(each)) stored.add(result)
    }
    return done.get(node)!
  }

  function specialise(roots: readonly Node[], decided: ReadonlyMap<Node, boolean>): Map<Node, Node> {
    const result = new Map<Node, Node>()
    const fixed = (node: Node): boolean => node.place === 'host' || isOfModel(node)
    const seen = (arg: Node): Node => {
      const { condition, negated } = conditionOf(arg)
      const value = decided.get(condition)
      return value === undefined ? result.get(arg)! : graph.const(value !== negated)
    }
    for (const node of reach(roots, (n) => !fixed(n))) {
      const same = fixed(node) || node.args.length === 0
      const special = same ? node : rebuild(node, node.args.map(seen))
      result.set(node, special)
      if (stored.has(node)) stored.add(special)
    }
    return result
  }

  return { rewrite, specialise, share: (op, level, x) => reduceAs(op, 'layer', level, x, reducer) }
}

/** `c` and `not c` are one condition. */
export function conditionOf(node: Node): { readonly condition: Node; readonly negated: boolean } {
  return node.op === 'not' ? { condition: node.args[0]!, negated: true } : { condition: node, negated: false }
}

/** The program by the rules, and what rewrote it. */
export function rewriteProgram(program: Program): { readonly program: Program; readonly rewriter: Rewriter } {
  const stored = new Set([program.weight, ...program.slots.map((s) => s.next)])
  const grouped = new Set(program.hypers.filter((h) => h.groupable).map((h) => h.name))
  const rewriter = createRewriter(stored, grouped)
  const { rewrite } = rewriter
  return {
    rewriter,
    program: {
      ...program,
      weight: rewrite(program.weight),
      masks: program.masks.map((m) => ({ ...m, predicate: rewrite(m.predicate) })),
      slots: program.slots.map((s) => ({ ...s, init: rewrite(s.init), next: rewrite(s.next) })),
      observations: program.observations.map((o) => ({ ...o, value: rewrite(o.value) })),
      names: program.names.map((n) => ({ ...n, node: rewrite(n.node) }))
    }
  }
}

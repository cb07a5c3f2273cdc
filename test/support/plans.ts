/** Plans written by hand, as small as each point needs: what runs them is tested apart from what makes them. */
import { Graph } from '../../src/compiler/check/graph.js'
import type { Node, Program, Reduce, Slot } from '../../src/compiler/check/program.js'
import {
  type Abilities,
  type Buffer,
  type Cell,
  IDEAL,
  type Pass,
  type Plan,
  type ReduceNode,
  type Variant
} from '../../src/compiler/plan/plan.js'

const ABILITIES: Abilities = { ...IDEAL, target: 'by hand', maxBuffers: 7, maxOutputs: 7 }
const FIGURES = { bytesPerWeight: 0, bytesCompulsory: 0, provedLeast: true }

export const W: Buffer = { kind: 'weight' }
export const G: Buffer = { kind: 'gradient' }
export const slotBuffer = (name: string): Buffer => ({ kind: 'slot', name })
export const scratch = (index: number): Buffer => ({ kind: 'scratch', index })

export const total = (g: Graph, op: Reduce, over: 'layer' | 'model', x: Node): ReduceNode =>
  g.reduce(op, over, x) as ReduceNode

/** A pass; what it loads follows from what it reads. */
export function pass(reads: [Node, Buffer][], rest: Partial<Pass>): Pass {
  return {
    domain: 'element',
    segment: 0,
    loads: reads.map(([, from]) => from),
    reads: reads.map(([node, from]) => ({ node, from })),
    stores: [],
    reductions: [],
    finish: [],
    ...rest
  }
}

export function variant(passes: Pass[], cells: Cell[] = [], rest: Partial<Variant> = {}): Variant {
  return { passes, cells, scratch: 0, vectors: [], shares: [], layerState: [], observations: [], ...FIGURES, ...rest }
}

export interface SlotGiven {
  readonly name: string
  readonly over?: Slot['over']
}

/** A plan around variants. Host scalars are hyperparameters of these names, in order. */
export function plan(
  g: Graph,
  scalars: string[],
  slots: SlotGiven[],
  variants: Variant[],
  rest: Partial<Plan> = {}
): Plan {
  const program: Program = {
    name: 'ByHand',
    doc: '',
    symbols: { weight: 'w', gradient: 'g', step: 't' },
    hypers: [],
    masks: [],
    slots: slots.map(({ name, over = 'element' }) => ({
      name,
      over,
      place: 'device',
      init: g.const(0),
      next: g.const(0),
      doc: ''
    })),
    observations: [],
    weight: g.weight(),
    names: [],
    source: ''
  }
  return {
    program,
    abilities: ABILITIES,
    scalars: scalars.map((name) => ({ name, node: g.hyper(name, 'number') })),
    conditions: [],
    variants,
    barriers: [],
    modelCells: [],
    modelState: [],
    hostState: [],
    ...FIGURES,
    ...rest
  }
}

/** w := w − rate · g */
export function sgdPlan(): Plan {
  const g = new Graph()
  const next = g.binary('sub', g.weight(), g.binary('mul', g.hyper('rate', 'number'), g.gradient()))
  const reads: [Node, Buffer][] = [
    [g.weight(), W],
    [g.gradient(), G]
  ]
  return plan(g, ['rate'], [], [variant([pass(reads, { stores: [{ to: W, value: next }] })])])
}

/** w := w − rate · g; sum, max and min of g observed. */
export function reducePlan(): Plan {
  const g = new Graph()
  const next = g.binary('sub', g.weight(), g.binary('mul', g.hyper('rate', 'number'), g.gradient()))
  const cells = (['sum', 'max', 'min'] as const).map((op) => ({ name: op, node: total(g, op, 'layer', g.gradient()) }))
  const reads: [Node, Buffer][] = [
    [g.weight(), W],
    [g.gradient(), G]
  ]
  const only = pass(reads, {
    stores: [{ to: W, value: next }],
    reductions: cells.map(({ node }) => ({ node, value: g.gradient() })),
    finish: [0, 1, 2]
  })
  const observations = cells.map(({ name, node }) => ({ name, value: node }))
  return plan(g, ['rate'], [], [variant([only], cells, { observations })])
}

/**
 * State of every level, reductions of both kinds, cells, scratch, and values that a step keeps:
 *   T = sum(g)   S = sum(g·w over model)   M = max(T over model)
 *   a, c (over layer) := a + T, c + 2   b (over model) := b + S·M   m := m + g
 *   w := w − rate · 2g · S + a + M        observed: T, S, max(w), 7
 */
export function everythingPlan(): Plan {
  const g = new Graph()
  const rate = g.hyper('rate', 'number')
  const m = g.slot('m', { level: 'element', place: 'device' })
  const a = g.slot('a', { level: 'layer', place: 'device' })
  const b = g.slot('b', { level: 'model', place: 'device' })
  const [w, grad] = [g.weight(), g.gradient()]
  const twice = g.binary('mul', g.const(2), grad)
  const T = total(g, 'sum', 'layer', grad)
  const S = total(g, 'sum', 'model', g.binary('mul', grad, w))
  const M = total(g, 'max', 'model', T)
  const aNext = g.binary('add', a, T)
  const c = g.slot('c', { level: 'layer', place: 'device' })
  const cNext = g.binary('add', c, g.const(2))
  const bNext = g.binary('add', b, g.binary('mul', S, M))
  const mNext = g.binary('add', m, grad)
  const next = g.binary(
    'add',
    g.binary('add', g.binary('sub', w, g.binary('mul', g.binary('mul', rate, S), twice)), aNext),
    M
  )
  const most = total(g, 'max', 'layer', next)
  const first = pass(
    [
      [w, W],
      [grad, G],
      [m, slotBuffer('m')]
    ],
    {
      stores: [
        { to: scratch(0), value: twice },
        { to: slotBuffer('m'), value: mNext }
      ],
      reductions: [
        { node: T, value: grad },
        { node: S, value: S.args[0]! }
      ],
      finish: [0]
    }
  )
  const second = pass(
    [
      [w, W],
      [twice, scratch(0)]
    ],
    {
      segment: 1,
      stores: [{ to: W, value: next }],
      reductions: [{ node: most, value: next }]
    }
  )
  const observations = [T, S, most, g.const(7)].map((value, i) => ({ name: 'TSm7'[i]!, value }))
  return plan(
    g,
    ['rate'],
    [{ name: 'm' }, { name: 'a', over: 'layer' }, { name: 'c', over: 'layer' }, { name: 'b', over: 'model' }],
    [
      variant([first, second], [{ node: aNext, name: 'a' }], {
        scratch: 1,
        shares: [{ node: M, value: T }],
        layerState: [
          { slot: 'a', value: aNext },
          { slot: 'c', value: cNext }
        ],
        observations
      })
    ],
    {
      barriers: [{ reductions: [S, M], finish: [0] }],
      modelCells: [{ node: bNext, name: 'b' }],
      modelState: [{ slot: 'b', value: bNext }]
    }
  )
}

/** Eight slots, sᵢ := sᵢ + (i + 1)·g, in two passes; w := w + 2·max(g) in the second. */
export function widePlan(): Plan {
  const g = new Graph()
  const names = Array.from({ length: 8 }, (_, i) => `s${i}`)
  const [w, grad] = [g.weight(), g.gradient()]
  const most = total(g, 'max', 'layer', grad)
  const half = (from: number, rest: Partial<Pass>, more: [Node, Buffer][] = []): Pass => {
    const slots = names.slice(from, from + 4).map((name, i) => {
      const node = g.slot(name, { level: 'element', place: 'device' })
      return { node, to: slotBuffer(name), value: g.binary('add', node, g.binary('mul', g.const(from + i + 1), grad)) }
    })
    return pass([...slots.map(({ node, to }): [Node, Buffer] => [node, to]), [grad, G], ...more], {
      ...rest,
      stores: [...slots.map(({ to, value }) => ({ to, value })), ...(rest.stores ?? [])]
    })
  }
  const first = half(0, { reductions: [{ node: most, value: grad }], finish: [0] })
  const next = g.binary('add', w, g.binary('mul', g.const(2), most))
  const second = half(4, { stores: [{ to: W, value: next }] }, [[w, W]])
  return plan(
    g,
    [],
    names.map((name) => ({ name })),
    [variant([first, second], [{ node: most, name: 'most' }])]
  )
}

/** LAMB with a trust ratio, without decay: two passes and a cell between them. */
export function lambPlan(): Plan {
  const g = new Graph()
  const [w, grad] = [g.weight(), g.gradient()]
  const [m, v] = ['m', 'v'].map((s) => g.slot(s, { level: 'element', place: 'device' })) as [Node, Node]
  const scalars = ['rate', 'beta1', 'rest1', 'beta2', 'rest2', 'epsilon']
  const [rate, beta1, rest1, beta2, rest2, epsilon] = scalars.map((n) => g.hyper(n, 'number')) as [
    Node,
    Node,
    Node,
    Node,
    Node,
    Node
  ]
  const mNext = g.binary('add', g.binary('mul', beta1, m), g.binary('mul', rest1, grad))
  const vNext = g.binary('add', g.binary('mul', beta2, v), g.binary('mul', rest2, g.binary('mul', grad, grad)))
  const u = g.binary('div', mNext, g.binary('add', g.unary('sqrt', vNext), epsilon))
  const ww = total(g, 'sum', 'layer', g.binary('mul', w, w))
  const uu = total(g, 'sum', 'layer', g.binary('mul', u, u))
  const ratio = g.select(
    g.binary('and', g.binary('gt', ww, g.const(0)), g.binary('gt', uu, g.const(0))),
    g.binary('div', g.unary('sqrt', ww), g.unary('sqrt', uu)),
    g.const(1)
  )
  const next = g.binary('sub', w, g.binary('mul', g.binary('mul', rate, ratio), u))
  const first = pass(
    [
      [w, W],
      [grad, G],
      [m, slotBuffer('m')],
      [v, slotBuffer('v')]
    ],
    {
      stores: [
        { to: slotBuffer('m'), value: mNext },
        { to: slotBuffer('v'), value: vNext }
      ],
      reductions: [ww, uu].map((node) => ({ node, value: node.args[0]! })),
      finish: [0]
    }
  )
  const second = pass(
    [
      [w, W],
      [mNext, slotBuffer('m')],
      [vNext, slotBuffer('v')]
    ],
    { stores: [{ to: W, value: next }] }
  )
  const observations = [{ name: 'ratio', value: ratio }]
  return plan(
    g,
    scalars,
    [{ name: 'm' }, { name: 'v' }],
    [variant([first, second], [{ node: ratio, name: 'ratio' }], { observations })]
  )
}

/** w := f(w, g), element by element; `x` and `y` are w and g. */
export function elementPlan(make: (g: Graph, x: Node, y: Node) => Node): Plan {
  const g = new Graph()
  const value = make(g, g.weight(), g.gradient())
  return plan(
    g,
    [],
    [],
    [
      variant([
        pass(
          [
            [g.weight(), W],
            [g.gradient(), G]
          ],
          { stores: [{ to: W, value }] }
        )
      ])
    ]
  )
}

/** w := w + 2 + 2 + …, where the author calls the partial sums by these names; and formulas to print beside them. */
export function namedPlan(names: string[], formulas: string[] = names): Plan {
  const g = new Graph()
  const all = total(g, 'sum', 'layer', g.weight())
  let value = g.weight()
  let source = ''
  const named = names.map((name, i) => {
    value = g.binary('add', value, g.const(2))
    const start = source.length
    source += formulas[i]!
    return { name, node: value, span: { start, end: source.length } }
  })
  const only = pass([[g.weight(), W]], { stores: [{ to: W, value }], reductions: [{ node: all, value }], finish: [0] })
  const made = plan(g, [], [], [variant([only], [{ node: all, name: names[0]! }])])
  return { ...made, program: { ...made.program, names: named, source } }
}

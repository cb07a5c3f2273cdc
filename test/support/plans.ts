/** Plans written by hand, as small as each point needs. */
import { Graph } from '../../src/compiler/check/graph.js'
import type { Node, Program, Slot } from '../../src/compiler/check/program.js'
import type { Abilities, Barrier, Cell, Pass, Plan, Variant } from '../../src/compiler/plan/plan.js'

export const ANY: Abilities = { target: 'webgpu', reducesInPass: true, inPlace: true, maxBuffers: 7, maxOutputs: 7 }

export function program(
  g: Graph,
  name: string,
  weight: Node,
  slots: Record<string, Node>,
  symbols: Partial<Program> = {}
): Program {
  return {
    name,
    doc: '',
    symbols: { weight: 'w', gradient: 'g', step: 't' },
    hypers: [],
    masks: [],
    slots: Object.entries(slots).map(
      ([slot, next]): Slot => ({ name: slot, over: 'element', place: 'device', init: g.const(0), next, doc: '' })
    ),
    observations: [],
    weight,
    names: [],
    source: '',
    ...symbols
  }
}

export function variant(passes: Pass[], cells: Cell[] = [], more: Partial<Variant> = {}): Variant {
  return {
    passes,
    cells,
    scratch: 0,
    layerState: [],
    observations: [],
    bytesPerWeight: 0,
    bytesCompulsory: 0,
    provedLeast: true,
    ...more
  }
}

export function plan(program: Program, scalars: [string, Node][], variants: Variant[], more: Partial<Plan> = {}): Plan {
  return {
    program,
    abilities: ANY,
    scalars: scalars.map(([name, node]) => ({ name, node })),
    conditions: [],
    variants,
    barriers: [] as Barrier[],
    modelCells: [],
    modelState: [],
    hostState: [],
    bytesPerWeight: 0,
    bytesCompulsory: 0,
    provedLeast: true,
    ...more
  }
}

const W = { kind: 'weight' } as const
const G = { kind: 'gradient' } as const
const M = { kind: 'slot', name: 'm' } as const
const V = { kind: 'slot', name: 'v' } as const

/** LAMB of one layer with a trust ratio: two passes and a cell. */
export function lambPlan(): Plan {
  const g = new Graph()
  const [w, grad] = [g.weight(), g.gradient()]
  const [m, v] = ['m', 'v'].map((s) => g.slot(s, { level: 'element', place: 'device' })) as [Node, Node]
  const names = ['lr', 'beta1', 'rest1', 'beta2', 'rest2', 'correct1', 'correct2', 'epsilon', 'decay'] as const
  const h = Object.fromEntries(names.map((n) => [n, g.hyper(n, 'number')])) as Record<(typeof names)[number], Node>
  const m1 = g.binary('add', g.binary('mul', h.beta1, m), g.binary('mul', h.rest1, grad))
  const v1 = g.binary('add', g.binary('mul', h.beta2, v), g.binary('mul', h.rest2, g.binary('mul', grad, grad)))
  const hat = (x: Node, c: Node): Node => g.binary('mul', x, c)
  const u = g.binary(
    'add',
    g.binary('div', hat(m1, h.correct1), g.binary('add', g.unary('sqrt', hat(v1, h.correct2)), h.epsilon)),
    g.binary('mul', h.decay, w)
  )
  const ww = g.reduce('sum', 'layer', g.binary('mul', w, w))
  const uu = g.reduce('sum', 'layer', g.binary('mul', u, u))
  const zero = g.const(0)
  const both = g.binary('and', g.binary('gt', g.unary('sqrt', ww), zero), g.binary('gt', g.unary('sqrt', uu), zero))
  const ratio = g.select(both, g.binary('div', g.unary('sqrt', ww), g.unary('sqrt', uu)), g.const(1))
  const rate = g.binary('mul', h.lr, ratio)
  const next = g.binary('sub', w, g.binary('mul', rate, u))
  return plan(
    program(g, 'LAMB', next, { m: m1, v: v1 }),
    names.map((n) => [n, h[n]]),
    [
      variant(
        [
          {
            segment: 0,
            loads: [W, G, M, V],
            reads: [
              { node: w, from: W },
              { node: grad, from: G },
              { node: m, from: M },
              { node: v, from: V }
            ],
            stores: [
              { to: M, value: m1 },
              { to: V, value: v1 }
            ],
            reductions: [ww, uu].map((node) => ({
              node: node as Pass['reductions'][number]['node'],
              value: node.args[0]!
            })),
            finish: [0, 1]
          },
          {
            segment: 0,
            loads: [W, M, V],
            reads: [
              { node: w, from: W },
              { node: m1, from: M },
              { node: v1, from: V }
            ],
            stores: [{ to: W, value: next }],
            reductions: [],
            finish: []
          }
        ],
        [
          { node: ratio, name: 'ratio' },
          { node: rate, name: 'rate' }
        ],
        { observations: [{ name: 'trustRatio', value: ratio }] }
      )
    ]
  )
}

/** Adam: one pass, nothing reduced. */
export function adamPlan(): Plan {
  const g = new Graph()
  const [w, grad] = [g.weight(), g.gradient()]
  const [m, v] = ['m', 'v'].map((s) => g.slot(s, { level: 'element', place: 'device' })) as [Node, Node]
  const names = ['beta1', 'rest1', 'beta2', 'rest2', 'rate', 'correct2', 'epsilon'] as const
  const h = Object.fromEntries(names.map((n) => [n, g.hyper(n, 'number')])) as Record<(typeof names)[number], Node>
  const m1 = g.binary('add', g.binary('mul', h.beta1, m), g.binary('mul', h.rest1, grad))
  const v1 = g.binary('add', g.binary('mul', h.beta2, v), g.binary('mul', h.rest2, g.binary('mul', grad, grad)))
  const root = g.binary('add', g.unary('sqrt', g.binary('mul', v1, h.correct2)), h.epsilon)
  const next = g.binary('sub', w, g.binary('div', g.binary('mul', h.rate, m1), root))
  return plan(
    program(g, 'Adam', next, { m: m1, v: v1 }),
    names.map((n) => [n, h[n]]),
    [
      variant([
        {
          segment: 0,
          loads: [W, G, M, V],
          reads: [
            { node: w, from: W },
            { node: grad, from: G },
            { node: m, from: M },
            { node: v, from: V }
          ],
          stores: [
            { to: W, value: next },
            { to: M, value: m1 },
            { to: V, value: v1 }
          ],
          reductions: [],
          finish: []
        }
      ])
    ]
  )
}

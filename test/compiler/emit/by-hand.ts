/** Programs and plans written by hand, so that an emitter's tests do not hang on the rooms above it. */
import { Graph } from '../../../src/compiler/check/graph.js'
import type { Hyper, Node, Program } from '../../../src/compiler/check/program.js'
import { IDEAL, type Plan, type ReduceNode } from '../../../src/compiler/plan/plan.js'

const SPAN = { start: 0, end: 0 }

export function hyper(name: string, init: number | boolean, symbol = name): Hyper {
  const kind = typeof init === 'boolean' ? 'bool' : 'number'
  return { name, symbol, kind, init, range: null, doc: '', groupable: true }
}

export function program(part: Partial<Program> & Pick<Program, 'weight'>): Program {
  return {
    name: 'Sample',
    doc: '',
    symbols: { weight: 'w', gradient: 'g', step: 't' },
    hypers: [],
    masks: [],
    seeded: false,
    slots: [],
    observations: [],
    names: [],
    source: '',
    ...part
  }
}

export function plan(part: Partial<Plan> & Pick<Plan, 'program' | 'variants'>): Plan {
  return {
    abilities: IDEAL,
    scalars: [],
    conditions: [],
    barriers: [],
    modelCells: [],
    modelState: [],
    hostState: [],
    bytesPerWeight: 12,
    bytesCompulsory: 12,
    provedLeast: true,
    ...part
  }
}

/** LAMB in its two variants, as the planner should make it. */
export function lamb(): Plan {
  const g = new Graph()
  const one = g.const(1)
  const zero = g.const(0)
  const [lr, b1, b2, eps, wd] = ['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay'].map((n) =>
    g.hyper(n, 'number')
  ) as [Node, Node, Node, Node, Node]
  const t = g.step()
  const adapt = g.mask('adapt')
  const w = g.weight()
  const grad = g.gradient()
  const device = { level: 'element', place: 'device' } as const
  const [m0, v0] = [g.slot('m', device), g.slot('v', device)]
  const r1 = g.binary('sub', one, b1)
  const r2 = g.binary('sub', one, b2)
  const m = g.binary('add', g.binary('mul', b1, m0), g.binary('mul', r1, grad))
  const v = g.binary('add', g.binary('mul', b2, v0), g.binary('mul', r2, g.binary('mul', grad, grad)))
  const c1 = g.binary('sub', one, g.binary('pow', b1, t))
  const c2 = g.binary('sub', one, g.binary('pow', b2, t))
  const u0 = g.binary('div', g.binary('div', m, c1), g.binary('add', g.unary('sqrt', g.binary('div', v, c2)), eps))
  const u = g.binary('add', u0, g.binary('mul', wd, w))
  const ww = g.reduce('sum', 'layer', g.binary('mul', w, w))
  const uu = g.reduce('sum', 'layer', g.binary('mul', u, u))
  const [nw, nu] = [g.unary('sqrt', ww), g.unary('sqrt', uu)]
  const some = g.binary('and', g.binary('gt', nw, zero), g.binary('gt', nu, zero))
  const ratio = g.select(some, g.binary('div', nw, nu), one)
  const next = g.binary('sub', w, g.binary('mul', g.binary('mul', lr, ratio), u))
  const plainNext = g.binary('sub', w, g.binary('mul', lr, u0))
  const whole = g.select(adapt, next, plainNext)
  const names = [
    { name: 'm', node: m, span: SPAN },
    { name: 'v', node: v, span: SPAN },
    { name: 'u', node: u, span: SPAN },
    { name: 'ratio', node: ratio, span: SPAN }
  ]
  const slot = (name: string, value: Node) =>
    ({ name, over: 'element', place: 'device', init: zero, next: value, doc: '' }) as const
  const lambProgram = program({
    name: 'LAMB',
    doc: 'LAMB: layer-wise adaptive moments.',
    hypers: [
      {
        ...hyper('learningRate', 0.001, 'lr'),
        range: { kind: 'interval', low: 0, lowOpen: true, high: Infinity, highOpen: true }
      },
      hyper('beta1', 0.9, 'β1'),
      hyper('beta2', 0.999, 'β2'),
      hyper('epsilon', 1e-6, 'ε'),
      hyper('weightDecay', 0.01, 'λ')
    ],
    masks: [{ name: 'adapt', predicate: g.binary('gt', g.fact('rank'), one), doc: 'Layers that get the trust ratio.' }],
    slots: [slot('m', m), slot('v', v)],
    observations: [{ name: 'trustRatio', value: ratio }],
    weight: whole,
    names
  })
  const weight = { kind: 'weight' } as const
  const gradient = { kind: 'gradient' } as const
  const inM = { kind: 'slot', name: 'm' } as const
  const inV = { kind: 'slot', name: 'v' } as const
  const first = {
    domain: 'element',
    segment: 0,
    loads: [weight, gradient, inM, inV],
    reads: [
      { node: w, from: weight },
      { node: grad, from: gradient },
      { node: m0, from: inM },
      { node: v0, from: inV }
    ],
    stores: [
      { to: inM, value: m },
      { to: inV, value: v }
    ]
  } as const
  const figures = { scratch: 0, vectors: [], shares: [], layerState: [], bytesCompulsory: 28, provedLeast: true }
  return plan({
    program: lambProgram,
    scalars: [lr, b1, r1, b2, r2, c1, c2, eps, wd].map((node, i) => ({ node, name: `h${i}` })),
    conditions: [adapt],
    variants: [
      {
        ...figures,
        passes: [{ ...first, stores: [{ to: weight, value: plainNext }, ...first.stores], reductions: [], finish: [] }],
        cells: [],
        observations: [{ name: 'trustRatio', value: one }],
        bytesPerWeight: 28
      },
      {
        ...figures,
        passes: [
          {
            ...first,
            reductions: [
              { node: ww as ReduceNode, value: ww.args[0]! },
              { node: uu as ReduceNode, value: uu.args[0]! }
            ],
            finish: [0]
          },
          {
            domain: 'element',
            segment: 0,
            loads: [weight, inM, inV],
            reads: [
              { node: w, from: weight },
              { node: m, from: inM },
              { node: v, from: inV }
            ],
            stores: [{ to: weight, value: next }],
            reductions: [],
            finish: []
          }
        ],
        cells: [{ node: ratio, name: 'ratio' }],
        observations: [{ name: 'trustRatio', value: ratio }],
        bytesPerWeight: 40
      }
    ],
    bytesPerWeight: 40,
    bytesCompulsory: 28
  })
}

/** Programs by hand: the six of `optimizers/`, as the checker would give them, and a way to write others shortly. */
import { Graph } from '../../../../src/compiler/check/graph.js'
import type { Binary, Hyper, Mask, Node, Program, Slot } from '../../../../src/compiler/check/program.js'

export class Sketch {
  readonly graph = new Graph()
  readonly w = this.graph.weight()
  readonly g = this.graph.gradient()
  readonly t = this.graph.step()
  readonly hypers: Hyper[] = []
  readonly masks: Mask[] = []
  readonly slots: Slot[] = []
  readonly names: { name: string; node: Node; span: { start: number; end: number } }[] = []
  readonly observations: { name: string; value: Node }[] = []

  num(x: Node | number): Node {
    return typeof x === 'number' ? this.graph.const(x) : x
  }
  op(op: Binary, x: Node | number, y: Node | number): Node {
    return this.graph.binary(op, this.num(x), this.num(y))
  }
  add(x: Node | number, y: Node | number): Node {
    return this.op('add', x, y)
  }
  sub(x: Node | number, y: Node | number): Node {
    return this.op('sub', x, y)
  }
  mul(x: Node | number, y: Node | number): Node {
    return this.op('mul', x, y)
  }
  div(x: Node | number, y: Node | number): Node {
    return this.op('div', x, y)
  }
  sqrt(x: Node): Node {
    return this.graph.unary('sqrt', x)
  }
  norm(x: Node, over: 'layer' | 'model' = 'layer'): Node {
    return this.sqrt(this.graph.reduce('sum', over, this.mul(x, x)))
  }
  if(condition: Node, x: Node | number, y: Node | number): Node {
    return this.graph.select(condition, this.num(x), this.num(y))
  }
  all(...conditions: Node[]): Node {
    return conditions.reduce((x, y) => this.graph.binary('and', x, y))
  }
  hyper(name: string, symbol: string, init: number | boolean): Node {
    const kind = typeof init === 'boolean' ? 'bool' : 'number'
    this.hypers.push({ name, symbol, kind, init, range: null, doc: '', groupable: true })
    return this.graph.hyper(name, kind)
  }
  mask(name: string): Node {
    this.masks.push({ name, predicate: this.op('gt', this.graph.fact('rank'), 1), doc: '' })
    return this.graph.mask(name)
  }
  named(name: string, node: Node): Node {
    this.names.push({ name, node, span: { start: 0, end: 0 } })
    return node
  }
  observe(name: string, value: Node): void {
    this.observations.push({ name, value })
  }
  slot(name: string, over: 'element' | 'layer' | 'model' = 'element', place: 'host' | 'device' = 'device'): Node {
    const leaf = this.graph.slot(name, { level: over, place })
    this.slots.push({ name, over, place, init: this.graph.const(0), next: leaf, doc: '' })
    return leaf
  }
  update(name: string, next: Node | number): Node {
    const i = this.slots.findIndex((s) => s.name === name)
    this.slots[i] = { ...this.slots[i]!, next: this.num(next) }
    return this.named(name, this.num(next))
  }
  program(name: string, weight: Node): Program {
    this.named('w', weight)
    const { hypers, masks, slots, observations, names } = this
    const symbols = { weight: 'w', gradient: 'g', step: 't' }
    return { name, doc: '', symbols, hypers, masks, slots, observations, weight, names, source: '' }
  }
}

function moments(s: Sketch, g: Node) {
  const [β1, β2] = [s.hyper('beta1', 'β1', 0.9), s.hyper('beta2', 'β2', 0.999)]
  const [m0, v0] = [s.slot('m'), s.slot('v')]
  const m = s.update('m', s.add(s.mul(β1, m0), s.mul(s.sub(1, β1), g)))
  const v = s.update('v', s.add(s.mul(β2, v0), s.mul(s.sub(1, β2), s.op('pow', g, 2))))
  const m̂ = s.named('m̂', s.div(m, s.sub(1, s.op('pow', β1, s.t))))
  const v̂ = s.named('v̂', s.div(v, s.sub(1, s.op('pow', β2, s.t))))
  return { m̂, v̂ }
}

export function sgd(): Program {
  const s = new Sketch()
  return s.program('SGD', s.sub(s.w, s.mul(s.hyper('learningRate', 'lr', 0.01), s.g)))
}

export function momentum(): Program {
  const s = new Sketch()
  const [lr, μ] = [s.hyper('learningRate', 'lr', 0.01), s.hyper('momentum', 'μ', 0.9)]
  const nesterov = s.hyper('nesterov', 'nesterov', false)
  const v = s.update('v', s.add(s.mul(μ, s.slot('v')), s.g))
  return s.program('Momentum', s.sub(s.w, s.mul(lr, s.if(nesterov, s.add(s.g, s.mul(μ, v)), v))))
}

export function adam(): Program {
  const s = new Sketch()
  const [lr, ε] = [s.hyper('learningRate', 'lr', 0.001), s.hyper('epsilon', 'ε', 1e-7)]
  const { m̂, v̂ } = moments(s, s.g)
  return s.program('Adam', s.sub(s.w, s.div(s.mul(lr, m̂), s.add(s.sqrt(v̂), ε))))
}

export function lars(): Program {
  const s = new Sketch()
  const [lr, μ] = [s.hyper('learningRate', 'lr', 0.1), s.hyper('momentum', 'μ', 0.9)]
  const [λ, η] = [s.hyper('weightDecay', 'λ', 1e-4), s.hyper('trustCoefficient', 'η', 0.001)]
  const ε = s.hyper('epsilon', 'ε', 1e-9)
  const adapt = s.mask('adapt')
  const decay = s.named('decay', s.if(adapt, λ, 0))
  const [ww, gg] = [s.norm(s.w), s.norm(s.g)]
  const scaled = s.named('scaled', s.all(adapt, s.op('gt', ww, 0), s.op('gt', gg, 0)))
  const bottom = s.add(s.add(gg, s.mul(decay, ww)), ε)
  const rate = s.named('rate', s.if(scaled, s.div(s.mul(η, ww), bottom), 1))
  s.observe('localRate', rate)
  const step = s.mul(s.mul(lr, rate), s.add(s.g, s.mul(decay, s.w)))
  const v = s.update('v', s.add(s.mul(μ, s.slot('v')), step))
  return s.program('LARS', s.sub(s.w, v))
}

export function lamb(): Program {
  const s = new Sketch()
  const [lr, ε] = [s.hyper('learningRate', 'lr', 0.001), s.hyper('epsilon', 'ε', 1e-6)]
  const λ = s.hyper('weightDecay', 'λ', 0.01)
  const adapt = s.mask('adapt')
  const { m̂, v̂ } = moments(s, s.g)
  const u = s.named('u', s.add(s.div(m̂, s.add(s.sqrt(v̂), ε)), s.if(adapt, s.mul(λ, s.w), 0)))
  const [ww, uu] = [s.norm(s.w), s.norm(u)]
  const scaled = s.all(adapt, s.op('gt', ww, 0), s.op('gt', uu, 0))
  const ratio = s.named('ratio', s.if(scaled, s.div(ww, uu), 1))
  s.observe('trustRatio', ratio)
  return s.program('LAMB', s.sub(s.w, s.mul(s.mul(lr, ratio), u)))
}

export function clippedAdamW(): Program {
  const s = new Sketch()
  const [lr, ε] = [s.hyper('learningRate', 'lr', 0.001), s.hyper('epsilon', 'ε', 1e-8)]
  const [λ, most] = [s.hyper('weightDecay', 'λ', 0.01), s.hyper('maxNorm', 'maxNorm', 1)]
  const decayed = s.mask('decayed')
  const n = s.named('n', s.norm(s.g, 'model'))
  const g = s.mul(s.g, s.if(s.op('gt', n, most), s.div(most, n), 1))
  const { m̂, v̂ } = moments(s, g)
  const w = s.named('decayedW', s.if(decayed, s.mul(s.sub(1, s.mul(lr, λ)), s.w), s.w))
  return s.program('ClippedAdamW', s.sub(w, s.div(s.mul(lr, m̂), s.add(s.sqrt(v̂), ε))))
}

export const SIX = { sgd, momentum, adam, lars, lamb, clippedAdamW }

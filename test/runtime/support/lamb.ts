/**
 * A file as the compiler prints it, written by hand: the class of LAMB, its types and a schedule. Only its target is
 * other than in a generated file: `plain` stands for `cpu`, `webgpu` and `ops`.
 */
import {
  CompiledOptimizer,
  type CompiledProgram,
  type LayerInfo,
  type LayerMatch,
  type Schedule,
  schedule,
  type Target
} from '../../../src/runtime/index.js'
import { plain } from './plain.js'

export type { LayerInfo, LayerMatch, Schedule }

/** Arguments of `warmupPolynomial`. */
export interface WarmupPolynomialArguments {
  peak?: number
  warmup?: number
  total?: number
  power?: number
}

/** Linear warmup to `peak`, then polynomial decay to zero at `total` steps. */
export const warmupPolynomial: (args?: WarmupPolynomialArguments) => Schedule = schedule<
  Required<WarmupPolynomialArguments>
>('warmupPolynomial', { peak: 0.001, warmup: 1000, total: 10000, power: 1 }, (t, { peak, warmup, total, power }) =>
  t <= warmup ? (peak * t) / warmup : peak * Math.max(0, 1 - (t - warmup) / (total - warmup)) ** power
)

/** What may be set for some layers only. */
export interface LAMBGroup {
  /** The layers: all, by name, or by their shape. The first group that matches a layer wins whole. */
  match: LayerMatch
  learningRate?: number | Schedule
  beta1?: number | Schedule
  beta2?: number | Schedule
  epsilon?: number | Schedule
  weightDecay?: number | Schedule
  adapt?: LayerMatch
}

export interface LAMBOptions {
  /** A number in (0, inf), or a function of the step. Default 0.001. */
  learningRate?: number | Schedule
  beta1?: number | Schedule
  beta2?: number | Schedule
  epsilon?: number | Schedule
  weightDecay?: number | Schedule
  /** Layers that get the trust ratio and weight decay; biases and normalization scales do not. Default `rank > 1`. */
  adapt?: LayerMatch
  groups?: readonly LAMBGroup[]
  /** Default true. False writes each step into fresh arrays. */
  inPlace?: boolean
}

export interface LAMBObservations {
  trustRatio: number
}

export const programLAMB: CompiledProgram = {
  format: 1,
  name: 'LAMB',
  hypers: [
    {
      name: 'learningRate',
      init: 0.001,
      range: { low: 0, lowOpen: true, high: Infinity, highOpen: true },
      groupable: true
    },
    { name: 'beta1', init: 0.9, range: { low: 0, lowOpen: false, high: 1, highOpen: true }, groupable: true },
    { name: 'beta2', init: 0.999, range: { low: 0, lowOpen: false, high: 1, highOpen: true }, groupable: true },
    { name: 'epsilon', init: 1e-6, range: { low: 0, lowOpen: true, high: Infinity, highOpen: true }, groupable: true },
    {
      name: 'weightDecay',
      init: 0.01,
      range: { low: 0, lowOpen: false, high: Infinity, highOpen: true },
      groupable: true
    }
  ],
  masks: [{ name: 'adapt', predicate: (layer) => layer.rank > 1 }],
  slots: [
    { name: 'm', over: 'element', place: 'device' },
    { name: 'v', over: 'element', place: 'device' }
  ],
  observations: [{ name: 'trustRatio', scalar: -1 }],
  readsAge: false,
  sharesScalars: true,
  scalars: 9,
  host(h, out) {
    const [lr, beta1, beta2, epsilon, decay] = h.hypers as unknown as [number, number, number, number, number]
    out[0] = lr
    out[1] = beta1
    out[2] = 1 - beta1
    out[3] = beta2
    out[4] = 1 - beta2
    out[5] = 1 / (1 - beta1 ** h.t)
    out[6] = 1 / (1 - beta2 ** h.t)
    out[7] = epsilon
    out[8] = decay
    return h.masks[0] ? 1 : 0
  },
  initScalar: {},
  init: { m: () => 0, v: () => 0 },
  plan: { bytesPerWeight: 40, bytesCompulsory: 28, provedLeast: true, passes: 2 }
}

const targetsLAMB: readonly Target[] = [
  plain('*', (layer) => {
    const { w, g, slots, variant } = layer
    const [lr, beta1, rest1, beta2, rest2, correct1, correct2, epsilon, decay] =
      layer.scalars as unknown as number[] & {
        length: 9
      }
    const [m, v] = slots as [Float32Array, Float32Array]
    const u = new Float32Array(w.length)
    let ww = 0
    let uu = 0
    for (let i = 0; i < w.length; i++) {
      m[i] = beta1! * m[i]! + rest1! * g[i]!
      v[i] = beta2! * v[i]! + rest2! * g[i]! * g[i]!
      u[i] = (m[i]! * correct1!) / (Math.sqrt(v[i]! * correct2!) + epsilon!) + (variant === 1 ? decay! * w[i]! : 0)
      ww += w[i]! * w[i]!
      uu += u[i]! * u[i]!
    }
    const ratio = variant === 1 && ww > 0 && uu > 0 ? Math.sqrt(ww) / Math.sqrt(uu) : 1
    for (let i = 0; i < w.length; i++) w[i] = w[i]! - lr! * ratio * u[i]!
    return [ratio]
  })
]

/**
 * LAMB: layer-wise adaptive moments for large-batch training.
 * @see arXiv:1904.00962, Algorithm 2
 */
export class LAMB extends CompiledOptimizer<LAMBGroup, LAMBObservations> {
  /** @nocollapse */
  static readonly className: string = 'OptcLAMB'

  constructor(options: LAMBOptions = {}) {
    super(programLAMB, targetsLAMB, options)
  }

  get learningRate(): number {
    return this.hyper_(0) as number
  }
  set learningRate(value: number | Schedule) {
    this.setHyper_(0, value)
  }

  get beta1(): number {
    return this.hyper_(1) as number
  }
  set beta1(value: number | Schedule) {
    this.setHyper_(1, value)
  }

  get beta2(): number {
    return this.hyper_(2) as number
  }
  set beta2(value: number | Schedule) {
    this.setHyper_(2, value)
  }

  get epsilon(): number {
    return this.hyper_(3) as number
  }
  set epsilon(value: number | Schedule) {
    this.setHyper_(3, value)
  }

  get weightDecay(): number {
    return this.hyper_(4) as number
  }
  set weightDecay(value: number | Schedule) {
    this.setHyper_(4, value)
  }

  get adapt(): LayerMatch {
    return this.mask_(0)
  }
  set adapt(value: LayerMatch) {
    this.setMask_(0, value)
  }
}

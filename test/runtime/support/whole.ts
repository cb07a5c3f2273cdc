/** An optimizer with one of everything that the class has to look after: each kind of state, hyperparameter and observation. */
import {
  CompiledOptimizer,
  type CompiledProgram,
  type LayerMatch,
  type Schedule,
  type Target
} from '../../../src/runtime/index.js'
import { plain } from './plain.js'

export interface WholeGroup {
  match: LayerMatch
  rate?: number | Schedule
  nesterov?: boolean | Schedule<boolean>
  decayed?: LayerMatch
}

export interface WholeOptions {
  rate?: number | Schedule
  mode?: number | Schedule
  bias?: number | Schedule
  cap?: number | Schedule
  nesterov?: boolean | Schedule<boolean>
  decayed?: LayerMatch
  groups?: readonly WholeGroup[]
  inPlace?: boolean
}

export interface WholeObservations {
  power: number
  sum: number
}

export const wholeProgram: CompiledProgram = {
  format: 1,
  name: 'Whole',
  hypers: [
    { name: 'rate', init: 0.1, range: { low: 0, lowOpen: true, high: Infinity, highOpen: false }, groupable: true },
    { name: 'mode', init: 2, range: { values: [1, 2, 4] }, groupable: true },
    { name: 'bias', init: 0, range: null, groupable: true },
    { name: 'cap', init: 1, range: { low: 0, lowOpen: false, high: 10, highOpen: true }, groupable: false },
    { name: 'nesterov', init: false, range: null, groupable: true }
  ],
  masks: [{ name: 'decayed', predicate: (layer) => layer.rank > 1 }],
  slots: [
    { name: 'm', over: 'element', place: 'device' },
    { name: 'z', over: 'element', place: 'device' },
    { name: 'norm', over: 'layer', place: 'device' },
    { name: 'power', over: 'layer', place: 'host' },
    { name: 'product', over: 'model', place: 'host' },
    { name: 'total', over: 'model', place: 'device' }
  ],
  observations: [
    { name: 'power', scalar: 1 },
    { name: 'sum', scalar: -1 }
  ],
  readsAge: true,
  scalars: 6,
  host(h, out) {
    out[0] = h.hypers[0]! * (h.hypers[4] ? 2 : 1)
    out[1] = h.layerState[0]!
    out[2] = h.modelState[0]!
    out[3] = h.age
    out[4] = h.t
    out[5] = h.modelSize / h.modelLayers + h.size / h.rank
    return h.masks[0] ? 1 : 0
  },
  advanceLayer(h) {
    h.layerState[0] = h.layerState[0]! * 0.7 + h.hypers[0]!
  },
  advanceModel(h) {
    h.modelState[0] = h.modelState[0]! * (1 - 0.1 / h.t)
  },
  initScalar: { norm: () => 0.5, power: (h) => 1 / 3 + h.rank, product: () => 1, total: (h) => h.hypers[3]! },
  init: { m: () => 0, z: (_, weight) => weight },
  plan: { bytesPerWeight: 28, bytesCompulsory: 28, provedLeast: true, passes: 1 }
}

export const wholeFormula = plain('*', ({ w, g, slots, cells, modelCells, scalars, variant }) => {
  const [m, z] = slots as [Float32Array, Float32Array]
  let sum = 0
  for (let i = 0; i < w.length; i++) {
    m[i] = 0.9 * m[i]! + g[i]! + (variant === 1 ? 0.01 * w[i]! : 0)
    z[i] = 0.99 * z[i]!
    w[i] = w[i]! - scalars[0]! * m[i]! * scalars[1]! * scalars[2]! * cells[0]! * (1 + 1 / scalars[3]!) + 1e-3 * z[i]!
    sum += Math.abs(m[i]!)
  }
  cells[0] = 0.9 * cells[0]! + 0.1 / (1 + sum)
  modelCells[0] = modelCells[0]! + sum
  return [sum]
})

export class Whole extends CompiledOptimizer<WholeGroup, WholeObservations> {
  static readonly className: string = 'OptcWhole'

  constructor(options: WholeOptions = {}, targets: readonly Target[] = [wholeFormula]) {
    super(wholeProgram, targets, options)
  }

  get rate(): number {
    return this.hyper_(0) as number
  }
  set rate(value: number | Schedule) {
    this.setHyper_(0, value)
  }
  get bias(): number {
    return this.hyper_(2) as number
  }
  set bias(value: number | Schedule) {
    this.setHyper_(2, value)
  }
  get nesterov(): boolean {
    return this.hyper_(4) as boolean
  }
  set nesterov(value: boolean | Schedule<boolean>) {
    this.setHyper_(4, value)
  }
  get decayed(): LayerMatch {
    return this.mask_(0)
  }
  set decayed(value: LayerMatch) {
    this.setMask_(0, value)
  }
}

/**
 * The driver that works anywhere: each pass as plain TensorFlow.js operations, each step into fresh arrays. Elements are
 * seen flat, whatever the rank; values of a layer or of the model are scalar tensors, never read back.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type Matrices, matricesOf, type Vector, viewOf } from './matrices.js'
import { noise } from './noise.js'
import type { Driver, Layer, Step, StepLayer, Target } from './program.js'
import { type TensorSlot, tensorSlots } from './state.js'

type Tensor = tf.Tensor

/** What generated operations make: a tensor, or a host value that stands for one. */
export type OpsValue = Tensor | number | boolean

/** What operations between layers read. */
export interface OpsModel {
  /** Host scalars. */
  readonly h: Float64Array
  /** `over model` state as the step found it, then reductions and cells of the model as barriers make them. */
  readonly model: readonly Tensor[]
}

/** What a layer's operations read. */
export interface OpsLayer extends OpsModel {
  /** `over layer` state as the step found it, then reductions and cells of the layer as passes make them. */
  readonly cells: readonly Tensor[]
  /** Values of rows, columns or channels, as passes make them. */
  readonly vectors: readonly Tensor[]
  /** Over the layer, or one for each row, column or channel. */
  sum(x: OpsValue, over?: Vector): Tensor
  max(x: OpsValue, over?: Vector): Tensor
  min(x: OpsValue, over?: Vector): Tensor
  /** A random number for each element. */
  noise(low0: number, high0: number, low1: number, high1: number, site: number): Tensor
}

export interface OpsPass {
  readonly segment: number
  /** Buffers: 0 the weight, 1 the gradient, then slots, then scratch. */
  readonly loads: readonly number[]
  readonly stores: readonly number[]
  /** How many vectors it makes. */
  readonly vectors?: number
  /** Gives what to store, then the new vectors, then the new cells. */
  readonly run: (s: OpsLayer, ...loads: Tensor[]) => OpsValue[]
}

export interface OpsVariant {
  readonly passes: readonly OpsPass[]
  /** What the layer adds to the reductions of each barrier. */
  readonly shares: readonly ((s: OpsLayer) => OpsValue[])[]
  /** `over layer` state after the step. */
  readonly state?: (s: OpsLayer) => OpsValue[]
  readonly observed?: (s: OpsLayer) => OpsValue[]
}

export interface OpsBarrier {
  readonly reduces: readonly Reduce[]
  /** The model cells that this barrier completes. */
  readonly finish?: (s: OpsModel) => OpsValue[]
}

export interface OpsKernels {
  readonly variants: readonly OpsVariant[]
  /** Whether there are rows, columns or channels: then elements are seen as matrices, else flat. */
  readonly axes?: true
  readonly barriers: readonly OpsBarrier[]
  /** `over model` state after the step. */
  readonly state?: (s: OpsModel) => OpsValue[]
}

type Reduce = 'sum' | 'max' | 'min'

/** One layer on its way through a step. */
interface Run {
  readonly layer: Layer
  readonly variant: OpsVariant
  readonly scope: OpsLayer & { readonly cells: Tensor[]; readonly vectors: Tensor[] }
  /** The shape in which elements are seen. */
  readonly view: readonly number[]
  /** In that shape, or that of its rows, columns or channels; by the indices of `OpsPass`. */
  readonly buffers: Tensor[]
}

export function ops(kernels: OpsKernels): Target {
  return { backend: '*', open: (program) => openOps(kernels, kernels.axes ? tensorSlots(program.slots) : []) }
}

function openOps(kernels: OpsKernels, slots: readonly TensorSlot[]): Driver {
  /** Of the last step: its layers, and a row of observations each. */
  let observedLayers: Layer[] = []
  let observed: Tensor | null = null

  function step(step: Step): void {
    const model = step.model.cells ? tf.unstack(step.model.cells) : []
    const runs = step.layers.map((layer) => begin(layer, kernels, slots, model))
    for (let segment = 0; segment <= kernels.barriers.length; segment++) {
      for (const run of runs) {
        for (const pass of run.variant.passes) if (pass.segment === segment) sweep(run, pass)
      }
      const barrier = kernels.barriers[segment]
      if (!barrier) continue
      const shares = runs.map(({ variant, scope }) => variant.shares[segment]!(scope).map(scalar))
      for (const [i, op] of barrier.reduces.entries()) {
        model.push(reduce(op, tf.stack(shares.map((share) => share[i]!)) as tf.Tensor1D))
      }
      if (barrier.finish) model.push(...barrier.finish({ h: step.scalars, model }).map(scalar))
    }

    for (const { layer, variant, scope } of runs) {
      if (variant.state) layer.cells = replace(layer.cells, variant.state(scope))
    }
    observedLayers = runs.map((run) => run.layer)
    observed = replace(
      observed,
      runs.flatMap(({ variant, scope }) => variant.observed?.(scope) ?? [])
    )
    if (kernels.state) step.model.cells = replace(step.model.cells, kernels.state({ h: step.scalars, model }))
  }

  return {
    kernel: 'ops',
    step(s) {
      tf.tidy(() => step(s))
    },
    async observations() {
      if (!observed) return new Map()
      const layers = observedLayers
      // A step may replace the tensor while it is read.
      const mine = tf.keep(tf.clone(observed))
      try {
        const values = await mine.data()
        const count = values.length / layers.length
        return new Map(layers.map((layer, i) => [layer, values.slice(i * count, (i + 1) * count)]))
      } finally {
        mine.dispose()
      }
    },
    dispose() {
      observed?.dispose()
      observed = null
    }
  }
}

function begin(
  { layer, gradient, variant, scalars }: StepLayer,
  kernels: OpsKernels,
  slots: readonly TensorSlot[],
  model: readonly Tensor[]
): Run {
  const matrices = matricesOf(layer.info.shape)
  const view = kernels.axes ? matrices : [layer.info.size]
  const over = (op: Reduce) => (x: OpsValue, each?: Vector) =>
    each ? reduceEach(op, scalar(x), matrices, each) : reduce(op, flat(spread(x, view)))
  const shapes = [view, view, ...slots.map((slot) => viewOf(matrices, slot.over))]
  return {
    layer,
    variant: kernels.variants[variant]!,
    scope: {
      h: scalars,
      model,
      cells: layer.cells ? tf.unstack(layer.cells) : [],
      vectors: [],
      sum: over('sum'),
      max: over('max'),
      min: over('min'),
      noise(low0, high0, low1, high1, site) {
        const { size } = layer.info
        const values = Float32Array.from({ length: size }, (_, i) => noise(low0, high0, low1, high1, i, site))
        return tf.tensor(values, [...view])
      }
    },
    view,
    buffers: [layer.variable, gradient, ...layer.slots].map((x, i) => tf.reshape(x, [...(shapes[i] ?? view)]))
  }
}

/** One pass over one layer. What it stores is committed at once, so that a step holds the temporaries of one layer only. */
function sweep({ layer, scope, view, buffers }: Run, pass: OpsPass): void {
  const made = tf.tidy(() => {
    const loads = pass.loads.map((i) => buffers[i]!)
    const values = pass.run(scope, ...loads)
    const stores: Tensor[] = []
    for (const [i, x] of values.slice(0, pass.stores.length).entries()) {
      const value = spread(x, buffers[pass.stores[i]!]?.shape ?? view, true)
      stores.push(fresh(value, [...loads, ...scope.vectors, ...stores]))
    }
    return [...stores, ...values.slice(pass.stores.length).map(scalar)]
  })
  for (const [i, to] of pass.stores.entries()) {
    const value = made[i]!
    buffers[to]?.dispose()
    buffers[to] = value
    if (to === 0) tf.tidy(() => layer.variable.assign(tf.reshape(value, [...layer.info.shape])))
    else if (to < 2 + layer.slots.length) {
      const old = layer.slots[to - 2]!
      layer.slots[to - 2] = tf.keep(tf.reshape(value, old.shape))
      old.dispose()
    }
  }
  const vectors = pass.stores.length + (pass.vectors ?? 0)
  scope.vectors.push(...made.slice(pass.stores.length, vectors))
  scope.cells.push(...made.slice(vectors))
}

/** One value for each entry of a shape, also where an expression turned out to be the same for several. */
function spread(x: OpsValue, shape: readonly number[], always = false): Tensor {
  const value = scalar(x)
  const is = always ? tf.util.arraysEqual(value.shape, [...shape]) : value.rank === shape.length
  return is ? value : tf.broadcastTo(value, [...shape])
}

function flat(x: Tensor): tf.Tensor1D {
  return tf.reshape(x, [x.size])
}

function scalar(x: OpsValue): Tensor {
  return x instanceof tf.Tensor ? x : tf.scalar(x)
}

/** A load that is stored untouched, or a value stored twice, would share its memory: each tensor must have its own. */
function fresh(x: Tensor, others: readonly Tensor[]): Tensor {
  return others.some((other) => other.dataId === x.dataId) ? tf.mul(x, 1) : x
}

/**
 * The cube root, that TensorFlow.js lacks: by logarithms, then one step of Newton's method, which doubles the correct digits.
 * 0 and ∞ stay as they are.
 */
export function opsCbrt(value: OpsValue): Tensor {
  const x = scalar(value)
  const guess = tf.mul(opsSign(x), tf.exp(tf.div(tf.log(tf.abs(x)), 3)))
  const better = tf.div(tf.add(tf.mul(2, guess), tf.div(x, tf.square(guess))), 3)
  return tf.where(tf.logicalOr(tf.equal(x, 0), tf.equal(tf.abs(x), Infinity)), x, better)
}

/** The sign by comparisons: that of tfjs's wasm backend is 0 for all below 1e-7. What is not a number stays so. */
export function opsSign(value: OpsValue): Tensor {
  const x = scalar(value)
  return tf.where(tf.greater(x, 0), 1, tf.where(tf.less(x, 0), -1, x))
}

function replace(old: Tensor | null, values: readonly OpsValue[]): Tensor | null {
  old?.dispose()
  return values.length === 0 ? null : tf.keep(tf.stack(values.map(scalar)))
}

function reduce(op: Reduce, x: tf.Tensor1D): Tensor {
  if (op === 'sum') return sum(x)
  return op === 'max' ? tf.max(x) : tf.min(x)
}

/**
 * One value for each row, column or channel of a layer: of every value once, where what is reduced does not vary along an
 * axis that the result has.
 */
function reduceEach(op: Reduce, x: Tensor, matrices: Matrices, each: Vector): Tensor {
  const value = x.rank === 3 ? x : tf.broadcastTo(x, [...matrices])
  const [batch, colSize, rowSize] = value.shape as [number, number, number]
  const along = LINES[each](value)
  const length = { row: rowSize, col: colSize, channel: batch * colSize }[each]
  const lines = tf.reshape(along, [value.size / length, length]) as tf.Tensor2D
  const reduced = op === 'sum' ? sumLines(lines) : op === 'max' ? tf.max(lines, 1) : tf.min(lines, 1)
  return spread(tf.reshape(reduced, [...viewOf([batch, colSize, rowSize], each)]), viewOf(matrices, each), true)
}

/** What is reduced to one value, side by side. */
const LINES: Readonly<Record<Vector, (x: Tensor) => Tensor>> = {
  row: (x) => x,
  col: (x) => tf.transpose(x, [0, 2, 1]),
  channel: (x) => tf.transpose(x, [2, 0, 1])
}

/**
 * In a tree, because some backends add one by one and would lose digits as the length grows: at most 31 roundings for
 * the first 32, then 3 for each factor of 4, within the promise of 32 + 2·log₂ n.
 */
function sum(x: tf.Tensor1D): Tensor {
  let block = 32
  let rest = x
  while (rest.size > block) {
    const rows = Math.ceil(rest.size / block)
    const padding = rows * block - rest.size
    const whole = padding > 0 ? tf.pad1d(rest, [0, padding]) : rest
    rest = tf.sum(tf.reshape(whole, [rows, block]), 1)
    block = 4
  }
  return tf.sum(rest)
}

/** The same for each line. */
function sumLines(x: tf.Tensor2D): Tensor {
  let block = 32
  let rest = x
  while (rest.shape[1] > block) {
    const [lines, length] = rest.shape
    const rows = Math.ceil(length / block)
    const whole = tf.pad2d(rest, [
      [0, 0],
      [0, rows * block - length]
    ])
    rest = tf.sum(tf.reshape(whole, [lines, rows, block]), 2)
    block = 4
  }
  return tf.sum(rest, 1)
}

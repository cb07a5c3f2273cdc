/**
 * The tensorflow driver (tfjs-node and tfjs-node-gpu): TensorFlow's operations on few long vectors, without a copy to the
 * host. Small layers that share their scalars lie end to end in one vector; what then makes the size of a cache is a unit,
 * and a larger layer is one by itself, cut into blocks: vectors that outgrow the cache cost ten times as much an element.
 * Where TensorFlow has a training kernel that does the same, it updates a unit in place (`inPlace`).
 *
 * Values of a layer are vectors too, of one number a layer.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Driver, Layer, ModelState, Step, StepLayer, Target } from './program.js'
import { type Attributes, type Backend, findMissing, type Handle, Machine, type TfValue } from './tensorflow-backend.js'

export type { TfValue } from './tensorflow-backend.js'

/** What operations read: of the elements of a block, of the layers of a group, or of the model. */
export interface TfScope {
  /** Host scalars. */
  readonly h: Float64Array
  /** `over layer` state as the step found it, then reductions and cells of the layers as passes make them. */
  readonly cells: readonly TfValue[]
  /** `over model` state as the step found it, then reductions and cells of the model as barriers make them. */
  readonly model: readonly TfValue[]
  /** One of TensorFlow's operations. */
  op(name: string, ...args: TfValue[]): Handle
  cbrt(x: TfValue): Handle
}

/** Operations on the elements of a block. Buffers: 0 the weight, 1 the gradient, then slots, then scratch. */
export interface TfSweep {
  readonly loads: readonly number[]
  readonly stores: readonly number[]
  /** Gives what to store, then the operands of the pass's reductions. */
  readonly run: (s: TfScope, ...loads: Handle[]) => TfValue[]
}

/** What a training kernel reads and writes. */
export interface TfKernels {
  /** Element by element, a buffer as it is now. */
  at(buffer: number): Handle
  op(name: string, ...args: TfValue[]): Handle
  /** Runs a training kernel on these buffers; −1 is one that nobody reads. */
  apply(name: string, buffers: readonly number[], args: readonly TfValue[], attributes?: Attributes): void
}

/** A pass that TensorFlow's training kernels do, or begin. */
export interface TfInPlace {
  /** What the kernels take, in float64. Must be normal numbers, or 0. */
  readonly scalars: (s: { readonly h: Float64Array }) => number[]
  /** Pairs of scalars, β and 1 − β: the kernel forms the second in float32, so it must find it exactly. */
  readonly decays?: readonly (readonly [number, number])[]
  readonly run: (k: TfKernels, c: readonly number[]) => void
  /** What they leave. */
  readonly rest?: TfSweep
}

export interface TfPass {
  readonly segment: number
  readonly reduces?: readonly Reduce[]
  /** The first whose scalars fit, if any does. */
  readonly inPlace?: readonly TfInPlace[]
  readonly sweep: TfSweep
  /** Cells that the pass completes. */
  readonly finish?: (s: TfScope) => TfValue[]
}

export interface TfVariant {
  readonly passes: readonly TfPass[]
  /** What the layers add to the reductions of each barrier. */
  readonly shares: readonly ((s: TfScope) => TfValue[])[]
  /** `over layer` state after the step. */
  readonly state?: (s: TfScope) => TfValue[]
  readonly observed?: (s: TfScope) => TfValue[]
}

export interface TfProgram {
  readonly variants: readonly TfVariant[]
  readonly barriers: readonly {
    readonly reduces: readonly Reduce[]
    /** The model cells that this barrier completes. */
    readonly finish?: (s: TfScope) => TfValue[]
  }[]
  /** `over model` state after the step. */
  readonly state?: (s: TfScope) => TfValue[]
}

type Reduce = 'sum' | 'max' | 'min'

/** Elements of a block: what stays in a processor's cache, or keeps a GPU busy. Tests make it small. */
export const BLOCK: { cpu: number; gpu: number } = { cpu: 2 ** 16, gpu: 2 ** 22 }

/** Layers whose steps differ in nothing but their values. */
interface Group {
  readonly variant: TfVariant
  readonly units: readonly Unit[]
  /** In the order of units: that of vectors over layers. */
  readonly layers: readonly StepLayer[]
  readonly scope: TfScope & { readonly cells: TfValue[] }
}

/** Layers that lie end to end: several small ones, or one, which may be cut into blocks. */
interface Unit {
  readonly layers: readonly StepLayer[]
  /** Where they begin among those of the group. */
  readonly first: number
  readonly sizes: readonly number[]
  readonly size: number
  readonly blocks: readonly number[]
  /** By buffer: all elements, or block by block. */
  readonly whole: (Handle | undefined)[]
  readonly parts: (readonly Handle[] | undefined)[]
  readonly stored: Set<number>
}

export function tensorflow(program: TfProgram): Target {
  return {
    backend: 'tensorflow',
    open() {
      const backend = tf.backend() as unknown as Backend
      const missing = findMissing(backend)
      return missing === null
        ? openTensorFlow(program, backend)
        : `This TensorFlow.js tensorflow backend has no ${missing}.`
    }
  }
}

function openTensorFlow(program: TfProgram, backend: Backend): Driver {
  const m = new Machine(backend)
  const block = backend.isUsingGpuDevice ? BLOCK.gpu : BLOCK.cpu
  /** Where training kernels write, by buffer. */
  const places = new Map<number, Handle>()
  /** Of the last step: a row an observation, of one number a layer. */
  let observed: { readonly layers: readonly StepLayer[]; readonly rows: tf.Tensor }[] = []

  function step({ layers, scalars, model: state, inPlace }: Step): void {
    const ofModel = scopeOf(m, scalars, [], state.cells ? unpack(m, m.handleOf(state.cells), state.cells.size, 0) : [])
    const { model } = ofModel
    const groups = groupsOf(layers).map((group) => begin(m, program.variants, group, block, model))
    for (let segment = 0; segment <= program.barriers.length; segment++) {
      for (const group of groups) {
        for (const pass of group.variant.passes) if (pass.segment === segment) runPass(group, pass, inPlace)
      }
      const barrier = program.barriers[segment]
      if (!barrier) continue
      const shares = groups.map((group) => overLayers(m, group, group.variant.shares[segment]!(group.scope)))
      for (const [i, reduce] of barrier.reduces.entries()) {
        const parts = shares.map((share) => total(m, reduce, widen(m, reduce, share[i]!)))
        model.push(m.reshape(meet(m, reduce, parts), []))
      }
      if (barrier.finish) model.push(...barrier.finish(ofModel))
    }
    for (const group of groups) leaveState(m, group)
    forget()
    observed = groups.flatMap((group) => {
      const rows = group.variant.observed ? overLayers(m, group, group.variant.observed(group.scope)) : []
      return rows.length === 0 ? [] : [{ layers: group.layers, rows: tf.keep(m.tensorOf(pack(m, rows, 0))) }]
    })
    if (program.state) replaceCells(m, state, pack(m, program.state(ofModel), 0))
    // A place that went on holding a weight would make the next step copy it.
    for (const place of places.values()) m.run('AssignVariableOp', [place, 0], {}, 0)
  }

  function runPass({ variant, units, scope }: Group, pass: TfPass, inPlace: boolean): void {
    const kernels = pass.inPlace?.find(({ scalars, decays }) => suits(scalars(scope), decays))
    const sweep = kernels ? kernels.rest : pass.sweep
    const reduces = pass.reduces ?? []
    const gathered: Handle[][] = reduces.map(() => [])
    for (const unit of units) {
      m.scope(() => {
        if (kernels) applyKernels(unit, kernels, scope, inPlace)
        const totals = sweep ? sweepUnit(m, unit, sweep, reduces, scope) : []
        for (const [i, one] of totals.entries()) gathered[i]!.push(one)
        const held = heldBy(unit)
        if (pass === variant.passes.at(-1)) commit(m, unit)
        return [...totals, ...held]
      })
    }
    scope.cells.push(...reduces.map((reduce, i) => narrow(m, reduce, m.concat(gathered[i]!, typeOf(reduce)))))
    if (pass.finish) scope.cells.push(...pass.finish(scope))
  }

  function placeOf(buffer: number): Handle {
    const place = places.get(buffer) ?? m.variable()
    places.set(buffer, place)
    return place
  }

  /**
   * A place takes over a unit's vector: once nobody else has it, kernels write where it is. If somebody has, TensorFlow
   * copies it first.
   */
  function applyKernels(unit: Unit, { run, scalars }: TfInPlace, scope: TfScope, inPlace: boolean): void {
    const held = new Set<number>()
    const hold = (buffer: number): Handle => {
      const place = placeOf(buffer)
      if (held.has(buffer)) return place
      held.add(buffer)
      const vector =
        buffer < 0
          ? m.run('Empty', [m.ints([unit.size])], { dtype: 'float' })[0]!
          : wholeOf(m, unit, buffer, inPlace && unit.layers.length === 1)
      m.run('AssignVariableOp', [place, vector], {}, 0)
      m.free(vector)
      if (buffer >= 0) unit.whole[buffer] = undefined
      return place
    }
    const read = (buffer: number): Handle => m.run('ReadVariableOp', [placeOf(buffer)], { dtype: 'float' })[0]!
    const kernels: TfKernels = {
      at: (buffer) => (held.has(buffer) ? read(buffer) : wholeOf(m, unit, buffer)),
      op: (name, ...args) => m.op(name, ...args),
      apply(name, buffers, args, attributes) {
        m.run(`ResourceApply${name}`, [...buffers.map(hold), ...args], attributes, 0)
      }
    }
    m.scope(() => {
      run(kernels, scalars(scope))
      for (const buffer of held) {
        if (buffer < 0) continue
        unit.stored.add(buffer)
        unit.whole[buffer] = read(buffer)
      }
      return heldBy(unit)
    })
  }

  function forget(): void {
    for (const { rows } of observed) rows.dispose()
    observed = []
  }

  return {
    kernel: 'tensorflow',
    step(s) {
      m.session(() => step(s))
    },
    async observations() {
      const found = new Map<Layer, number[]>()
      for (const { layers, rows } of observed) {
        const values = rows.dataSync()
        for (const [i, { layer }] of layers.entries()) {
          found.set(
            layer,
            Array.from({ length: rows.shape[0]! }, (_, row) => values[row * layers.length + i]!)
          )
        }
      }
      return found
    },
    dispose() {
      forget()
      for (const place of places.values()) m.destroy(place)
      places.clear()
    }
  }
}

/** Layers of one variant with equal scalars. */
function groupsOf(layers: readonly StepLayer[]): StepLayer[][] {
  const groups = new Map<string, StepLayer[]>()
  for (const layer of layers) {
    const { scalars, variant } = layer
    const bits = new Uint32Array(scalars.buffer, scalars.byteOffset, 2 * scalars.length)
    const key = `${variant}:${bits.join()}`
    groups.set(key, [...(groups.get(key) ?? []), layer])
  }
  return [...groups.values()]
}

function begin(
  m: Machine,
  variants: readonly TfVariant[],
  given: readonly StepLayer[],
  block: number,
  model: TfValue[]
): Group {
  const [{ variant, scalars }] = given as [StepLayer]
  const units = unitsOf(given, block)
  const layers = units.flatMap((unit) => unit.layers)
  const cells = layers.flatMap(({ layer }) => (layer.cells ? [m.handleOf(layer.cells)] : []))
  const count = layers[0]!.layer.cells?.size ?? 0
  const state = count > 0 ? unpack(m, m.reshape(m.concat(cells), [layers.length, count]), count, 1) : []
  return { variant: variants[variant]!, units, layers, scope: scopeOf(m, scalars, state, model) }
}

function unitsOf(layers: readonly StepLayer[], block: number): Unit[] {
  const small: StepLayer[][] = []
  const large: StepLayer[][] = []
  let room = 0
  for (const one of layers) {
    const { size } = one.layer.info
    if (size > block) large.push([one])
    else if (size <= room) small.at(-1)!.push(one)
    else small.push([one])
    if (size <= block) room = size <= room ? room - size : block - size
  }
  let first = 0
  return [...small, ...large].map((members) => {
    const sizes = members.map(({ layer }) => layer.info.size)
    const size = sizes.reduce((a, b) => a + b)
    const blocks = Array.from({ length: Math.ceil(size / block) }, (_, i) => Math.min(block, size - i * block))
    const unit = { layers: members, first, sizes, size, blocks, whole: [], parts: [], stored: new Set<number>() }
    first += members.length
    return unit
  })
}

interface WorkingScope extends TfScope {
  readonly cells: TfValue[]
  readonly model: TfValue[]
}

function scopeOf(m: Machine, h: Float64Array, cells: TfValue[], model: TfValue[]): WorkingScope {
  return { h, cells, model, op: (name, ...args) => m.op(name, ...args), cbrt: (x) => cbrt(m, x) }
}

/** By logarithms, then one step of Newton's method, which doubles the correct digits. 0 and ∞ stay as they are. */
function cbrt(m: Machine, x: TfValue): Handle {
  const third = m.op('RealDiv', m.op('Log', m.op('Abs', x)), 3)
  const guess = m.op('Mul', m.op('Sign', x), m.op('Exp', third))
  const better = m.op('RealDiv', m.op('AddV2', m.op('Mul', 2, guess), m.op('RealDiv', x, m.op('Square', guess))), 3)
  const stays = m.op('LogicalOr', m.op('Equal', x, 0), m.op('Equal', m.op('Abs', x), Infinity))
  return m.op('SelectV2', stays, x, better)
}

function heldBy({ whole, parts }: Unit): Handle[] {
  return [...whole, ...parts.flat()].filter((handle) => handle !== undefined)
}

/** All elements of a buffer. `take`: nobody else is to have them, if that can be. */
function wholeOf(m: Machine, unit: Unit, buffer: number, take = false): Handle {
  const parts = unit.parts[buffer]
  const known = unit.whole[buffer] ?? (parts && m.concat(parts))
  if (known) {
    unit.whole[buffer] = known
    if (parts && parts.length > 1) for (const part of parts) m.free(part)
    unit.parts[buffer] = undefined
    return known
  }
  const vectors = unit.layers.map(({ layer, gradient }, i) => {
    const tensor = buffer === 0 ? layer.variable : buffer === 1 ? gradient : layer.slots[buffer - 2]!
    const vector = m.reshape(m.handleOf(tensor), [unit.sizes[i]!])
    if (take && m.isOnlyUse(tensor)) m.take(tensor)
    return vector
  })
  const whole = m.concat(vectors)
  if (vectors.length > 1) for (const vector of vectors) m.free(vector)
  unit.whole[buffer] = whole
  return whole
}

/** One value an element, also where an expression turned out to be the same for all. */
function spread(m: Machine, x: TfValue, size: number): Handle {
  const value = typeof x === 'object' ? x : m.constant(x)
  return value.shape.length === 1 && value.shape[0] === size ? value : m.op('BroadcastTo', value, m.ints([size]))
}

function overLayers(m: Machine, { layers }: Group, values: readonly TfValue[]): Handle[] {
  return values.map((x) => spread(m, x, layers.length))
}

/** A sweep over a unit, block by block: stores, and the reductions of each of its layers. */
function sweepUnit(
  m: Machine,
  unit: Unit,
  { loads, stores, run }: TfSweep,
  reduces: readonly Reduce[],
  scope: TfScope
): Handle[] {
  const views = loads.map((buffer) => unit.parts[buffer] ?? m.split(wholeOf(m, unit, buffer), unit.blocks))
  const made = unit.blocks.map((size, b) =>
    m.scope(() => {
      const cells = lazily(scope.cells, (cell) => cellOf(m, unit, cell))
      const values = run({ ...scope, cells }, ...views.map((view) => view[b]!)).map((x) => spread(m, x, size))
      const kept = new Set<Handle>()
      for (const x of values.slice(0, stores.length)) kept.add(m.isNew(x) && !kept.has(x) ? x : m.op('Identity', x))
      return [...kept, ...reduces.flatMap((reduce, i) => totals(m, reduce, values[stores.length + i]!, unit))]
    })
  )
  for (const [i, buffer] of stores.entries()) {
    for (const old of [unit.whole[buffer], ...(unit.parts[buffer] ?? [])]) if (old) m.free(old)
    unit.whole[buffer] = undefined
    unit.parts[buffer] = made.map((block) => block[i]!)
    unit.stored.add(buffer)
  }
  // Of one layer there is a total a block, of several there is one block.
  const width = unit.layers.length
  return reduces.map((reduce, i) => {
    const from = stores.length + i * width
    const parts = made.flatMap((block) => block.slice(from, from + width))
    const all = m.concat(parts, typeOf(reduce))
    return made.length > 1 ? total(m, reduce, all) : all
  })
}

/** Values that are made when they are first read. */
function lazily<T, U>(values: readonly T[], make: (value: T) => U): readonly U[] {
  const made: U[] = []
  return values.reduce<U[]>((array, value, i) => {
    return Object.defineProperty(array, i, { get: () => (made[i] ??= make(value)) })
  }, [])
}

/** A value of each layer of the group, as elements of the unit read it. */
function cellOf(m: Machine, { layers, first, sizes }: Unit, cell: TfValue): TfValue {
  if (typeof cell !== 'object' || cell.shape.length === 0 || cell.shape[0] === 1) return cell
  if (layers.length === 1) return m.op('Slice', cell, m.ints([first]), m.ints([1]))
  const which = new Int32Array(sizes.reduce((a, b) => a + b))
  let at = 0
  for (const [i, size] of sizes.entries()) {
    which.fill(first + i, at, at + size)
    at += size
  }
  return m.op('GatherV2', cell, m.ints(which), m.ints(0))
}

/** The reduction of each of the unit's layers over elements of a block. */
function totals(m: Machine, reduce: Reduce, x: Handle, { layers, sizes }: Unit): Handle[] {
  const wide = widen(m, reduce, x)
  return (layers.length > 1 ? m.split(wide, sizes) : [wide]).map((part) => total(m, reduce, part))
}

/** Sums are made in float64: TensorFlow adds one by one where it suits it. */
function typeOf(reduce: Reduce): 'double' | 'float' {
  return reduce === 'sum' ? 'double' : 'float'
}

function widen(m: Machine, reduce: Reduce, x: Handle): Handle {
  return reduce === 'sum' ? m.run('Cast', [x], { DstT: 'double' })[0]! : x
}

function narrow(m: Machine, reduce: Reduce, x: Handle): Handle {
  return reduce === 'sum' ? m.run('Cast', [x], { DstT: 'float' })[0]! : x
}

const REDUCTIONS = { sum: 'Sum', max: 'Max', min: 'Min' }

/** A vector of one. */
function total(m: Machine, reduce: Reduce, x: Handle): Handle {
  return m.run(REDUCTIONS[reduce], [x, m.ints([0])], { keep_dims: true })[0]!
}

/** The reduction of what groups came to. */
function meet(m: Machine, reduce: Reduce, parts: readonly Handle[]): Handle {
  return narrow(m, reduce, total(m, reduce, m.concat(parts, typeOf(reduce))))
}

function unpack(m: Machine, x: Handle, num: number, axis: number): Handle[] {
  return m.run('Unpack', [x], { num, axis }, num)
}

function pack(m: Machine, values: readonly TfValue[], axis: number): Handle {
  return m.run('Pack', values, { T: 'float', N: values.length, axis })[0]!
}

/** What a unit holds goes to its layers. */
function commit(m: Machine, unit: Unit): void {
  for (const buffer of unit.stored) {
    if (buffer >= 2 + unit.layers[0]!.layer.slots.length) continue
    const vectors = m.split(wholeOf(m, unit, buffer), unit.sizes)
    for (const [i, { layer }] of unit.layers.entries()) {
      m.put(layer, buffer === 0 ? 0 : buffer - 1, m.reshape(vectors[i]!, layer.info.shape))
      m.free(vectors[i]!)
    }
  }
  for (const handle of heldBy(unit)) m.free(handle)
  unit.whole.length = unit.parts.length = 0
}

function leaveState(m: Machine, group: Group): void {
  const { state } = group.variant
  if (!state) return
  const rows = unpack(m, pack(m, overLayers(m, group, state(group.scope)), 1), group.layers.length, 0)
  for (const [i, { layer }] of group.layers.entries()) replaceCells(m, layer, rows[i]!)
}

function replaceCells(m: Machine, holder: Layer | ModelState, fresh: Handle): void {
  holder.cells?.dispose()
  holder.cells = tf.keep(m.tensorOf(fresh))
}

const SMALLEST = 2 ** -126
const LARGEST = 2 ** 127

/** Scalars that mean in float32 what they mean here. */
function suits(scalars: readonly number[], decays: TfInPlace['decays'] = []): boolean {
  return (
    scalars.every((x) => x === 0 || (Math.abs(x) >= SMALLEST && Math.abs(x) <= LARGEST)) &&
    decays.every(
      ([i, j]) => scalars[i]! >= 0.5 && Math.fround(scalars[i]!) === scalars[i] && 1 - scalars[i]! === scalars[j]
    )
  )
}

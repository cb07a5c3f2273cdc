/**
 * The tensorflow driver (tfjs-node and tfjs-node-gpu): TensorFlow's operations on long vectors, without a copy to the host.
 * Which layers lie in one vector is `tensorflow-units.ts`. Where TensorFlow has a training kernel that does what a pass
 * stores, it updates a unit in place (`inPlace`); what has none is made block by block.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Vector } from './matrices.js'
import type { Driver, Layer, ModelState, Step, StepLayer, Target } from './program.js'
import { type Backend, findMissing, type Handle, Machine, type TfValue } from './tensorflow-backend.js'
import type { TfInPlace, TfKernels, TfPass, TfProgram, TfScope, TfSweep, TfVariant } from './tensorflow-program.js'
import {
  commit,
  groupsOf,
  heldBy,
  type Group as Layers,
  SIZES,
  shapeOf,
  takeFromLayer,
  type Unit,
  wholeOf
} from './tensorflow-units.js'
import {
  cellOf,
  draw,
  gather,
  lazily,
  meet,
  narrow,
  scopeOf,
  spread,
  total,
  totals,
  typeOf,
  type WorkingScope,
  widen
} from './tensorflow-values.js'

export type { TfVariant } from './tensorflow-program.js'

/** Layers whose steps differ in nothing but their values. */
interface Group extends Layers {
  readonly variant: TfVariant
  readonly scope: WorkingScope
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
  const sizes = backend.isUsingGpuDevice ? SIZES.gpu : SIZES.cpu
  // Measured: on a GPU vectors take as long as training kernels for Adam and Momentum, and half as long for LAMB.
  const hasKernels = !backend.isUsingGpuDevice
  /** Where training kernels write, by buffer. */
  const places = new Map<number, Handle>()
  /** The shape of the place that nobody reads. */
  let wasted = ''
  /** Of the last step: a row an observation, of one number a layer. */
  let observed: { readonly layers: readonly StepLayer[]; readonly rows: tf.Tensor }[] = []

  function step({ layers, scalars, model: state, inPlace }: Step): void {
    const ofModel = scopeOf(
      m,
      scalars,
      [],
      state.cells ? [...m.unstack(m.handleOf(state.cells), state.cells.size)] : []
    )
    const { model } = ofModel
    const groups = groupsOf(layers, sizes, program).map((group) => begin(m, program.variants, group, model))
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
      return rows.length === 0 ? [] : [{ layers: group.layers, rows: tf.keep(m.tensorOf(m.stack(rows))) }]
    })
    if (program.state) {
      const values = program.state(ofModel).map((x) => m.reshape(spread(m, x, [1]), []))
      replaceCells(m, state, m.stack(values))
    }
    // A place that went on holding a weight would make the next step copy it.
    for (const place of places.values()) m.run('AssignVariableOp', [place, 0], {}, 0)
    wasted = ''
  }

  function runPass({ variant, layers, units, scope }: Group, pass: TfPass, inPlace: boolean): void {
    const isOne = layers.length === 1
    const ways = hasKernels ? pass.inPlace : undefined
    const kernels = ways?.find((way) => (!way.one || isOne) && suits(way.scalars(scope), way.decays))
    const sweep = kernels ? kernels.rest : pass.sweep
    const reduces = pass.reduces ?? []
    const gathered: Handle[][] = reduces.map(() => [])
    for (const unit of units) {
      m.scope(() => {
        if (kernels) applyKernels(unit, kernels, scope, inPlace)
        const totals = sweep ? sweepUnit(m, unit, pass, sweep, scope, program.keys) : []
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
      if (buffer < 0) return waste(place, shapeOf(unit, 'element'))
      if (held.has(buffer)) return place
      held.add(buffer)
      const vector = wholeOf(m, unit, buffer)
      if (inPlace) takeFromLayer(m, unit, buffer)
      m.run('AssignVariableOp', [place, vector], {}, 0)
      m.free(vector)
      unit.whole[buffer] = undefined
      return place
    }
    const read = (buffer: number): Handle => m.run('ReadVariableOp', [placeOf(buffer)], { dtype: 'float' })[0]!
    const kernels: TfKernels = {
      at: (buffer) => (held.has(buffer) ? m.flag(read(buffer)) : wholeOf(m, unit, buffer)),
      once: (name, ...args) => m.once(name, ...args),
      fill(buffer, value) {
        m.run('AssignVariableOp', [placeOf(buffer), value], {}, 0)
        held.add(buffer)
      },
      scalar: (...factors) =>
        m.once(
          'Reshape',
          factors.reduce((a, b) => (a === 1 ? b : m.once('Mul', a, b))),
          m.ints([])
        ),
      apply(name, buffers, args, attributes) {
        m.run(`ResourceApply${name}`, [...buffers.map(hold), ...args], attributes, 0)
      }
    }
    m.scope(() => {
      run(kernels, scalars(scope), scope)
      for (const buffer of held) {
        unit.stored.add(buffer)
        unit.whole[buffer] = read(buffer)
      }
      return heldBy(unit)
    })
  }

  /** What nobody reads has what memory the last unit left, if that has the shape. */
  function waste(place: Handle, shape: readonly number[]): Handle {
    if (wasted !== shape.join()) {
      const [memory] = m.run('Empty', [m.ints(shape)], { dtype: 'float' })
      m.run('AssignVariableOp', [place, m.flag(memory!)], {}, 0)
    }
    wasted = shape.join()
    return place
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
      m.dispose()
    }
  }
}

function begin(m: Machine, variants: readonly TfVariant[], group: Layers, model: TfValue[]): Group {
  const { layers } = group
  const [{ variant, scalars }] = layers as [StepLayer]
  const cells = layers.flatMap(({ layer }) => (layer.cells ? [m.handleOf(layer.cells)] : []))
  const count = layers[0]!.layer.cells?.size ?? 0
  const state = count > 0 ? m.unstack(m.once('Reshape', m.concat(cells), m.ints([layers.length, count])), count, 1) : []
  return { ...group, variant: variants[variant]!, scope: scopeOf(m, scalars, [...state], model) }
}

function overLayers(m: Machine, { layers }: Group, values: readonly TfValue[]): Handle[] {
  return values.map((x) => spread(m, x, [layers.length]))
}

/** A sweep over a unit, block by block: stores, and the reductions of each of its layers, rows, columns and channels. */
function sweepUnit(
  m: Machine,
  unit: Unit,
  { over, reduces = [], gathers = [] }: TfPass,
  { loads, stores, run }: TfSweep,
  scope: TfScope,
  keys: readonly number[] = []
): Handle[] {
  const views = loads.map((buffer) => unit.parts[buffer] ?? m.split(wholeOf(m, unit, buffer), unit.blocks))
  let first = 0
  const made = unit.blocks.map((size, b) =>
    m.scope(() => {
      const shape = unit.overs ? shapeOf(unit, over ?? 'element') : [size]
      const cells = lazily(scope.cells, (cell) => cellOf(m, unit, cell))
      const noise = (site: number): Handle => draw(m, unit, keys, site, first, shape)
      const all = run({ ...scope, cells, noise }, ...views.map((view) => view[b]!)).map((x) => spread(m, x, shape))
      first += size
      const kept = new Set<Handle>()
      for (const x of all.slice(0, stores.length)) kept.add(m.isNew(x) && !kept.has(x) ? x : m.op('Identity', x))
      const operands = all.slice(stores.length)
      return [
        ...kept,
        ...reduces.map((reduce, i) => totals(m, reduce, operands[i]!, unit)),
        ...gathers.map(([reduce, to], i) =>
          gather(m, reduce, operands[reduces.length + i]!, unit, unit.overs![to] as Vector)
        )
      ]
    })
  )
  for (const [i, buffer] of stores.entries()) {
    for (const old of [unit.whole[buffer], ...(unit.parts[buffer] ?? [])]) if (old) m.free(old)
    unit.whole[buffer] = undefined
    unit.parts[buffer] = made.map((block) => block[i]!)
    unit.stored.add(buffer)
  }
  for (const [i, [, to]] of gathers.entries()) unit.whole[to] = made[0]![stores.length + reduces.length + i]
  return reduces.map((reduce, i) => {
    const all = m.concat(
      made.map((block) => block[stores.length + i]!),
      typeOf(reduce)
    )
    return made.length > 1 ? total(m, reduce, all) : all
  })
}

function leaveState(m: Machine, group: Group): void {
  const { state } = group.variant
  if (!state) return
  const rows = m.unstack(m.stack(overLayers(m, group, state(group.scope)), 1), group.layers.length)
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

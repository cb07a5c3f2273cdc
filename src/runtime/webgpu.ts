/**
 * The driver of the webgpu backend: compute kernels on the live buffers of tensors, encoded into tfjs's own command encoder,
 * one compute pass for all layers, submitted once a step. Nothing is read back.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Vector } from './matrices.js'
import type { Driver, Layer, Step, StepLayer, Target } from './program.js'
import { type TensorSlot, tensorSlots } from './state.js'
import { replaceState, replaceTensor, tensorsOf } from './tensors.js'
import { type Backend, currentDevice, findMissing, own, recordOf } from './webgpu-backend.js'
import { makeBinder, makeGrowing, USAGE, type WebGpuEntry, WORKGROUP, watch } from './webgpu-device.js'
import { LEVELS, type Lines, partialsOf, VIEW_FIELDS, type Views, viewsOf } from './webgpu-views.js'

export interface WebGpuSegment {
  /** Each pass over many workgroups; a pass that reduces has a finish, by one workgroup. */
  readonly parts: readonly WebGpuPart[]
  /** The whole segment in one workgroup. */
  readonly whole?: WebGpuEntry
}

export interface WebGpuPart {
  /** What it sweeps over; elements unless said otherwise. */
  readonly over?: Vector
  readonly pass: WebGpuEntry
  readonly finish?: WebGpuEntry
  /** What the finish has one value of each, and so is done by many workgroups. */
  readonly leaves?: readonly Vector[]
}

/** The kernels of a layer for one assignment of the host conditions. */
export interface WebGpuVariant {
  /** Buffers that are written: 0 the weight, from 2 on slots. */
  readonly stores: readonly number[]
  /** How many scratch buffers. */
  readonly scratch: number
  /** Numbers in a layer's record in `cells`. */
  readonly cells: number
  /** Reductions of the pass that has most. */
  readonly partials: number
  /** Numbers for each row, column and channel, where passes know of these: state, in the order of the slots, and more. */
  readonly lines?: Lines
  /** Where in the record `over layer` state, and observations, stand after the step. */
  readonly state: readonly number[]
  readonly observed: readonly number[]
  readonly segments: readonly WebGpuSegment[]
  readonly code: string
}

/** What is computed between segments. */
export interface WebGpuModel {
  readonly cells: number
  /** Reductions over the model: rows of the table with a column a layer. */
  readonly rows: number
  readonly state: readonly number[]
  readonly barriers: readonly WebGpuEntry[]
  readonly code: string
}

export interface WebGpuKernels {
  readonly variants: readonly WebGpuVariant[]
  readonly model?: WebGpuModel
}

/** Elements (of width T) of an invocation: at least, since workgroups that meet cost; and at most, so that no chain of sums is longer than 16 + 16. */
const LEAST = 16
const LONGEST = 256
/** Workgroups that a pass is cut into, between those bounds: enough for a large GPU, few enough to collect from. */
const PARTS = 512
/** The most elements (of width T) of a layer that one workgroup takes through a whole segment. */
const WHOLE = 1024
/** Offsets of uniform bindings are multiples of this on any device. */
const ALIGN = 256
/** 4-byte fields of `Layer` before the scalars. */
const FIELDS = 8
const LARGEST = 3.4028234663852886e38

export function webgpu(kernels: WebGpuKernels): Target {
  return {
    backend: 'webgpu',
    attend() {
      const device = currentDevice()
      if (device) watch(device)
    },
    open(program) {
      const backend = tf.backend() as unknown as Backend
      const missing = findMissing(backend)
      return missing
        ? `This TensorFlow.js webgpu backend has no ${missing}.`
        : openWebGpu(kernels, program.scalars, tensorSlots(program.slots), backend)
    }
  }
}

/** How a layer is cut up. */
interface Cut {
  /** Elements of one `T`: 4, or 1. */
  readonly width: 1 | 4
  /** In elements of that width: all, and those of one workgroup. */
  readonly size: number
  readonly span: number
  /** Workgroups of a pass. */
  readonly parts: number
}

/** A layer on its way through a step. */
interface Run extends Cut {
  readonly step: StepLayer
  readonly kernels: WebGpuVariant
  /** Its row in the uniform buffer, behind the model's. */
  readonly row: number
  /** Where its record begins in `cells`. */
  readonly at: number
  /** By binding, from 2 on. */
  readonly buffers: readonly GPUBuffer[]
  /** Where kernels know of rows, columns or channels. */
  readonly views: Views | null
}

function openWebGpu(
  kernels: WebGpuKernels,
  scalarCount: number,
  slots: readonly TensorSlot[],
  backend: Backend
): Driver {
  const { device } = backend
  const { model } = kernels
  const health = watch(device)
  const hasViews = kernels.variants.some((variant) => variant.lines)
  const fields = FIELDS + (hasViews ? LEVELS.length * VIEW_FIELDS.length : 0)
  const stride = ALIGN * Math.ceil((4 * (fields + scalarCount)) / ALIGN)
  const uniforms = makeGrowing(device, USAGE.uniform | USAGE.copyTarget)
  const cells = makeGrowing(device, USAGE.storage | USAGE.copySource | USAGE.copyTarget)
  const bind = makeBinder(device, scalarCount, hasViews, stride)
  /** What goes into `uniforms`; kept, for it is 256 bytes a layer or more that each step would make and leave. */
  let written = makeRows(0)
  const rowsOf = (count: number): Rows => {
    const length = (stride / 4) * count
    if (written.words.length !== length) written = makeRows(length)
    return written
  }
  /** Of the last step: where records stand in `cells`, and in them each layer's observations. */
  let observed = { from: 0, to: 0, layers: [] as { layer: Layer; places: number[] }[] }

  function step({ layers, scalars, model: modelState, inPlace }: Step): void {
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    const encoder = backend.commandEncoder
    const borrowed: GPUBuffer[] = []
    const borrow = (size: number): GPUBuffer => {
      const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget
      borrowed.push(backend.bufferManager.acquireBuffer(size, usage))
      return borrowed.at(-1)!
    }

    // `cells`: the model's record, its table, the layers' records, their rows, columns and channels, partial results.
    const table = model?.cells ?? 0
    const records = table + (model?.rows ?? 0) * layers.length
    let end = records
    const most = device.limits.maxComputeWorkgroupsPerDimension
    const begun = layers.map((one, i): Run => {
      const { layer, gradient } = one
      const variant = kernels.variants[one.variant]!
      const [weight, ...slots] = tensorsOf(layer).map((tensor, t) =>
        variant.stores.includes(t === 0 ? 0 : t + 1)
          ? own(backend, tensor, inPlace, (fresh) => replaceTensor(layer, t, fresh))
          : recordOf(backend, tensor).resource
      )
      const scratch = Array.from({ length: variant.scratch }, () => borrow(4 * layer.info.size))
      const buffers = [weight!, recordOf(backend, gradient).resource, ...slots, ...scratch]
      const at = end
      end += variant.cells
      // Not spread, for that is slow where layers are many.
      const { width, size, span, parts } = cut(layer.info.size, variant, most)
      return { width, size, span, parts, step: one, kernels: variant, row: i + 1, at, buffers, views: null }
    })
    const observable = end
    const runs = begun.map((run): Run => {
      if (!run.kernels.lines) return run
      const { views, end: next } = viewsOf(run.step.layer.info.shape, run.kernels.lines, end)
      end = next
      return { ...run, views }
    })
    const partials = Math.max(
      ...runs.map(({ kernels, parts, views }) => kernels.partials * (views ? partialsOf(views) : parts))
    )
    cells.reserve(4 * Math.max(1, end + partials))

    const rows = rowsOf(runs.length + 1)
    writeRow(rows, 0, [0, 0, 0, 0, 0, 0, runs.length, table], fields, scalars)
    for (const { step, row, size, span, parts, at, views } of runs) {
      const tiles = views ? LEVELS.flatMap((level) => VIEW_FIELDS.map((field) => views[level][field])) : []
      const own = [size, span, parts, end, at, row - 1, runs.length, table, ...tiles]
      writeRow(rows, (stride * row) / 4, own, fields, step.scalars)
    }
    uniforms.reserve(rows.words.byteLength)
    device.queue.writeBuffer(uniforms.buffer, 0, rows.words)

    // State of layers and model goes into the records before, and out of them after.
    const states = [
      { holder: modelState, at: 0, places: model?.state ?? [] },
      ...runs.map(({ step, at, kernels }) => ({ holder: step.layer, at, places: kernels.state }))
    ].flatMap(({ holder, at, places }) => {
      if (!holder.cells) return []
      const buffer = own(backend, holder.cells, inPlace, (fresh) => replaceState(holder, fresh))
      return [{ buffer, at, places }]
    })
    for (const { buffer, at, places } of states) {
      encoder.copyBufferToBuffer(buffer, 0, cells.buffer, 4 * at, 4 * places.length)
    }
    const lines = runs.flatMap((run) => linesOf(run, slots))
    for (const { buffer, at, size } of lines) encoder.copyBufferToBuffer(buffer, 0, cells.buffer, 4 * at, 4 * size)
    encode(encoder.beginComputePass(), runs)
    for (const { buffer, at, size, stored } of lines) {
      if (stored) encoder.copyBufferToBuffer(cells.buffer, 4 * at, buffer, 0, 4 * size)
    }
    for (const { buffer, at, places } of states) {
      for (const [i, place] of places.entries()) {
        encoder.copyBufferToBuffer(cells.buffer, 4 * (at + place), buffer, 4 * i, 4)
      }
    }
    backend.submitQueue()
    for (const buffer of borrowed) backend.bufferManager.releaseBuffer(buffer)

    const placesOf = ({ at, kernels }: Run): number[] => kernels.observed.map((place) => at + place - records)
    observed = {
      from: records,
      to: observable,
      layers: runs.map((run) => ({ layer: run.step.layer, places: placesOf(run) }))
    }
  }

  function encode(pass: GPUComputePassEncoder, runs: readonly Run[]): void {
    const most = device.limits.maxComputeWorkgroupsPerDimension
    let current: GPUComputePipeline | null = null
    const dispatch = (
      run: Run | null,
      module: WebGpuVariant | WebGpuModel,
      entry: WebGpuEntry,
      groups: number
    ): void => {
      const { pipeline, group } = bind(run?.step.layer ?? kernels, {
        module,
        entry,
        width: run?.width ?? 1,
        buffers: [uniforms.buffer, cells.buffer, ...(run?.buffers ?? [])],
        offset: stride * (run?.row ?? 0)
      })
      if (pipeline !== current) pass.setPipeline(pipeline)
      current = pipeline
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(groups)
    }
    for (let segment = 0; segment <= (model?.barriers.length ?? 0); segment++) {
      for (const run of runs) {
        const { parts, whole } = run.kernels.segments[segment] ?? { parts: [] }
        if (whole && (run.size <= WHOLE || parts.length === 0)) dispatch(run, run.kernels, whole, 1)
        else {
          for (const { over = 'element', pass, finish, leaves = [] } of parts) {
            const sizes = leaves.map((level) => run.views![level].size)
            dispatch(run, run.kernels, pass, Math.min(most, run.views?.[over].tiles ?? run.parts))
            if (finish)
              dispatch(
                run,
                run.kernels,
                finish,
                Math.min(most, Math.max(1, Math.ceil(Math.max(0, ...sizes) / WORKGROUP)))
              )
          }
        }
      }
      const barrier = model?.barriers[segment]
      if (barrier) dispatch(null, model, barrier, 1)
    }
    pass.end()
  }

  async function observations(): Promise<Map<Layer, number[]>> {
    const { from, to, layers } = observed
    if (!layers.some(({ places }) => places.length > 0)) return new Map(layers.map(({ layer }) => [layer, []]))
    const size = 4 * (to - from)
    const staging = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget })
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    backend.commandEncoder.copyBufferToBuffer(cells.buffer, 4 * from, staging, 0, size)
    backend.submitQueue()
    await staging.mapAsync(1)
    const values = new Float32Array(staging.getMappedRange().slice(0))
    staging.destroy()
    return new Map(layers.map(({ layer, places }) => [layer, places.map((place) => values[place]!)]))
  }

  return {
    kernel: 'webgpu',
    lost: () => (health.lost === undefined ? null : `the WebGPU device was lost (${health.lost})`),
    step,
    observations,
    dispose() {
      uniforms.destroy()
      cells.destroy()
      observed = { from: 0, to: 0, layers: [] }
    }
  }
}

/** State of rows, columns and channels: where it is held, and where kernels find it. */
function linesOf({ kernels, views, buffers }: Run, slots: readonly TensorSlot[]) {
  if (!views) return []
  const met = { row: 0, col: 0, channel: 0 }
  return slots.flatMap(({ over }, i) => {
    if (over === 'element') return []
    const { at, size } = views[over]
    const stored = kernels.stores.includes(i + 2)
    return [{ buffer: buffers[i + 2]!, at: at + met[over]++ * size, size, stored }]
  })
}

/** Into no more workgroups than a dispatch may have (65535 on most devices). */
function cut(elements: number, { lines }: WebGpuVariant, most: number): Cut {
  const width = elements % 4 === 0 && !lines ? 4 : 1
  const size = elements / width
  /** What one invocation takes, if there are so many workgroups. */
  const each = (parts: number): number => Math.ceil(size / (WORKGROUP * parts))
  const span = WORKGROUP * Math.max(LEAST, Math.min(LONGEST, each(PARTS)), each(most))
  return { width, size, span, parts: Math.ceil(size / span) }
}

/** The uniform buffer's rows, seen as integers and as floats. */
interface Rows {
  readonly words: Uint32Array<ArrayBuffer>
  readonly floats: Float32Array<ArrayBuffer>
}

function makeRows(length: number): Rows {
  const words = new Uint32Array(length)
  return { words, floats: new Float32Array(words.buffer) }
}

/** A row, from its first word: the fields of `Layer`, then host scalars, each rounded once. */
function writeRow(
  { words, floats }: Rows,
  first: number,
  values: readonly number[],
  fields: number,
  scalars: Float64Array
): void {
  for (let i = 0; i < fields; i++) words[first + i] = values[i] ?? 0
  // A shader may take infinity for anything; the largest float compares as infinity would.
  for (let i = 0; i < scalars.length; i++) {
    floats[first + fields + i] = Math.max(-LARGEST, Math.min(LARGEST, scalars[i]!))
  }
}

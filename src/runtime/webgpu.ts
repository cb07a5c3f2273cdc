/**
 * The driver of the webgpu backend: compute kernels on the live buffers of tensors, encoded into tfjs's own command encoder,
 * one compute pass for all layers, submitted once a step. Nothing is read back.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Driver, Layer, Step, StepLayer, Target } from './program.js'

/** An entry point of a module, and the bindings it uses: 0 the layer's uniform, 1 the cells, 2 the weight, 3 the gradient, then slots, then scratch. */
export type WebGpuEntry = readonly [name: string, bindings: readonly number[]]

export interface WebGpuSegment {
  /** Each pass over many workgroups; a pass that reduces has a finish, by one workgroup. */
  readonly parts: readonly { readonly pass: WebGpuEntry; readonly finish?: WebGpuEntry }[]
  /** The whole segment in one workgroup. */
  readonly whole?: WebGpuEntry
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

/** Invocations of a workgroup; the kernels are written for it. (Software GPUs make a barrier among more very dear.) */
const WORKGROUP = 64
/** Elements (of width T) of an invocation: at least, since workgroups that meet cost; and at most, so that no chain of sums is longer than 16 + 16. */
const LEAST = 16
const LONGEST = 256
/** Workgroups that a pass is cut into, between those bounds: enough for a large GPU, few enough to collect from. */
const PARTS = 512
/** The most workgroups of a dispatch on any device. */
const MOST_PARTS = 65535
/** The most elements (of width T) of a layer that one workgroup takes through a whole segment. */
const WHOLE = 1024
/** Offsets of uniform bindings are multiples of this on any device. */
const ALIGN = 256
/** 4-byte fields of `Layer` before the scalars. */
const FIELDS = 8
const MOST = 3.4028234663852886e38

const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 }

/** What is used of tfjs's webgpu backend, none of it public. */
interface Backend {
  readonly device: GPUDevice
  readonly tensorMap: { get(id: object): TensorRecord }
  readonly commandEncoder: GPUCommandEncoder
  readonly commandQueueOwnedIds: { add(id: object): unknown }
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number): GPUBuffer
    releaseBuffer(buffer: GPUBuffer): void
  }
  uploadToGPU(id: object): void
  makeTensorInfo(shape: readonly number[], dtype: string): tf.TensorInfo
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
}

interface TensorRecord {
  readonly resource: GPUBuffer
  readonly refCount: number
  /** The buffer is the user's. */
  readonly external?: boolean
}

const METHODS = [
  'uploadToGPU',
  'makeTensorInfo',
  'ensureCommandEncoderReady',
  'endComputePassEncoder',
  'submitQueue'
] as const

export function webgpu(kernels: WebGpuKernels): Target {
  return {
    backend: 'webgpu',
    open(program) {
      const backend = tf.backend() as unknown as Backend
      const missing = findMissing(backend)
      return missing
        ? `this TensorFlow.js webgpu backend has no ${missing}`
        : openWebGpu(kernels, program.scalars, backend)
    }
  }
}

function findMissing(backend: Backend): string | null {
  for (const name of METHODS) if (typeof backend[name] !== 'function') return `${name}()`
  if (typeof backend.device?.createComputePipeline !== 'function') return 'device'
  if (typeof backend.tensorMap?.get !== 'function') return 'tensorMap'
  if (typeof backend.commandQueueOwnedIds?.add !== 'function') return 'commandQueueOwnedIds'
  if (typeof backend.bufferManager?.acquireBuffer !== 'function') return 'bufferManager'
  if (backend.device.limits.maxStorageBuffersPerShaderStage < 8) return 'room for 8 storage buffers a stage'
  return null
}

/** A layer on its way through a step. */
interface Run {
  readonly kernels: WebGpuVariant
  readonly step: StepLayer
  /** The uniform's row. */
  readonly row: number
  /** Elements of one `T`: 4, or 1. */
  readonly width: 1 | 4
  /** Elements of width T; workgroups of a pass; elements of one workgroup. */
  readonly size: number
  readonly parts: number
  readonly span: number
  /** Where its record begins in `cells`. */
  readonly at: number
  /** By binding, from 2 on. */
  readonly buffers: readonly GPUBuffer[]
}

function openWebGpu(kernels: WebGpuKernels, scalarCount: number, backend: Backend): Driver {
  const { device } = backend
  const health = watch(device)
  const { model } = kernels
  const stride = ALIGN * Math.ceil((4 * (FIELDS + scalarCount)) / ALIGN)
  const uniforms = growing(device, USAGE.uniform | USAGE.copyTarget)
  const cells = growing(device, USAGE.storage | USAGE.copySource | USAGE.copyTarget)
  const bind = binder(device, scalarCount)
  /** Of the last step: the part of `cells` that records take, and where each layer's observations stand in it. */
  let observed = { from: 0, to: 0, layers: [] as { layer: Layer; at: number[] }[] }

  function step({ layers, scalars, model: modelState, inPlace }: Step): void {
    if (health.reason !== undefined) {
      throw new Error(
        `The WebGPU device was lost (${health.reason}): set up the backend again and load the last saved weights.`
      )
    }
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    const encoder = backend.commandEncoder
    const borrowed: GPUBuffer[] = []
    const borrow = (bytes: number): GPUBuffer => {
      const buffer = backend.bufferManager.acquireBuffer(bytes, USAGE.storage | USAGE.copySource | USAGE.copyTarget)
      borrowed.push(buffer)
      return buffer
    }

    const table = model?.cells ?? 0
    const records = table + (model?.rows ?? 0) * layers.length
    let end = records
    let partials = 0
    const runs = layers.map((l, i): Run => {
      const variant = kernels.variants[l.variant]!
      const length = l.layer.info.size
      const width = length % 4 === 0 ? 4 : 1
      const size = length / width
      const groups = (parts: number): number => Math.ceil(size / (WORKGROUP * parts))
      const each = Math.max(LEAST, Math.min(LONGEST, groups(PARTS)), groups(MOST_PARTS))
      const span = WORKGROUP * each
      const parts = Math.ceil(size / span)
      const owned = tensorsOf(l.layer).map((t, index) =>
        variant.stores.includes(index === 0 ? 0 : index + 1)
          ? ownBuffer(backend, t, inPlace, (fresh) => replaceTensor(l.layer, index, fresh))
          : recordOf(backend, t).resource
      )
      const scratch = Array.from({ length: variant.scratch }, () => borrow(4 * length))
      const at = end
      end += variant.cells
      partials = Math.max(partials, variant.partials * parts)
      return {
        kernels: variant,
        step: l,
        row: i + 1,
        width,
        size,
        parts,
        span,
        at,
        buffers: [owned[0]!, recordOf(backend, l.gradient).resource, ...owned.slice(1), ...scratch]
      }
    })

    uniforms.reserve(stride * (layers.length + 1))
    cells.reserve(4 * Math.max(1, end + partials))
    const rows = new ArrayBuffer(stride * (layers.length + 1))
    writeRow(rows, 0, [0, 0, 0, 0, 0, 0, layers.length, table], scalars)
    for (const { size, span, parts, at, row, step } of runs) {
      writeRow(rows, stride * row, [size, span, parts, end, at, row - 1, layers.length, table], step.scalars)
    }
    device.queue.writeBuffer(uniforms.buffer, 0, rows)

    const states = [
      ...(modelState.cells
        ? [
            {
              tensor: modelState.cells,
              at: 0,
              after: model!.state,
              replace: (t: tf.Tensor) => replaceKept(modelState, t)
            }
          ]
        : []),
      ...runs.flatMap(({ step: { layer }, at, kernels }) =>
        layer.cells
          ? [{ tensor: layer.cells, at, after: kernels.state, replace: (t: tf.Tensor) => replaceKept(layer, t) }]
          : []
      )
    ].map(({ tensor, at, after, replace }) => ({ buffer: ownBuffer(backend, tensor, inPlace, replace), at, after }))
    for (const { buffer, at, after } of states)
      encoder.copyBufferToBuffer(buffer, 0, cells.buffer, 4 * at, 4 * after.length)

    const pass = encoder.beginComputePass()
    const dispatch = (
      owner: object,
      module: WebGpuVariant | WebGpuModel,
      entry: WebGpuEntry,
      row: number,
      run: Run | null,
      groups: number
    ): void => {
      const resources = entry[1].map((b) => (b === 0 ? uniforms.buffer : b === 1 ? cells.buffer : run!.buffers[b - 2]!))
      const { pipeline, group } = bind(owner, module, entry, run?.width ?? 1, resources, row * stride, stride)
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(groups)
    }
    for (let segment = 0; segment <= (model?.barriers.length ?? 0); segment++) {
      for (const run of runs) {
        const mine = run.kernels.segments[segment]
        if (!mine) continue
        const go = (entry: WebGpuEntry, groups: number): void =>
          dispatch(run.step.layer, run.kernels, entry, run.row, run, groups)
        if (mine.whole && (run.size <= WHOLE || mine.parts.length === 0)) {
          go(mine.whole, 1)
          continue
        }
        for (const { pass, finish } of mine.parts) {
          go(pass, run.parts)
          if (finish) go(finish, 1)
        }
      }
      const barrier = model?.barriers[segment]
      if (barrier) dispatch(kernels, model, barrier, 0, null, 1)
    }
    pass.end()
    for (const { buffer, at, after } of states) {
      for (const [i, place] of after.entries())
        encoder.copyBufferToBuffer(cells.buffer, 4 * (at + place), buffer, 4 * i, 4)
    }
    backend.submitQueue()
    for (const buffer of borrowed) backend.bufferManager.releaseBuffer(buffer)
    observed = {
      from: records,
      to: end,
      layers: runs.map((r) => ({ layer: r.step.layer, at: r.kernels.observed.map((o) => r.at - records + o) }))
    }
  }

  async function observations(): Promise<Map<Layer, number[]>> {
    const { from, to, layers } = observed
    if (!layers.some((l) => l.at.length > 0)) return new Map(layers.map(({ layer }) => [layer, []]))
    const size = 4 * (to - from)
    const staging = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget })
    backend.ensureCommandEncoderReady()
    backend.endComputePassEncoder()
    backend.commandEncoder.copyBufferToBuffer(cells.buffer, 4 * from, staging, 0, size)
    backend.submitQueue()
    await staging.mapAsync(1)
    const values = new Float32Array(staging.getMappedRange().slice(0))
    staging.destroy()
    return new Map(layers.map(({ layer, at }) => [layer, at.map((i) => values[i]!)]))
  }

  return {
    kernel: 'webgpu',
    step,
    observations,
    dispose() {
      uniforms.destroy()
      cells.destroy()
      observed = { from: 0, to: 0, layers: [] }
    }
  }
}

/** Why each device was lost, once it is. */
const healths = new WeakMap<GPUDevice, { reason?: string }>()

function watch(device: GPUDevice): { reason?: string } {
  const known = healths.get(device)
  if (known) return known
  const health: { reason?: string } = {}
  healths.set(device, health)
  void device.lost.then((info) => {
    health.reason = info.message || info.reason
  })
  return health
}

/** A buffer that is replaced by a larger one when it no longer suffices. What it held is lost. */
function growing(
  device: GPUDevice,
  usage: number
): { readonly buffer: GPUBuffer; reserve(size: number): void; destroy(): void } {
  let buffer: GPUBuffer | null = null
  return {
    get buffer() {
      return buffer!
    },
    reserve(size) {
      if (buffer && buffer.size >= size) return
      buffer?.destroy()
      buffer = device.createBuffer({ size: 4 * Math.ceil((1.25 * size) / 4), usage })
    },
    destroy() {
      buffer?.destroy()
      buffer = null
    }
  }
}

/** Pipelines, made when first used, and bind groups, which last as long as what they bind: from step to step mostly the same. */
function binder(device: GPUDevice, scalarCount: number) {
  const modules = new Map<object, Map<string, GPUComputePipeline>>()
  const groups = new WeakMap<object, Map<GPUComputePipeline, { bound: unknown[]; group: GPUBindGroup }>>()

  const pipelineOf = (module: { code: string }, name: string, width: 1 | 4): GPUComputePipeline => {
    const pipelines = entryOf(modules, module, () => new Map())
    return entryOf(pipelines, name + width, () =>
      device.createComputePipeline({
        layout: 'auto',
        compute: {
          module: device.createShaderModule({ code: prelude(width, scalarCount) + module.code }),
          entryPoint: name
        }
      })
    )
  }
  return (
    owner: object,
    module: { code: string },
    [name, bindings]: WebGpuEntry,
    width: 1 | 4,
    buffers: readonly GPUBuffer[],
    offset: number,
    size: number
  ): { pipeline: GPUComputePipeline; group: GPUBindGroup } => {
    const pipeline = pipelineOf(module, name, width)
    const known = entryOf(groups, owner, () => new Map<GPUComputePipeline, { bound: unknown[]; group: GPUBindGroup }>())
    const last = known.get(pipeline)
    const bound = [offset, ...buffers]
    if (last && bound.every((b, i) => b === last.bound[i])) return { pipeline, group: last.group }
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: bindings.map((binding, i) => ({
        binding,
        resource: binding === 0 ? { buffer: buffers[i]!, offset, size } : { buffer: buffers[i]! }
      }))
    })
    known.set(pipeline, { bound, group })
    return { pipeline, group }
  }
}

function entryOf<K extends object, V>(map: WeakMap<K, V> | Map<K, V>, key: K, make: () => V): V
function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V
function entryOf(
  map: { get(key: unknown): unknown; set(key: unknown, value: unknown): unknown },
  key: unknown,
  make: () => unknown
): unknown {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** The weight, then slots. */
function tensorsOf(layer: Layer): tf.Tensor[] {
  return [layer.variable, ...layer.slots]
}

function replaceTensor(layer: Layer, index: number, fresh: tf.Tensor): void {
  if (index === 0) {
    layer.variable.assign(fresh)
    fresh.dispose()
  } else {
    layer.slots[index - 1]!.dispose()
    layer.slots[index - 1] = tf.keep(fresh)
  }
}

function replaceKept(owner: { cells: tf.Tensor | null }, fresh: tf.Tensor): void {
  owner.cells?.dispose()
  owner.cells = tf.keep(fresh)
}

/** A tensor's record, with its values on the device. */
function recordOf(backend: Backend, tensor: tf.Tensor): TensorRecord {
  const record = backend.tensorMap.get(tensor.dataId)
  backend.uploadToGPU(tensor.dataId)
  return record
}

const unbuffered = new WeakSet<TensorRecord>()

/**
 * A tensor's buffer, to be written: its own where nobody else has it, else a copy's, with which the tensor is replaced.
 *
 * tfjs keeps what it has read back in the record, and a read that is under way while a step runs would put old values there
 * afterwards. So a record that is written in place keeps none.
 */
function ownBuffer(
  backend: Backend,
  tensor: tf.Tensor,
  inPlace: boolean,
  replace: (fresh: tf.Tensor) => void
): GPUBuffer {
  const record = recordOf(backend, tensor)
  if (inPlace && record.refCount === 1 && !record.external) {
    if (!unbuffered.has(record)) {
      Object.defineProperty(record, 'values', { get: () => null, set: () => {} })
      unbuffered.add(record)
    }
    return record.resource
  }
  const fresh = tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo(tensor.shape, 'float32'))
  const copy = recordOf(backend, fresh).resource
  backend.commandEncoder.copyBufferToBuffer(record.resource, 0, copy, 0, 4 * tensor.size)
  // Until the copy is submitted, nobody may have the buffer.
  backend.commandQueueOwnedIds.add(tensor.dataId)
  replace(fresh)
  return copy
}

/** A row of the uniform buffer: the fields of `Layer`, then host scalars, each rounded once. */
function writeRow(rows: ArrayBuffer, offset: number, fields: readonly number[], scalars: Float64Array): void {
  new Uint32Array(rows, offset, FIELDS).set(fields)
  const floats = new Float32Array(rows, offset + 4 * FIELDS, scalars.length)
  // A shader may take infinity for anything; the greatest float compares as infinity would.
  for (let i = 0; i < scalars.length; i++) floats[i] = Math.max(-MOST, Math.min(MOST, scalars[i]!))
}

/** What every kernel has, before its own text. */
function prelude(width: 1 | 4, scalarCount: number): string {
  const lanes = (join: (a: string, b: string) => string): string =>
    width === 1 ? 'x' : join(join('x.x', 'x.y'), join('x.z', 'x.w'))
  const plus = (a: string, b: string): string => `(${a} + ${b})`
  const called = (name: string) => (a: string, b: string) => `${name}(${a}, ${b})`
  const joins = { sum: plus, max: called('max'), min: called('min') }
  const starts = { sum: '0.0', max: `-${MOST}`, min: `${MOST}` }
  const functions = (['sum', 'max', 'min'] as const).map(
    (op) => `
fn ${op}_lanes(x: T) -> f32 { return ${lanes(joins[op])}; }
fn collect_${op}(id: u32, first: u32, count: u32) -> f32 {
  var all = ${starts[op]};
  for (var i = id; i < count;) {
    var group = ${starts[op]};
    for (var m = 0u; m < 8u && i < count; m++) {
      var block = ${starts[op]};
      for (var n = 0u; n < 8u && i < count; n++) {
        block = ${joins[op]('block', 'cells[first + i]')};
        i += ${WORKGROUP}u;
      }
      group = ${joins[op]('group', 'block')};
    }
    all = ${joins[op]('all', 'group')};
  }
  return all;
}`
  )
  return `
alias T = ${width === 1 ? 'f32' : 'vec4f'};
alias B = ${width === 1 ? 'bool' : 'vec4<bool>'};
struct Layer {
  size: u32, span: u32, parts: u32, partials: u32, at: u32, row: u32, rows: u32, table: u32,
  s: array<vec4f, ${Math.max(1, Math.ceil(scalarCount / 4))}>
}
@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var<storage, read_write> cells: array<f32>;
${functions.join('')}
`
}

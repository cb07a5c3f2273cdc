/** What the webgpu driver keeps on a device: buffers that grow, pipelines, bind groups, and the text that all kernels share. */

export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 }

/** Invocations of a workgroup; the kernels are written for it. (A barrier among more is very dear on software GPUs.) */
export const WORKGROUP = 64

interface Health {
  lost?: string
}

const healths = new WeakMap<GPUDevice, Health>()

/** Says why a device was lost, once it is. Of a device that is lost already, a microtask after it was first watched. */
export function watch(device: GPUDevice): Readonly<Health> {
  const known = healths.get(device)
  if (known) return known
  const health: Health = {}
  healths.set(device, health)
  void device.lost.then(({ message, reason }) => {
    health.lost = message || reason
  })
  return health
}

/** A buffer that a larger one replaces when it no longer suffices. What it held is lost. */
export interface Growing {
  readonly buffer: GPUBuffer
  reserve(size: number): void
  destroy(): void
}

export function makeGrowing(device: GPUDevice, usage: number): Growing {
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

/**
 * An entry point of a module, and the bindings it uses: 0 the layer's uniform, 1 the cells, 2 the weight, 3 the gradient, then
 * slots, then scratch.
 */
export type WebGpuEntry = readonly [name: string, bindings: readonly number[]]

/** An entry point with what it is to bind: `buffers` by binding, where 0 is the uniform buffer's window. */
export interface Call {
  readonly module: { readonly code: string }
  readonly entry: WebGpuEntry
  readonly width: 1 | 4
  readonly buffers: readonly GPUBuffer[]
  readonly offset: number
}

interface Bound {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly buffers: readonly GPUBuffer[]
  readonly offset: number
}

/**
 * Makes pipelines when they are first used, and bind groups, which last as long as what they bind: from step to step that
 * is mostly the same. `windowSize` is what a kernel sees of the uniform buffer, in bytes.
 */
export function makeBinder(
  device: GPUDevice,
  scalarCount: number,
  hasViews: boolean,
  windowSize: number
): (owner: object, call: Call) => Pick<Bound, 'pipeline' | 'group'> {
  const pipelines = new Map<WebGpuEntry, { [width in Call['width']]?: GPUComputePipeline }>()
  const groups = new WeakMap<object, Map<GPUComputePipeline, Bound>>()

  function pipelineOf({ module, entry, width }: Call): GPUComputePipeline {
    const mine = pipelines.get(entry) ?? {}
    pipelines.set(entry, mine)
    mine[width] ??= device.createComputePipeline({
      layout: 'auto',
      compute: {
        module: device.createShaderModule({ code: prelude(width, scalarCount, hasViews) + module.code }),
        entryPoint: entry[0]
      }
    })
    return mine[width]
  }

  return (owner, call) => {
    const pipeline = pipelineOf(call)
    const mine = groups.get(owner) ?? new Map<GPUComputePipeline, Bound>()
    groups.set(owner, mine)
    const { entry, offset } = call
    const bindings = entry[1]
    const last = mine.get(pipeline)
    if (last && last.offset === offset && bindings.every((b, i) => last.buffers[i] === call.buffers[b])) return last
    const buffers = bindings.map((b) => call.buffers[b]!)
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: bindings.map((binding, i) => {
        const buffer = buffers[i]!
        return { binding, resource: binding === 0 ? { buffer, offset, size: windowSize } : { buffer } }
      })
    })
    const bound = { pipeline, group, buffers, offset }
    mine.set(pipeline, bound)
    return bound
  }
}

const LARGEST = 3.4028234663852886e38

/**
 * What every kernel has before its own text. `T` is what the kernel sees of a layer at once.
 *
 * `join` adds in blocks of 16, and these in a tree: `held` has the sums of 1, 2, 4, … blocks that wait for one like them.
 */
export function prelude(width: 1 | 4, scalarCount: number, hasViews = false): string {
  const lanes = (join: (a: string, b: string) => string): string =>
    width === 1 ? 'x' : join(join('x.x', 'x.y'), join('x.z', 'x.w'))
  const plus = (a: string, b: string): string => `(${a} + ${b})`
  const called = (name: string) => (a: string, b: string) => `${name}(${a}, ${b})`
  const joins = { sum: plus, max: called('max'), min: called('min') }
  const starts = { sum: '0.0', max: `-${LARGEST}`, min: `${LARGEST}` }
  const functions = (['sum', 'max', 'min'] as const).map(
    (op) => `
fn ${op}_lanes(x: T) -> f32 { return ${lanes(joins[op])}; }
fn join_${op}(first: u32, count: u32, stride: u32) -> f32 {
  var held: array<f32, 32>;
  var blocks = 0u;
  for (var i = 0u; i < count; blocks++) {
    var all = ${starts[op]};
    for (var n = 0u; n < 16u && i < count; n++) {
      all = ${joins[op]('all', 'cells[first + i * stride]')};
      i++;
    }
    var level = 0u;
    for (; ((blocks >> level) & 1u) == 1u; level++) { all = ${joins[op]('held[level]', 'all')}; }
    held[level] = all;
  }
  var all = ${starts[op]};
  for (var level = 0u; (blocks >> level) > 0u; level++) {
    if (((blocks >> level) & 1u) == 1u) { all = ${joins[op]('held[level]', 'all')}; }
  }
  return all;
}
fn collect_${op}(id: u32, first: u32, count: u32) -> f32 {
  return join_${op}(first + id, (count + ${WORKGROUP - 1}u - id) / ${WORKGROUP}u, ${WORKGROUP}u);
}`
  )
  return `
alias T = ${width === 1 ? 'f32' : 'vec4f'};
alias B = ${width === 1 ? 'bool' : 'vec4<bool>'};
alias U = ${width === 1 ? 'u32' : 'vec4u'};
const WIDTH = ${width}u;
const LANES = ${width === 1 ? '0u' : 'vec4u(0u, 1u, 2u, 3u)'};${hasViews ? VIEWS : ''}
struct Layer {
  size: u32, span: u32, parts: u32, partials: u32, at: u32, row: u32, rows: u32, table: u32,${
    hasViews ? '\n  elements: View, eachRow: View, eachCol: View, eachChannel: View,' : ''
  }
  s: array<vec4f, ${Math.max(1, Math.ceil(scalarCount / 4))}>
}
@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var<storage, read_write> cells: array<f32>;
${functions.join('')}
`
}

/**
 * What a pass sweeps over, as matrices, and how it is cut into tiles; and where the layer's values of its level begin.
 * Of a tile, whatever is the same for all invocations: its rows, of those of all matrices, from `top` on, each `step`-th for
 * the same invocation.
 */
const VIEWS = `
struct View { size: u32, at: u32, colSize: u32, rowSize: u32, wide: u32, tall: u32, stripes: u32, blocks: u32 }
struct Tile { stripe: u32, block: u32, matrix: u32, top: u32, bottom: u32, step: u32 }
fn tile_of(view: View, n: u32) -> Tile {
  let stripe = n % view.stripes;
  let block = n / view.stripes;
  let matrix = block / view.blocks;
  let top = matrix * view.colSize + block % view.blocks * view.tall;
  let bottom = min(top + view.tall, (matrix + 1u) * view.colSize);
  return Tile(stripe, block, matrix, top, bottom, ${WORKGROUP}u / view.wide);
}
fn row_parts(view: View) -> u32 { return view.stripes * (view.size / view.rowSize); }
fn col_parts(view: View) -> u32 { return view.blocks * (view.size / view.colSize); }
fn tiles_of(view: View) -> u32 { return view.stripes * view.blocks * (view.size / (view.colSize * view.rowSize)); }`

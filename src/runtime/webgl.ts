/**
 * The driver of the webgl backend: a pass is one draw a layer through tfjs's own context, from the textures of tensors into
 * fresh ones out of tfjs's pool, or into spare ones where nobody else knows the tensor, as many at once as the pass stores.
 * Nothing is read back.
 *
 * What reductions make of a layer stands in a row of a record (src/compiler/emit/texels.ts), one texture for all layers of a
 * variant. A reducing pass draws a tile of partial sums for each layer into an atlas; one more draw brings together those
 * of all layers, and adds a stage to the record.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Vector } from './matrices.js'
import type { CompiledProgram, Driver, Layer, ModelState, Step, StepLayer, Target } from './program.js'
import { replaceTensor } from './tensors.js'
import {
  type Backend,
  fetchOf,
  findMissing,
  type Layout,
  layoutOf,
  makeInfo,
  type TextureData,
  tensorOf
} from './webgl-backend.js'
import { ATLAS, type Device, type Draw, type Input, makeDevice, numbersOf } from './webgl-draw.js'
import {
  type CellText,
  LARGEST,
  type PassText,
  passShader,
  type Reduce,
  shareShader,
  stageShader
} from './webgl-glsl.js'

export interface WebGlStage extends CellText {
  /** The texels of the record that it makes. */
  readonly at: number
  readonly texels: number
}

/**
 * Buffers by number: 0 the weight, 1 the gradient, then slots, then scratch, then what has one value a row, a column or a
 * channel.
 */
export interface WebGlPass extends PassText {
  readonly segment: number
  readonly loads: readonly number[]
  /** Where it knows of rows, columns or channels. */
  readonly lines?: {
    /** What it sweeps over; elements unless said otherwise. */
    readonly over?: Vector
    /** What it reduces to one number of each, and the buffers of these; to numbers of the layer unless said otherwise. */
    readonly of?: Vector
    readonly into?: readonly number[]
  }
  readonly finish?: WebGlStage
}

interface WebGlShare extends CellText {
  readonly numbers: number
}

interface RecordText {
  /** Texels of a record; 0 for none. */
  readonly texels: number
  /** The texel at which state begins; where state stands after the step, in numbers. */
  readonly at: number
  readonly state: readonly number[]
}

/** The kernels of a layer for one assignment of the host conditions. */
export interface WebGlVariant extends RecordText {
  readonly observed: readonly number[]
  readonly passes: readonly WebGlPass[]
  /** For each barrier and each of its draws: what a layer adds to its reductions. */
  readonly shares: readonly (readonly WebGlShare[])[]
  /** What is kept after the step. */
  readonly last?: WebGlStage
}

/** What is computed between segments, in as many draws as it takes. */
export interface WebGlModel extends RecordText {
  readonly barriers: readonly (readonly { readonly reduces: readonly Reduce[]; readonly finish?: WebGlStage }[])[]
}

export interface WebGlKernels {
  readonly variants: readonly WebGlVariant[]
  readonly model?: WebGlModel
}

/** A weight of so many elements is better packed, whoever wants it unpacked: a step takes a half or a third of the time. */
const PACKED = 4096
/** Side of the block of texels that a fragment adds up, and of the largest tile of partial sums. */
const BLOCK = 16
const TILE = 64

/** Runs a pass that has `lines`, in draws of `run`. */
export type RunLines = (pass: WebGlPass, one: Run, device: Device, run: (pass: WebGlPass, one: Run) => void) => void

/** Numbers of records that are tensors outside. */
export interface MoveCells {
  /** Puts state of layers, or of the model, into their rows, and takes it out. */
  enter(backend: Backend, device: Device, to: Records, texture: WebGLTexture): void
  leave(backend: Backend, device: Device, from: Records, texture: WebGLTexture): void
  /** What is observed, a row for each layer. */
  observed(backend: Backend, device: Device, group: Group, texture: WebGLTexture): tf.Tensor
}

/** What not all programs need, in files of its own: `webgl-lines.ts`, `webgl-cells.ts`. */
interface Parts {
  readonly runLines?: RunLines
  readonly moveCells?: MoveCells
}

export function webgl(kernels: WebGlKernels, parts: Parts = {}): Target {
  return {
    backend: 'webgl',
    open(program) {
      const backend = tf.backend() as unknown as Backend
      warnOfFloat16(program)
      const missing = findMissing(backend)
      return missing
        ? `This TensorFlow.js webgl backend has no ${missing}.`
        : openWebGl(kernels, program.scalars, backend, parts)
    }
  }
}

function warnOfFloat16({ name }: CompiledProgram): void {
  if (tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) return
  console.warn(`${name}: TensorFlow.js keeps tensors in float16 here: small gradients vanish, training may go wrong.`)
}

/** A layer, or the model, on its way through a step. */
interface Row {
  readonly holder: Layer | ModelState
  /** Rounded. */
  readonly scalars: Float32Array
  /** Where its partial sums stand: left, top, width, height. */
  readonly tile: readonly [number, number, number, number]
}

export interface Run extends Row {
  readonly step: StepLayer
  /** Of what passes store, and how it is packed. */
  readonly shape: readonly number[]
  readonly packedAs: readonly number[] | undefined
  /** The layout that its reductions go over, and the block of texels that each partial sum is of. */
  readonly at: Layout
  readonly block: readonly [number, number]
  readonly scratch: tf.Tensor[]
  /** What its programs read besides. */
  readonly inputs?: Draw['inputs']
}

/** A record with a row for each layer of a variant, or for the model. */
interface Records<R extends Row = Row, Text extends RecordText = RecordText> {
  readonly text: Text
  readonly rows: readonly R[]
  /** Of its two textures: first the one that has the last stage. */
  readonly names: [string, string]
  /** Its first row in the table of what layers add to the model's sums. */
  readonly first: number
}

type Group = Records<Run, WebGlVariant>

/** What a pass draws into: it lies as `like`; where there is a `state`, this gets the texture. */
interface Output {
  readonly like: tf.TensorInfo
  readonly data: TextureData
  readonly state?: TextureData
}

function openWebGl(
  { variants, model }: WebGlKernels,
  scalarCount: number,
  backend: Backend,
  { runLines, moveCells }: Parts
): Driver {
  const { gl } = backend.gpgpu
  const device = makeDevice(backend)
  const packs = tf.env().getBool('WEBGL_PACK')
  /** Of the textures for partial sums, which also hold the table of what layers add to the model's. */
  let atlasHeight = 1
  /** Of the last step. */
  let groups: readonly Group[] = []
  let whole: Records | null = null
  /** Whether nobody but this optimizer knows the state. */
  let isPrivate = false
  /** By the layout of their textures, and by which output of a draw they are: a draw needs several at once. */
  const spares = new Map<string, tf.TensorInfo>()

  function step({ layers, scalars, model: holder, stateIsPrivate = false }: Step): void {
    isPrivate = stateIsPrivate
    groups = groupsOf(layers)
    const tile = [0, 0, 1, layers.length] as const
    whole = model
      ? { text: model, rows: [{ holder, scalars: rounded(scalars), tile }], names: ['m', 'n'], first: 0 }
      : null
    const all = whole ? [...groups, whole] : groups
    // Before anything stands in it: a texture that grows is a new one.
    for (const { rows } of all) for (const { tile } of rows) atlasHeight = Math.max(atlasHeight, tile[1] + tile[3])
    for (const records of all) begin(records)
    for (let segment = 0; segment <= (model?.barriers.length ?? 0); segment++) {
      for (const group of groups) {
        for (const pass of group.text.passes) {
          if (pass.segment !== segment) continue
          const inputs = recordsFor(group)
          for (const [row, one] of group.rows.entries()) {
            if (pass.lines) runLines!(pass, one, device, (pass, one) => run(pass, one, row, inputs))
            else run(pass, one, row, inputs)
          }
          addStage(group, pass.finish, pass.reduces)
        }
      }
      for (const [i, { reduces, finish }] of model?.barriers[segment]?.entries() ?? []) {
        for (const group of groups) share(group, group.text.shares[segment]?.[i])
        addStage(whole!, finish, reduces)
      }
    }
    for (const group of groups) addStage(group, group.text.last, [])
    for (const records of all) moveCells?.leave(backend, device, records, textureOf(records))
    for (const { scratch } of groups.flatMap((group) => group.rows)) tf.dispose(scratch)
    device.end()
  }

  /** Layers of one variant, side by side in its record and in the atlas. */
  function groupsOf(layers: readonly StepLayer[]): Group[] {
    let first = 0
    return [...new Set(layers.map(({ variant }) => variants[variant]!))].map((text): Group => {
      const place = makeShelves()
      const own = layers.filter(({ variant }) => variants[variant] === text)
      const rows = own.map((one) => rowOf(one, place))
      const name = variants.indexOf(text)
      first += rows.length
      return { text, rows, names: [`a${name}`, `b${name}`], first: first - rows.length }
    })
  }

  function rowOf(step: StepLayer, place: Shelves): Run {
    const { layer, scalars } = step
    const { shape, size } = layer.info
    const at = layoutOf(backend, layer.variable, packs)
    const width = Math.min(at.width, Math.max(BLOCK, Math.ceil(at.width / TILE)))
    const height = Math.max(BLOCK, Math.ceil(at.height / TILE))
    return {
      step,
      holder: layer,
      at,
      shape,
      packedAs: at.packed ? at.shape : packs && size >= PACKED ? shape : undefined,
      scratch: [],
      scalars: rounded(scalars),
      block: [width, height],
      tile: place(Math.ceil(at.width / width), Math.ceil(at.height / height))
    }
  }

  /** What a record holds before its first stage. */
  function begin(records: Records): void {
    const { rows, text } = records
    const { texels } = text
    if (texels === 0) return
    const values = new Float32Array(4 * texels * rows.length)
    const texture = textureOf(records)
    for (const [row, { tile, scalars }] of rows.entries()) {
      values.set(tile, 4 * texels * row)
      values.set(scalars.subarray(0, scalarCount), 4 * (texels * row + 1))
    }
    device.write(texture, texels, rows.length, values)
    moveCells?.enter(backend, device, records, texture)
  }

  function textureOf({ text, rows, names }: Records, which = 0): WebGLTexture {
    return device.texture(names[which]!, text.texels || 1, rows.length)
  }

  /** The textures of records that programs read. */
  function recordsFor(own: Records): Record<string, Input> {
    return { cells: textureOf(own), ...(whole && { cellsOf: textureOf(whole) }) }
  }

  function partsFor(count: number): WebGLTexture[] {
    return Array.from({ length: Math.ceil(count / 4) }, (_, i) => device.texture(`part${i}`, ATLAS, atlasHeight))
  }

  function addStage(own: Records, stage: WebGlStage | undefined, reduces: readonly Reduce[]): void {
    if (!stage) return
    const inputs = recordsFor(own)
    for (const [i, texture] of partsFor(reduces.length).entries()) inputs[`part${i}`] = texture
    device.draw({
      program: device.program(stage, '', () => stageShader(stage, stage.at, stage.texels, reduces)),
      to: [textureOf(own, 1)],
      area: [0, 0, own.text.texels, own.rows.length],
      inputs
    })
    own.names.reverse()
  }

  /** What each layer of a group adds at a barrier. */
  function share(group: Group, text: WebGlShare | undefined): void {
    if (!text) return
    const { first, rows } = group
    device.draw({
      program: device.program(text, '', () => shareShader(text, text.numbers)),
      to: partsFor(text.numbers),
      area: [0, first, 1, rows.length],
      inputs: { ...recordsFor(group), where: [first, 0, 0, 0] }
    })
  }

  /** A pass over one layer: into fresh tensors, which take the place of the old ones, or into its tile of the atlas. */
  function run(pass: WebGlPass, one: Run, row: number, records: ReturnType<typeof recordsFor>): void {
    const { step, at, tile, block, scalars, scratch } = one
    const { layer, gradient } = step
    const outputs = pass.stores.map((buffer, i) => outputFor(one, layer.slots[buffer - 2], i))
    const over = outputs[0] ? layoutOf(backend, outputs[0].like) : at
    const { packed, width, height, size } = over
    const inputs = {
      ...records,
      s: scalars,
      l: numbersOf(over),
      where: [row, size, at.width, at.height],
      blocks: [tile[0], tile[1], block[0], block[1]],
      ...one.inputs
    }
    const buffers = [layer.variable, gradient, ...layer.slots, ...scratch]
    // A texel, or one of its four numbers, may hold no element.
    const masked = (packed ? 4 : 1) * width * height !== size
    const layouts: Layout[] = []
    const fetches = pass.loads.map((buffer) => {
      layouts[buffer] = layoutOf(backend, buffers[buffer]!, packed)
      return fetchOf(over, layouts[buffer], pass.places?.[buffer])
    })
    device.draw({
      program: device.program(pass, `${fetches}${packed}${masked}`, () =>
        passShader(pass, { packed, fetches, masked }, scalarCount)
      ),
      to: over === at ? partsFor(pass.reduces.length) : outputs.map(({ data }) => data.texture!.texture),
      area: over === at ? tile : [0, 0, width, height],
      inputs,
      layouts
    })
    for (const [i, { like, data, state }] of outputs.entries()) {
      const buffer = pass.stores[i]!
      const at = buffer - 2 - layer.slots.length
      if (state) [state.texture, data.texture] = [data.texture, state.texture]
      else if (at >= 0) scratch[at] = tensorOf(like)
      else replaceTensor(layer, Math.max(0, buffer - 1), tensorOf(like))
    }
  }

  /**
   * What is drawn into: a fresh tensor, or, for state that nobody else has seen, a spare texture, which takes the place of
   * the state's own, as that does of the spare one: it costs a fraction of a tensor.
   */
  function outputFor({ shape, packedAs }: Run, slot: tf.TensorInfo | undefined, i: number): Output {
    const fresh = (): tf.TensorInfo => makeInfo(backend, shape, packedAs)
    const state = slot && isPrivate ? backend.texData.get(slot.dataId) : null
    if (!state?.texture || state.shape !== (packedAs ?? shape) || state.isPacked !== !!packedAs) {
      const like = fresh()
      return { like, data: backend.texData.get(like.dataId) }
    }
    const key = `${i},${state.texShape},${state.isPacked}`
    const spare = spares.get(key) ?? fresh()
    spares.set(key, spare)
    return { like: slot!, data: backend.texData.get(spare.dataId), state }
  }

  async function observations(): Promise<Map<Layer, ArrayLike<number>>> {
    // All are asked for before the first answer: a step may end meanwhile.
    const asked = groups.map(async (group): Promise<[Layer, ArrayLike<number>][]> => {
      const { text, rows } = group
      const count = text.observed.length
      if (count === 0) return rows.map(({ step }) => [step.layer, []])
      const tensor = moveCells!.observed(backend, device, group, textureOf(group))
      device.end()
      const values = await tensor.data()
      tensor.dispose()
      return rows.map(({ step }, row) => [step.layer, values.slice(row * count, (row + 1) * count)])
    })
    return new Map((await Promise.all(asked)).flat())
  }

  return {
    kernel: 'webgl',
    lost: () => (gl.isContextLost() ? 'the WebGL context was lost' : null),
    step,
    observations,
    dispose() {
      for (const { dataId } of spares.values()) backend.disposeData(dataId)
      device.destroy()
    }
  }
}

type Shelves = (width: number, height: number) => [number, number, number, number]

/** Places rectangles in rows of the atlas. */
function makeShelves(): Shelves {
  let [x, y, shelf] = [0, 0, 0]
  return (width, height) => {
    if (x + width > ATLAS) [x, y, shelf] = [0, y + shelf, 0]
    x += width
    shelf = Math.max(shelf, height)
    return [x - width, y, width, height]
  }
}

/** Host scalars, each rounded once, in whole vectors. */
function rounded(scalars: Float64Array): Float32Array {
  const values = new Float32Array(4 * ((scalars.length >> 2) + 1))
  // A shader may take infinity for anything; the largest float compares as infinity would.
  for (let i = 0; i < scalars.length; i++) values[i] = Math.max(-LARGEST, Math.min(+LARGEST, scalars[i]!))
  return values
}

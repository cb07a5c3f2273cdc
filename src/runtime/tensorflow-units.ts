/**
 * Which layers the tensorflow driver handles together. An operation costs some 15 µs before it does anything, so small layers
 * that share their scalars lie end to end in one vector: those of equal shape are stacked, by one operation for all of them.
 * A large layer is by itself, cut into blocks: what an operation makes is then still in the cache when the next one reads it.
 */
import type * as tf from '@tensorflow/tfjs-core'
import { matricesOf, type Vector, viewOf } from './matrices.js'
import type { StepLayer } from './program.js'
import type { Handle, Machine } from './tensorflow-backend.js'
import type { TfProgram, TfVariant } from './tensorflow-program.js'

interface Sizes {
  /** Elements of a layer that is still small: beyond, copying costs more than operations of its own. At most `block`. */
  small: number
  /** Elements of a block, and of layers that lie end to end. */
  block: number
}

/**
 * Measured: on the CPU an operation's 15 µs are as long as it takes to copy 65,536 elements to and fro, and blocks of 4 MB
 * stay in the last cache. A GPU copies a hundred times as fast; there blocks only keep what a step needs on the way small.
 * Tests make them smaller.
 */
export const SIZES: { cpu: Sizes; gpu: Sizes } = {
  cpu: { small: 2 ** 16, block: 2 ** 20 },
  gpu: { small: 2 ** 22, block: 2 ** 24 }
}

/** Layers of one shape. */
export interface Piece {
  readonly layers: readonly StepLayer[]
  /** Elements of each. */
  readonly size: number
  /** Where they begin among the layers of the group. */
  readonly first: number
}

/**
 * Pieces that lie end to end, or one layer, which may be cut into blocks. Where there are rows, columns or channels, one piece
 * and one block, seen as matrices of each of its layers.
 */
export interface Unit {
  readonly pieces: readonly Piece[]
  /** What each buffer has one value of, where not all have one an element. */
  readonly overs: TfVariant['overs']
  readonly size: number
  readonly blocks: readonly number[]
  /** By buffer: all elements, or block by block. */
  readonly whole: (Handle | undefined)[]
  readonly parts: (readonly Handle[] | undefined)[]
  /** Buffers that the step has stored. */
  readonly stored: Set<number>
}

/**
 * Layers of one variant with equal scalars, in the order of their units: that of vectors with one number a layer. A large
 * layer is a group by itself, so that its passes run one after the other while its values are in the cache.
 */
export interface Group {
  readonly layers: readonly StepLayer[]
  readonly units: readonly Unit[]
}

export function groupsOf(
  layers: readonly StepLayer[],
  sizes: Sizes,
  { variants, keys = [] }: Pick<TfProgram, 'variants' | 'keys'>
): Group[] {
  const small = new Map<string, StepLayer[]>()
  const large: StepLayer[] = []
  for (const one of layers) {
    const { scalars, variant, layer } = one
    if (layer.info.size > sizes.small) large.push(one)
    else {
      const shared = scalars.filter((_, i) => !keys.includes(i))
      append(small, `${variant}:${new Uint32Array(shared.buffer).join()}`, one)
    }
  }
  // Memory that one layer leaves fits the next.
  large.sort((a, b) => a.layer.info.size - b.layer.info.size)
  return [...small.values(), ...large.map((one) => [one])].map((equal) =>
    stacked(equal, sizes.block, variants[equal[0]!.variant]!.overs)
  )
}

/** Layers of equal shape in pieces, pieces in units, as many as go into a block. */
function stacked(given: readonly StepLayer[], block: number, overs: TfVariant['overs']): Group {
  const shapes = new Map<string, StepLayer[]>()
  for (const one of given) append(shapes, one.layer.info.shape.join(), one)
  const members: StepLayer[][][] = []
  let room = 0
  for (const equal of shapes.values()) {
    const { size } = equal[0]!.layer.info
    const most = Math.max(1, Math.floor(block / size))
    for (let i = 0; i < equal.length; i += most) {
      const piece = equal.slice(i, i + most)
      const needed = piece.length * size
      if (needed <= room) members.at(-1)!.push(piece)
      else members.push([piece])
      room = overs ? 0 : (needed <= room ? room : block) - needed
    }
  }
  const layers = members.flat(2)
  let first = 0
  const units = members.map((pieces): Unit => {
    const numbered = pieces.map((layers): Piece => {
      first += layers.length
      return { layers, size: layers[0]!.layer.info.size, first: first - layers.length }
    })
    const size = numbered.reduce((sum, piece) => sum + piece.layers.length * piece.size, 0)
    const count = overs ? 1 : Math.ceil(size / block)
    const blocks = Array.from({ length: count }, (_, i) => (count === 1 ? size : Math.min(block, size - i * block)))
    return { pieces: numbered, overs, size, blocks, whole: [], parts: [], stored: new Set() }
  })
  return { layers, units }
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

/** As operations see what a unit has one value of for each of these. */
export function shapeOf({ pieces, overs, size }: Unit, over: 'element' | Vector): readonly number[] {
  const { layers } = pieces[0]!
  return overs ? [layers.length, ...viewOf(matricesOf(layers[0]!.layer.info.shape), over)] : [size]
}

export function heldBy({ whole, parts }: Unit): Handle[] {
  return [...whole, ...parts.flat()].filter((handle) => handle !== undefined)
}

/** All elements of a buffer. */
export function wholeOf(m: Machine, unit: Unit, buffer: number): Handle {
  const parts = unit.parts[buffer]
  const known = unit.whole[buffer] ?? (parts && m.concat(parts))
  if (known) {
    unit.whole[buffer] = known
    if (parts && parts.length > 1) for (const part of parts) m.free(part)
    unit.parts[buffer] = undefined
    return known
  }
  const vectors = unit.pieces.map((piece) => vectorOf(m, unit, piece, buffer))
  const whole = m.concat(vectors)
  if (vectors.length > 1) for (const vector of vectors) m.free(vector)
  unit.whole[buffer] = whole
  return whole
}

function vectorOf(m: Machine, unit: Unit, { layers, size }: Piece, buffer: number): Handle {
  const handles = layers.map((layer) => m.handleOf(tensorOf(layer, buffer)))
  const shape = unit.overs ? shapeOf(unit, unit.overs[buffer]!) : [layers.length * size]
  return m.reshape(handles.length === 1 ? handles[0]! : m.flag(m.stack(handles)), shape)
}

function tensorOf({ layer, gradient }: StepLayer, buffer: number): tf.Tensor {
  return buffer === 0 ? layer.variable : buffer === 1 ? gradient : layer.slots[buffer - 2]!
}

/** Leaves a whole buffer to the unit alone, if it is one layer's that nobody else has. */
export function takeFromLayer(m: Machine, { pieces }: Unit, buffer: number): void {
  const layers = pieces.flatMap((piece) => piece.layers)
  if (layers.length > 1) return
  const tensor = tensorOf(layers[0]!, buffer)
  if (m.isOnlyUse(tensor)) m.take(tensor)
}

/** What a unit holds goes to its layers. */
export function commit(m: Machine, unit: Unit): void {
  const slots = unit.pieces[0]!.layers[0]!.layer.slots.length
  for (const buffer of unit.stored) {
    if (buffer >= 2 + slots) continue
    const vectors = m.split(
      wholeOf(m, unit, buffer),
      unit.pieces.map(({ layers, size }) => layers.length * size)
    )
    for (const [i, { layers }] of unit.pieces.entries()) {
      const { shape } = tensorOf(layers[0]!, buffer)
      const values =
        layers.length === 1
          ? [m.reshape(vectors[i]!, shape)]
          : m.unstack(m.once('Reshape', vectors[i]!, m.ints([layers.length, ...shape])), layers.length)
      m.free(vectors[i]!)
      for (const [j, { layer }] of layers.entries()) m.put(layer, buffer === 0 ? 0 : buffer - 1, values[j]!)
    }
  }
  for (const handle of heldBy(unit)) m.free(handle)
  unit.whole.length = unit.parts.length = 0
}

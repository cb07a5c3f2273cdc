/** What the webgl driver uses of tfjs's webgl backend, and how tensors lie in its textures. */
import * as tf from '@tensorflow/tfjs-core'

export interface Backend {
  readonly gpgpu: {
    readonly gl: WebGL2RenderingContext
    readonly framebuffer: WebGLFramebuffer
    /** In use; undefined in a version that does not say. */
    readonly program?: TfProgram | null
    createProgram(fragment: WebGLShader): TfProgram
    buildVao(program: TfProgram): void
    setProgram(program: TfProgram): void
    bindVertexArray(vao: WebGLVertexArrayObject): void
  }
  readonly texData: { get(id: object): TextureData }
  makeTensorInfo(shape: readonly number[], dtype: string): tf.TensorInfo
  disposeData(id: object): void
  uploadToGPU(id: object): void
}

export interface TfProgram extends WebGLProgram {
  readonly vao: WebGLVertexArrayObject
}

/** A tensor's values; `texShape` counts rows and columns of single numbers, also where a texel holds four. */
export interface TextureData {
  texture: { readonly texture: WebGLTexture } | null
  texShape: [number, number] | null
  isPacked: boolean
  /** What packing goes by: not always the tensor's own shape, which may have been changed since. */
  shape: readonly number[]
  readonly slice?: { readonly flatOffset: number } | null
}

const USED =
  'makeTensorInfo disposeData uploadToGPU texData.get gpgpu.createProgram gpgpu.buildVao gpgpu.setProgram gpgpu.bindVertexArray ' +
  'gpgpu.framebuffer gpgpu.gl.drawBuffers'

/** What this version of the backend, or its device, lacks; null if nothing. WebGL 1 has no `drawBuffers`. */
export function findMissing(backend: Backend): string | null {
  for (const path of USED.split(' ')) {
    const found = path
      .split('.')
      .reduce((at: unknown, key) => (at as Record<string, unknown> | undefined)?.[key], backend)
    if (!found) return path
  }
  const { gl } = backend.gpgpu
  return gl.isContextLost() || gl.getExtension('EXT_color_buffer_float') ? null : 'float32 textures'
}

/**
 * How a tensor's elements lie in its texture. Unpacked, element i is texel i, row by row. Packed, a texel holds a block of
 * 2 by 2 of the last two dimensions, blocks are in order, and where rows or columns are odd the last blocks are padded.
 */
export interface Layout {
  readonly texture: WebGLTexture
  readonly packed: boolean
  readonly shape: readonly number[]
  readonly size: number
  /** Of the texture, in texels. */
  readonly width: number
  readonly height: number
  /** Of the last two dimensions; where unpacked, `rows` of the texture. */
  readonly rows: number
  readonly cols: number
  /** Elements before its first, in a slice. */
  readonly offset: number
}

/** A tensor's texture and layout. Where its values are not on the GPU yet, they go there packed if `packed`. */
export function layoutOf(backend: Backend, { dataId }: tf.TensorInfo, packed = false): Layout {
  const data = backend.texData.get(dataId)
  if (!data.texture) {
    if (packed) data.isPacked = true
    backend.uploadToGPU(dataId)
  }
  const { shape, isPacked, texShape, slice } = data
  const { texture } = data.texture!
  const [height, width] = texShape!
  const { length } = shape
  let size = 1
  for (const n of shape) size *= n
  const rows = shape[length - 2] ?? 1
  const cols = shape[length - 1] ?? 1
  return isPacked
    ? { texture, packed: true, shape, size, width: half(width), height: half(height), rows, cols, offset: 0 }
    : { texture, packed: false, shape, size, width, height, rows: height, cols: size, offset: slice?.flatOffset ?? 0 }
}

function half(n: number): number {
  return Math.max(1, Math.ceil(n / 2))
}

/**
 * How an input is read at the texels of another layout.
 * - `D`: the same texel.
 * - `A`: four texels of an unpacked texture whose rows are those of the matrix.
 * - `P`, `U`: element by element, from a packed or an unpacked texture; all that a function has the `place` of.
 */
export type Fetch = 'D' | 'A' | 'P' | 'U'

export function fetchOf(at: Layout, from: Layout, place?: string): Fetch {
  if (place) return from.packed ? 'P' : 'U'
  // Blocks of two rows never reach from one matrix of a batch into the next where rows are even.
  const even = at.rows % 2 === 0
  const { packed, offset } = from
  const aligned = at.width === Math.ceil(at.cols / 2) && from.width === at.cols && from.width * from.height === at.size
  if (at.packed && !packed && offset === 0 && (even || at.size === at.rows * at.cols) && aligned) return 'A'
  const rowsOf = (l: Layout): number => (l.rows % 2 === 0 ? l.size / l.cols : l.rows)
  const same = !packed || (at.cols === from.cols && rowsOf(at) === rowsOf(from))
  if (at.packed === packed && at.width === from.width && at.height === from.height && offset === 0 && same) return 'D'
  return packed ? 'P' : 'U'
}

/** What a fresh tensor has, packed as of that shape if there is one. Its texture, out of tfjs's pool, holds whatever was there. */
export function makeInfo(backend: Backend, shape: readonly number[], packedAs?: readonly number[]): tf.TensorInfo {
  const info = backend.makeTensorInfo(shape, 'float32')
  if (packedAs) Object.assign(backend.texData.get(info.dataId), { isPacked: true, shape: packedAs })
  backend.uploadToGPU(info.dataId)
  return info
}

export const tensorOf = (info: tf.TensorInfo): tf.Tensor => tf.engine().makeTensorFromTensorInfo(info)

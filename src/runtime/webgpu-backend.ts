/** What the webgpu driver uses of tfjs's webgpu backend, none of it public, and how it takes hold of tensors there. */
import * as tf from '@tensorflow/tfjs-core'

export interface Backend {
  readonly device: GPUDevice
  readonly tensorMap: { get(id: object): TensorRecord }
  readonly commandEncoder: GPUCommandEncoder
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

export interface TensorRecord {
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

/** What this version of the backend, or its device, lacks; null if nothing. */
export function findMissing(backend: Backend): string | null {
  for (const name of METHODS) if (typeof backend[name] !== 'function') return `${name}()`
  if (typeof backend.device?.createComputePipeline !== 'function') return 'device'
  if (typeof backend.tensorMap?.get !== 'function') return 'tensorMap'
  if (typeof backend.bufferManager?.acquireBuffer !== 'function') return 'bufferManager'
  if (backend.device.limits.maxStorageBuffersPerShaderStage < 8) return 'room for 8 storage buffers a stage'
  return null
}

/** The device of the current backend, if that has been set up and has one. (`tf.backend()` would set one up.) */
export function currentDevice(): GPUDevice | null {
  const { backendInstance } = tf.engine() as unknown as { readonly backendInstance?: Partial<Backend> | null }
  const device = backendInstance?.device
  return typeof device?.lost?.then === 'function' ? device : null
}

/** A tensor's record, with its values on the device. */
export function recordOf(backend: Backend, tensor: tf.Tensor): TensorRecord {
  const record = backend.tensorMap.get(tensor.dataId)
  backend.uploadToGPU(tensor.dataId)
  return record
}

const written = new WeakSet<TensorRecord>()

/**
 * A tensor's buffer, to be written: its own if nobody else has it, else a copy's, with which the tensor is replaced.
 *
 * tfjs keeps what it has read back in the record, and a read that is under way while a step runs would put old values there
 * afterwards. So a record that is written in place keeps none.
 */
export function own(
  backend: Backend,
  tensor: tf.Tensor,
  inPlace: boolean,
  replace: (fresh: tf.Tensor) => void
): GPUBuffer {
  const record = recordOf(backend, tensor)
  if (inPlace && record.refCount === 1 && !record.external) {
    if (!written.has(record)) Object.defineProperty(record, 'values', { get: () => null, set: () => {} })
    written.add(record)
    return record.resource
  }
  const fresh = tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo(tensor.shape, 'float32'))
  const copy = recordOf(backend, fresh).resource
  backend.commandEncoder.copyBufferToBuffer(record.resource, 0, copy, 0, 4 * tensor.size)
  // If tfjs hands the old buffer on, that is for commands that come after the copy.
  replace(fresh)
  return copy
}

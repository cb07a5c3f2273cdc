/**
 * What the tensorflow driver uses of tfjs-node (tfjs-node-gpu has the same), little of it public: TensorFlow's operations by
 * name on handles of its tensors, and how handles and the tensors of TensorFlow.js are exchanged.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Layer } from './program.js'

interface Attribute {
  readonly name: string
  readonly type: number
  readonly value: unknown
}

interface Metadata {
  readonly id: number
  readonly shape: number[]
  readonly dtype: number
}

interface Binding {
  readonly TF_FLOAT: number
  readonly TF_INT32: number
  readonly TF_BOOL: number
  readonly TF_ATTR_STRING: number
  readonly TF_ATTR_INT: number
  readonly TF_ATTR_BOOL: number
  readonly TF_ATTR_TYPE: number
  readonly TF_ATTR_SHAPE: number
  createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number
  deleteTensor(id: number): void
  tensorDataSync(id: number): Float32Array
  executeOp(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputs: number): Metadata[]
}

/** A tensor of TensorFlow.js: its handle, or values that have not been handed over yet. */
interface TensorRecord {
  id: number
  values: unknown
  readonly refCount: number
}

export interface Backend {
  readonly binding: Binding
  readonly isUsingGpuDevice: boolean
  readonly tensorMap: { get(id: object): TensorRecord }
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[]
  createOutputTensor(metadata: Metadata): tf.Tensor
}

/** TensorFlow's number for float64, which TensorFlow.js has not. */
const DOUBLE = 2

/** What this version of the backend lacks; null if nothing. */
export function findMissing(backend: Backend): string | null {
  for (const name of ['executeOp', 'createTensor', 'deleteTensor', 'tensorDataSync'] as const) {
    if (typeof backend.binding?.[name] !== 'function') return `binding.${name}()`
  }
  for (const name of ['getInputTensorIds', 'createOutputTensor'] as const) {
    if (typeof backend[name] !== 'function') return `${name}()`
  }
  if (typeof backend.tensorMap?.get !== 'function') return 'tensorMap'
  return null
}

/** A tensor of TensorFlow's. Whoever holds it frees it, or the scope that it was made in does. */
export interface Handle {
  readonly id: number
  readonly shape: readonly number[]
}

/** What operations take: a host value stands for a scalar. */
export type TfValue = Handle | number | boolean

/** Attributes: whole numbers, and bools; types by their names. */
export type Attributes = Readonly<Record<string, number | boolean | 'float' | 'double'>>

/** TensorFlow's operations, and the handles that they make. */
export class Machine {
  readonly #backend: Backend
  /** What is to be freed at the end of each scope, the innermost first. */
  readonly #scopes: Set<Handle>[] = []
  /** What is to be freed by the operation that reads it. */
  readonly #once = new Set<Handle>()
  /** Scalars, and those that the step before left and this one has not read. */
  #constants = new Map<string, Handle>()
  #stale = new Map<string, Handle>()
  /** Shapes, axes and sizes: the layers' own, so that there are few. */
  readonly #ints = new Map<string, Handle>()

  constructor(backend: Backend) {
    this.#backend = backend
  }

  /** Frees what was made in `f`, but what it gives, which the scope around then frees. */
  scope<T extends readonly Handle[]>(f: () => T): T {
    const mine = new Set<Handle>()
    this.#scopes.unshift(mine)
    try {
      const given = f()
      for (const handle of given) if (mine.delete(handle)) this.#scopes[1]!.add(handle)
      return given
    } finally {
      for (const handle of mine) this.#delete(handle)
      this.#scopes.shift()
    }
  }

  /** A whole step: everything that is left of it is freed, and constants that it has not read. */
  session(f: () => void): void {
    this.#stale = this.#constants
    this.#constants = new Map()
    try {
      this.scope(() => {
        f()
        return []
      })
    } finally {
      for (const handle of this.#stale.values()) this.#delete(handle)
      this.#stale.clear()
    }
  }

  dispose(): void {
    for (const handle of [...this.#constants.values(), ...this.#ints.values()]) this.#delete(handle)
    this.#constants.clear()
    this.#ints.clear()
  }

  /** Leaves it to the caller: no scope frees it any more. */
  keep(handle: Handle): number {
    this.#forget(handle)
    return handle.id
  }

  /** Frees it now, unless it is free. */
  free(handle: Handle): void {
    if (this.#forget(handle)) this.#delete(handle)
  }

  /** It was made in the innermost scope. */
  isNew(handle: Handle): boolean {
    return this.#scopes[0]!.has(handle)
  }

  #forget(handle: Handle): boolean {
    return this.#scopes.some((scope) => scope.delete(handle))
  }

  #delete(handle: Handle): void {
    this.#once.delete(handle)
    this.#backend.binding.deleteTensor(handle.id)
  }

  /** An operation with one result. */
  op(name: string, ...inputs: TfValue[]): Handle {
    return this.run(name, inputs)[0]!
  }

  /** The same, to be freed by the operation that reads it: the next one finds its memory still in the cache. */
  once(name: string, ...inputs: TfValue[]): Handle {
    return this.flag(this.op(name, ...inputs))
  }

  /** Has the operation that reads it free it. */
  flag(handle: Handle): Handle {
    this.#once.add(handle)
    return handle
  }

  run(name: string, inputs: readonly TfValue[], attributes: Attributes = {}, outputs = 1): Handle[] {
    const handles = inputs.map((input) => (typeof input === 'object' ? input : this.constant(input)))
    const ids = handles.map(({ id }) => id)
    const made = this.#backend.binding.executeOp(name, this.#attributes(attributes), ids, outputs)
    for (const handle of made) this.#scopes[0]!.add(handle)
    for (const handle of handles) if (this.#once.delete(handle)) this.free(handle)
    return made
  }

  #attributes(attributes: Attributes): Attribute[] {
    const { binding } = this.#backend
    return Object.entries(attributes).map(([name, value]) => {
      if (typeof value === 'boolean') return { name, type: binding.TF_ATTR_BOOL, value }
      if (typeof value === 'number') return { name, type: binding.TF_ATTR_INT, value }
      return { name, type: binding.TF_ATTR_TYPE, value: value === 'double' ? DOUBLE : binding.TF_FLOAT }
    })
  }

  /** A scalar. It lives as long as steps read it. */
  constant(value: number | boolean): Handle {
    const key = Object.is(value, -0) ? '-0' : String(value)
    const { binding } = this.#backend
    const make = (): Handle =>
      typeof value === 'boolean'
        ? this.#create([], binding.TF_BOOL, new Uint8Array([Number(value)]))
        : this.#create([], binding.TF_FLOAT, new Float32Array([value]))
    const handle = this.#constants.get(key) ?? this.#stale.get(key) ?? make()
    this.#stale.delete(key)
    this.#constants.set(key, handle)
    return handle
  }

  /** Whole numbers, as a vector, or as a scalar. They stay. */
  ints(values: number | readonly number[]): Handle {
    const key = JSON.stringify(values)
    const handle =
      this.#ints.get(key) ??
      (typeof values === 'number'
        ? this.#create([], this.#backend.binding.TF_INT32, new Int32Array([values]))
        : this.#create([values.length], this.#backend.binding.TF_INT32, Int32Array.from(values)))
    this.#ints.set(key, handle)
    return handle
  }

  #create(shape: number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): Handle {
    return { id: this.#backend.binding.createTensor(shape, dtype, values), shape }
  }

  /** Numbers of the host. */
  upload(values: Float32Array, shape: readonly number[]): Handle {
    const handle = this.#create([...shape], this.#backend.binding.TF_FLOAT, values)
    this.#scopes[0]!.add(handle)
    return handle
  }

  reshape(x: Handle, shape: readonly number[]): Handle {
    return this.run('Reshape', [x, this.ints(shape)])[0]!
  }

  /** Along the first dimension. One is given as it is. */
  concat(parts: readonly Handle[], type: 'float' | 'double' = 'float'): Handle {
    if (parts.length === 1) return parts[0]!
    return this.run('ConcatV2', [...parts, this.ints(0)], { T: type, N: parts.length })[0]!
  }

  /** Along the first dimension, into parts of these sizes: views where TensorFlow's alignment allows it. */
  split(x: Handle, sizes: readonly number[]): readonly Handle[] {
    if (sizes.length === 1) return [x]
    return this.run('SplitV', [x, this.ints(sizes), this.ints(0)], { num_split: sizes.length }, sizes.length)
  }

  /** Along a new first dimension. */
  stack(parts: readonly Handle[], axis = 0): Handle {
    return this.run('Pack', parts, { T: 'float', N: parts.length, axis })[0]!
  }

  /** Along the dimension that `stack` made. */
  unstack(x: Handle, num: number, axis = 0): readonly Handle[] {
    return this.run('Unpack', [x], { num, axis }, num)
  }

  /** A resource of TensorFlow's, the place that its training kernels write. It stays until `destroy`. */
  variable(): Handle {
    const { binding } = this.#backend
    const attributes = [
      { name: 'container', type: binding.TF_ATTR_STRING, value: '' },
      { name: 'shared_name', type: binding.TF_ATTR_STRING, value: `optc${variables++}` },
      { name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      // It takes tensors of any shape: nothing checks.
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: [] }
    ]
    return binding.executeOp('VarHandleOp', attributes, [], 1)[0]!
  }

  destroy(variable: Handle): void {
    this.#backend.binding.executeOp('DestroyResourceOp', [], [variable.id], 0)
    this.#delete(variable)
  }

  /** The handle of a tensor, which stays the tensor's. */
  handleOf(tensor: tf.Tensor): Handle {
    return { id: this.#backend.getInputTensorIds([tensor])[0]!, shape: tensor.shape }
  }

  /** Nobody but this tensor has its record. */
  isOnlyUse(tensor: tf.Tensor): boolean {
    return this.#backend.tensorMap.get(tensor.dataId).refCount === 1
  }

  /** Takes a tensor's handle away: until `put`, it has no value. */
  take(tensor: tf.Tensor): void {
    const record = this.#backend.tensorMap.get(tensor.dataId)
    this.#backend.binding.deleteTensor(record.id)
    record.id = -1
  }

  /**
   * Makes a handle the value of a layer's weight (0) or slot. TensorFlow writes no memory that two handles share, so that
   * only the record matters: a clone has the same, and keeps its value.
   */
  put(layer: Layer, index: number, handle: Handle): void {
    const tensor = index === 0 ? layer.variable : layer.slots[index - 1]!
    const record = this.#backend.tensorMap.get(tensor.dataId)
    const id = this.keep(handle)
    if (record.refCount === 1) {
      if (record.id >= 0) this.#backend.binding.deleteTensor(record.id)
      record.values = null
      record.id = id
      return
    }
    const fresh = this.tensorOf(handle)
    if (index === 0) {
      layer.variable.assign(fresh)
      fresh.dispose()
    } else {
      tensor.dispose()
      layer.slots[index - 1] = tf.keep(fresh)
    }
  }

  /** A tensor that owns the handle. */
  tensorOf(handle: Handle): tf.Tensor {
    const { TF_FLOAT } = this.#backend.binding
    return this.#backend.createOutputTensor({ id: this.keep(handle), shape: [...handle.shape], dtype: TF_FLOAT })
  }

  read(handle: Handle): Float32Array {
    return this.#backend.binding.tensorDataSync(handle.id)
  }
}

/** How many resources were made: each has a name of its own. */
let variables = 0

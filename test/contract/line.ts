/**
 * A line of the contract: a sentence, and a check that throws where it does not hold. Checks run wherever TensorFlow.js does,
 * in a browser too, so they use nothing but it and what stands here.
 */
import * as tf from '@tensorflow/tfjs'
import type { KernelName } from '../../src/runtime/program.js'
import type { Compiled, CompiledClass } from '../../src/testing/session.js'

/** A driver, and the backend that it runs on. */
export interface Place {
  readonly kernel: KernelName
  readonly backend: string
  /** Another backend of this process, to which tensors can be moved. */
  readonly other: string
  readonly Optimizer: CompiledClass
}

export interface Line {
  readonly says: string
  readonly check: (place: Place) => Promise<void>
  /** Why it says nothing where this kernel runs. */
  readonly not?: Readonly<Partial<Record<KernelName, string>>>
  /** On webgpu it can be tried in a browser only: why. */
  readonly inBrowser?: string
  /** What it is tried with: both where it may matter how a step is computed. */
  readonly by: readonly ('EveryKind' | 'Adam')[]
}

export type Variables = Readonly<Record<string, tf.Variable>>

/** Of several ranks, and of sizes that fill no vector. */
export const SHAPES: Readonly<Record<string, number[]>> = { 'first/kernel': [3, 5], 'first/bias': [5], scale: [] }

/** Numbers in [−1, 1], the same each time. */
export function wave(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1 + 0.7 * (i + 1) * (seed + 2)))
}

export function makeVariables(shapes: Readonly<Record<string, number[]>> = SHAPES): Variables {
  const made = Object.entries(shapes).map(([name, shape], i) => {
    const values = wave(tf.util.sizeFromShape(shape), i)
    return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape, 'float32'), true, name))] as const
  })
  return Object.fromEntries(made)
}

/** Gradients of a step, from 1. */
export function gradientsOf(variables: Variables, t: number): Record<string, tf.Tensor> {
  const made = Object.entries(variables).map(([name, { size, shape }], i) => {
    return [name, tf.tensor(wave(size, 10 * t + i), shape, 'float32')] as const
  })
  return Object.fromEntries(made)
}

/** Gives an optimizer the gradients of a step, in one of the ways that there are. */
export type Give = (optimizer: Compiled, gradients: Record<string, tf.Tensor>, variables: Variables) => void

export const asMap: Give = (optimizer, gradients) => optimizer.applyGradients(gradients)

/** Steps from one on. */
export function steps(optimizer: Compiled, variables: Variables, from: number, to: number, give = asMap): void {
  for (let t = from; t <= to; t++) {
    const gradients = gradientsOf(variables, t)
    give(optimizer, gradients, variables)
    tf.dispose(gradients)
  }
}

/** Numbers, bit by bit, by name. */
export type Held = Readonly<Record<string, string>>

/** Of the backend that is current, to which the tensors go. */
export async function bitsOf(tensors: Readonly<Record<string, tf.Tensor>>): Promise<Held> {
  const held: Record<string, string> = {}
  for (const [name, tensor] of Object.entries(tensors)) {
    const { dtype, shape } = tensor
    // TensorFlow.js keeps what it once read, or was given, beside what is on the device: only that would tell of a write.
    // Whole numbers are bits of float64, which a device of float32 may not hold; nothing computes with them there.
    const there = dtype === 'float32' ? tf.mul(tensor, 1) : tf.clone(tensor)
    const values = (await there.data()).slice() as Float32Array | Int32Array
    there.dispose()
    held[name] = `${dtype} [${shape}] ${new Uint32Array(values.buffer).join()}`
  }
  return held
}

/** All that an optimizer keeps. */
export async function stateOf(optimizer: Compiled): Promise<Held> {
  return bitsOf(Object.fromEntries((await optimizer.getWeights()).map(({ name, tensor }) => [name, tensor])))
}

/** Weights, and all that the optimizer keeps. */
export async function everything(optimizer: Compiled, variables: Variables): Promise<Held> {
  const weights = await bitsOf(variables)
  const state = await stateOf(optimizer)
  const under = (what: string, held: Held) => Object.entries(held).map(([name, bits]) => [`${what} ${name}`, bits])
  return Object.fromEntries([...under('weight', weights), ...under('state', state)])
}

/** Names of what differs, or is on one side only. */
function differing(one: Held, other: Held): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name])
}

export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

export function mustBeEqual(what: string, one: Held, other: Held): void {
  must(Object.keys(one).length > 0, `${what}: there is nothing to compare`)
  const found = differing(one, other)
  must(found.length === 0, `${what}: not equal to the bit: ${found.join(', ')}`)
}

/** Each of the first is in the second, and has changed somewhere. */
export function mustAllDiffer(what: string, one: Held, other: Held): void {
  must(Object.keys(one).length > 0, `${what}: there is nothing to compare`)
  const same = Object.keys(one).filter((name) => other[name] === undefined || one[name] === other[name])
  must(same.length === 0, `${what}: unchanged or gone: ${same.join(', ')}`)
}

/** That part of it which is of these layers. */
export function partOf(held: Held, ...names: string[]): Held {
  return Object.fromEntries(
    Object.entries(held).filter(([key]) => names.some((name) => key.endsWith(` ${name}`) || key.includes(` ${name}/`)))
  )
}

/** Of everything, the weights. */
export function weightsIn(held: Held): Held {
  return Object.fromEntries(Object.entries(held).filter(([name]) => name.startsWith('weight ')))
}

export type Memory = Readonly<Record<string, number>>

export function memory(): Memory {
  const { numTensors, numDataBuffers, numBytes } = tf.memory()
  return { numTensors, numDataBuffers, numBytes }
}

/** And what the backend has taken of the device, where it counts that. It keeps some of it for later. */
export function memoryWithDevice(): Memory {
  const { numBytesInGPU } = tf.memory() as tf.MemoryInfo & { readonly numBytesInGPU?: number }
  return { ...memory(), ...(numBytesInGPU !== undefined && { numBytesInGPU }) }
}

export function mustHoldNoMore(when: string, before: Memory, now = memory()): void {
  const more = Object.keys(before).filter((key) => now[key] !== before[key])
  must(more.length === 0, `${when}: ${more.map((key) => `${key} ${before[key]} → ${now[key]}`).join(', ')}`)
}

/** What an optimizer and its variables hold after some work, which leaves nothing behind. */
export async function outcome(
  { Optimizer, kernel }: Place,
  work: (optimizer: Compiled, variables: Variables) => unknown,
  shapes = SHAPES
): Promise<Held> {
  const variables = makeVariables(shapes)
  const optimizer = new Optimizer({})
  try {
    await work(optimizer, variables)
    must(optimizer.kernel === kernel, `it ran as ${optimizer.kernel}`)
    return await everything(optimizer, variables)
  } finally {
    optimizer.dispose()
    tf.dispose(variables)
  }
}

/** Checks a line: on its backend, from a clean slate, which it must leave as it found it. */
export async function hold({ check }: Line, place: Place): Promise<void> {
  await tf.setBackend(place.backend)
  await tf.ready()
  const before = memory()
  try {
    await check(place)
  } catch (error) {
    // Names of variables are taken until they are disposed, so that one failure would look like many.
    tf.disposeVariables()
    throw error
  }
  mustHoldNoMore('left behind', before)
}

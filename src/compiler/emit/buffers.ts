/** The arrays that a pass goes over: their numbers, and what to call them and their elements. */
import type { Program } from '../check/program.js'
import { bufferName } from '../plan/names.js'
import { sameBuffer } from '../plan/order.js'
import type { Buffer, Pass } from '../plan/plan.js'

/** The numbering of the runtime: the weight, the gradient, slots that are tensors as declared, scratch. Vectors stand apart. */
export function bufferIndex(program: Program, buffer: Buffer): number {
  const slots = program.slots.filter((s) => s.over !== 'layer' && s.over !== 'model').map((s) => s.name)
  switch (buffer.kind) {
    case 'weight':
      return 0
    case 'gradient':
      return 1
    case 'slot':
      return 2 + slots.indexOf(buffer.name)
    case 'scratch':
      return 2 + slots.length + buffer.index
    case 'vector':
      throw new Error('a vector is no buffer of elements')
  }
}

export function isVectorBuffer(buffer: Buffer): buffer is Buffer & { readonly kind: 'vector' } {
  return buffer.kind === 'vector'
}

/** Buffers that a pass loads, then those that it only stores. */
export function buffersOf(program: Program, pass: Pass): Buffer[] {
  const all = [...pass.loads, ...pass.stores.map((s) => s.to)]
  return [...new Map(all.map((b) => [bufferIndex(program, b), b])).values()]
}

/** The name of a value that a pass reads: `m0` where the pass stores a new `m`. */
export function readName(program: Program, pass: Pass, from: Buffer): string {
  const stored = pass.stores.some((s) => sameBuffer(s.to, from))
  return `${bufferName(program, from)}${stored ? '0' : ''}`
}

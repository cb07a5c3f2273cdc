/** The arrays that a pass goes over: their numbers, and what to call them and their elements. */
import type { Program } from '../check/program.js'
import { bufferName } from '../plan/names.js'
import { sameBuffer } from '../plan/order.js'
import type { Buffer, Pass } from '../plan/plan.js'

/** The numbering of the runtime: the weight, the gradient, slots that are tensors as declared, scratch. Vectors stand apart. */
export function bufferIndex(program: Program, buffer: Buffer): number {
  const slots = tensorSlots(program).map((s) => s.name)
  switch (buffer.kind) {
    case 'weight':
      return 0
    case 'gradient':
      return 1
    case 'slot':
      return 2 + slots.indexOf(buffer.name)
    case 'scratch':
      return bufferCount(program) + buffer.index
    case 'vector':
      throw new Error('a vector is no buffer of elements')
  }
}

/** How many there are that outlive a step. */
export function bufferCount(program: Program): number {
  return 2 + tensorSlots(program).length
}

export function tensorSlots(program: Program): Program['slots'] {
  return program.slots.filter((s) => s.over !== 'layer' && s.over !== 'model')
}

export function isVectorBuffer(buffer: Buffer): buffer is Buffer & { readonly kind: 'vector' } {
  return buffer.kind === 'vector'
}

/** The name of a value that a pass reads: `m0` where the pass stores a new `m`. */
export function readName(program: Program, pass: Pass, from: Buffer): string {
  const stored = pass.stores.some((s) => sameBuffer(s.to, from))
  return `${bufferName(program, from)}${stored ? '0' : ''}`
}

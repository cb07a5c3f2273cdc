/** The arrays that a pass goes over: their numbers, and what to call them and their elements. */
import type { Program } from '../check/program.js'
import { bufferName } from '../plan/names.js'
import type { Buffer, Pass } from '../plan/plan.js'

/** The numbering of the runtime: the weight, the gradient, slots as declared, scratch. */
export function bufferIndex(program: Program, buffer: Buffer): number {
  const slots = program.slots.filter((s) => s.over === 'element').map((s) => s.name)
  if (buffer.kind === 'weight') return 0
  if (buffer.kind === 'gradient') return 1
  return buffer.kind === 'slot' ? 2 + slots.indexOf(buffer.name) : 2 + slots.length + buffer.index
}

/** Buffers that a pass loads, then those that it only stores. */
export function buffersOf(program: Program, pass: Pass): Buffer[] {
  const all = [...pass.loads, ...pass.stores.map((s) => s.to)]
  return [...new Map(all.map((b) => [bufferIndex(program, b), b])).values()]
}

/** The name of a value that a pass reads: `m0` where the pass stores a new `m`. */
export function readName(program: Program, pass: Pass, from: Buffer): string {
  const index = bufferIndex(program, from)
  const stored = pass.stores.some((s) => bufferIndex(program, s.to) === index)
  return `${bufferName(program, from)}${stored ? '0' : ''}`
}

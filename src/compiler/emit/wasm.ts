/** The wasm target: the same passes as the cpu target's, inside TensorFlow.js's own heap. `src/runtime/wasm.ts` runs them. */
import { IDEAL, type Plan } from '../plan/plan.js'
import type { EmitContext, Emitted, Emitter } from './emitter.js'
import { kernelsOf, printPasses } from './passes.js'

export const wasm: Emitter = {
  target: 'wasm',
  abilities: { ...IDEAL, target: 'wasm', recomputes: false },
  assembles: true,
  emit
}

function emit(plan: Plan, { assemble }: EmitContext): Emitted {
  const { name, declarations, imports } = printPasses(plan, kernelsOf(plan), assemble)
  return { declarations, expression: `wasm(${name})`, imports: { ...imports, wasm: ['wasm'] } }
}

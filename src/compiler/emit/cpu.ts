/** The cpu target: passes over elements as WebAssembly, and the same in JavaScript. `src/runtime/cpu.ts` runs either. */
import { IDEAL, type Plan } from '../plan/plan.js'
import type { EmitContext, Emitted, Emitter } from './emitter.js'
import { NOISE, printPass } from './javascript.js'
import { ascii } from './names.js'
import { kernelsOf, printPasses } from './passes.js'
import { object } from './text.js'

export const cpu: Emitter = {
  target: 'cpu',
  abilities: { ...IDEAL, target: 'cpu', recomputes: false },
  assembles: true,
  emit
}

function emit(plan: Plan, { assemble }: EmitContext): Emitted {
  const kernels = kernelsOf(plan)
  const { name, declarations, imports } = printPasses(plan, kernels, assemble)
  const own = `cpu${ascii(plan.program.name)}`
  const inJavaScript = object(
    kernels
      .filter((k) => k.pass.domain === 'element')
      .map((k) => [k.name, printPass(plan.program, k.variant.vectors, k.pass, k.numbers)])
  )
  const draws = inJavaScript.includes(`${NOISE}(`)
  return {
    declarations: [...declarations, `// Passes in JavaScript:\nconst ${own}: CpuKernels = ${inJavaScript}`],
    expression: `cpu(${name}, ${own})`,
    imports: { ...imports, cpu: ['cpu', 'type CpuKernels', ...(draws ? [NOISE] : [])] }
  }
}

/** A class from a Plan, without a file: what is printed of it is what `optc compile` prints, changed on the way. */
import { transformSync } from 'esbuild'
import { compile } from 'watr'
import type { Emitted } from '../../src/compiler/emit/emitter.js'
import { printProgram } from '../../src/compiler/emit/host.js'
import { TARGETS } from '../../src/compiler/emit/targets.js'
import type { Plan } from '../../src/compiler/plan/plan.js'

/** Kernel text on its way into a class. */
export interface Text {
  /** What the target declares, without comments. */
  readonly kernels: string
  /** What the assembler is given; '' where there is none. */
  readonly wat: string
  /** The `CompiledProgram`. */
  readonly host: string
}
export type Change = (text: Text) => Text

const uncommented = (text: string): string => text.replace(/(^|\s)\/\/ .*/g, '$1')

export function textOf(plan: Plan): Text {
  let wat = ''
  const { declarations } = emit(plan, (text) => {
    wat = text.replace(/ ;; .*/g, '')
    return wat
  })
  return { kernels: uncommented(declarations.join('\n')), wat, host: uncommented(printProgram(plan, new Set())) }
}

function emit(plan: Plan, assembled: (wat: string) => string): Emitted {
  const emitter = TARGETS.find((e) => e.target === plan.abilities.target)!
  return emitter.emit(plan, { assemble: (wat) => new Uint8Array(compile(assembled(wat))) })
}

/** The class of a plan whose text is changed, as text that `classFrom` brings to life. */
export function classOf(plan: Plan, change: Change = (text) => text): string {
  const text = change(textOf(plan))
  const { declarations, expression } = emit(plan, (wat) => (text.wat === '' ? wat : text.wat))
  // The changed module comes as bytes, in the declarations as they are printed now; all else is as it was changed.
  const bytes = /^ *module: '.*'$/m
  const module = declarations.flatMap((text) => bytes.exec(text) ?? [])[0]
  const kernels = module ? text.kernels.replace(bytes, () => module) : text.kernels
  const source = `${kernels}
    const program = ${text.host}
    export default class extends CompiledOptimizer {
      static className = 'Mutant'
      constructor(options) { super(program, [${expression}], options) }
    }`
  return transformSync(source, { loader: 'ts', format: 'cjs', logLevel: 'silent' }).code
}

/** What every target's emitter is: data about the target, and one pure function from its Plan to text. */
import type { Abilities, Plan } from '../plan/plan.js'
import { quote } from './text.js'

/** Turns WebAssembly text into a module's bytes. Injected, so that the compiler itself loads no assembler. */
export type Assemble = (wat: string) => Uint8Array

export interface EmitContext {
  readonly assemble: Assemble
}

export interface Emitted {
  /**
   * TypeScript, top-level: constants and functions that `expression` uses. Every name starts with that of a module in
   * `imports` and the optimizer's ASCII name (`cpuLAMB…`), because one file may hold several optimizers.
   * The kernel stands here as readable text, with the formula it came from beside it.
   * What several targets declare alike, to the letter, stands once in a file.
   */
  readonly declarations: readonly string[]
  /** TypeScript expression of type `Target`: `cpu({ … })`. */
  readonly expression: string
  /** What they import, by module of the runtime: `{ cpu: ['cpu'] }`, from `optc-lang/runtime/cpu`. */
  readonly imports: Readonly<Record<string, readonly string[]>>
  /** Whether they read '@tensorflow/tfjs-core' as `tf`. */
  readonly core?: boolean
}

/** Stands for a target that can't run a program: a driver for any backend is taken, and the optimizer's plan says why. */
export function leftOut({ target }: Emitter): Emitted {
  const reason = `The target "${target}" has no pass that loads as many tensors as this program needs.`
  return { declarations: [], expression: `{ backend: '${target}', open: () => ${quote(reason)} }`, imports: {} }
}

export interface Emitter {
  /** `--target` name, the emitter's file name and the runtime module's: 'cpu', 'webgpu', 'ops'. */
  readonly target: string
  readonly abilities: Abilities
  /** Whether it uses `EmitContext.assemble`. */
  readonly assembles?: true
  emit(plan: Plan, context: EmitContext): Emitted
}

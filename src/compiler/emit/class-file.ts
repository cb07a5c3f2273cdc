/** What a generated file holds, and what prints it: data, so that the compiler itself loads no printer. */
import type { Program, Schedule } from '../check/program.js'
import type { Emitted } from './emitter.js'

export interface ClassFile {
  /** The name of the `.opt` file, for the header. */
  readonly source: string
  /** The runtime's module; its drivers stand below it: `optc-lang/runtime`, `optc-lang/runtime/cpu`. */
  readonly importFrom: string
  readonly optimizers: readonly OptimizerSheet[]
  readonly schedules: readonly Schedule[]
}

export interface OptimizerSheet {
  readonly program: Program
  /** An object literal of type `CompiledProgram`. */
  readonly compiled: string
  /** Whether it reads '@tensorflow/tfjs-core' as `tf`, and what it wants of the runtime's `ops` module. */
  readonly uses: ReadonlySet<string>
  /** By target, in the order in which drivers are tried. */
  readonly targets: readonly (readonly [target: string, emitted: Emitted])[]
}

/** A generated file by the end of its name: `.ts`, `.js`, `.d.ts`. */
export interface PrintedFile {
  readonly extension: string
  readonly text: string
}

export type Print = (file: ClassFile, form: 'ts' | 'js') => readonly PrintedFile[]

/** From the text of an optimizer to something that can be judged: its reference, and its compiled class. */
import { compile as assemble } from 'watr'
import type { Program } from '../compiler/check/program.js'
import { analyse, build } from '../compiler/compile.js'
import type { Diagnostic } from '../compiler/diagnostics.js'
import { print } from '../compiler/emit/classes.js'
import { type Load, link } from '../compiler/syntax/modules.js'
import { reference } from '../reference/index.js'
import { importPrinted, RUNTIME } from './compiled.js'
import type { Subject } from './harness.js'
import type { CompiledClass } from './session.js'

export interface SubjectOptions {
  /** Which targets to compile for; the first that the current backend can use runs. */
  readonly targets?: readonly string[]
  /** The optimizer of the file; the first by default. */
  readonly name?: string
  readonly path?: string
  readonly load?: Load
  /** What is compiled in the program's place; the reference stays that of the text. */
  readonly change?: (program: Program) => Program
}

/** The program has errors: what the compiler says of it. */
export class NotCompiled extends Error {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'))
    this.diagnostics = diagnostics
  }
}

/** Compiles the program for these targets and loads the class. */
export async function subjectOf(source: string, options: SubjectOptions = {}): Promise<Subject> {
  const { path = 'optimizer.opt', load, targets, change = (program) => program } = options
  const program = change(programOf(source, options))
  const { code } = build(
    { optimizers: [program], schedules: [] },
    { path, ...(load && { load }), ...(targets && { targets }), emit: 'js', importFrom: RUNTIME, print, assemble }
  )
  const { [program.name]: Optimizer } = await importPrinted(code)
  return judged(source, options, Optimizer as CompiledClass)
}

/** A class that has been compiled from this text before. */
export function judged(source: string, options: SubjectOptions, Optimizer: CompiledClass): Subject {
  const { path = 'optimizer.opt', load = () => null } = options
  const program = programOf(source, options)
  return {
    reference: reference(link(source, path, load).module, program.name),
    Optimizer,
    program,
    signature: { hypers: program.hypers, masks: program.masks.map((m) => m.name), seeded: program.seeded },
    again: (change) => subjectOf(source, { ...options, change: (p) => change(options.change?.(p) ?? p) })
  }
}

/** The names of the optimizers in a text, in order. */
export function optimizersIn(source: string, options: SubjectOptions = {}): readonly string[] {
  return checkedOf(source, options).map((program) => program.name)
}

function programOf(source: string, options: SubjectOptions): Program {
  const programs = checkedOf(source, options)
  const found = options.name === undefined ? programs[0] : programs.find((p) => p.name === options.name)
  if (!found) throw new Error(`there is no optimizer ${options.name ?? ''} in ${options.path ?? 'the text'}`)
  return found
}

function checkedOf(source: string, { path = 'optimizer.opt', load }: SubjectOptions): readonly Program[] {
  const { checked, diagnostics } = analyse(source, path, load)
  if (diagnostics.some((d) => d.severity === 'error')) throw new NotCompiled(diagnostics)
  return checked.optimizers
}

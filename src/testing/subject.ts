/** From the text of an optimizer to something that can be judged: its reference, and its compiled class. */
import { compile as assemble } from 'watr'
import type { Program } from '../compiler/check/program.js'
import { analyse, build } from '../compiler/compile.js'
import type { Diagnostic } from '../compiler/diagnostics.js'
import { print } from '../compiler/emit/classes.js'
import { type Load, link } from '../compiler/syntax/modules.js'
import { type Law, reference } from '../reference/index.js'
import { signatureOf } from './case.js'
import { importPrinted, RUNTIME } from './compiled.js'
import type { RemoteSubject, Subject } from './harness.js'
import type { CompiledClass, Slots } from './session.js'

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
  const { code, name } = printed(source, options)
  const { [name]: Optimizer } = await importPrinted(code)
  return judged(source, options, Optimizer as CompiledClass)
}

/** The same, with the class brought to life elsewhere: `bring` takes its module's text and its name there. */
export async function remoteSubjectOf(
  source: string,
  options: SubjectOptions,
  bring: (code: string, name: string, slots: Slots) => Promise<RemoteSubject['run']>
): Promise<RemoteSubject> {
  const { code, name } = printed(source, options)
  const { reference, program, signature } = partsOf(source, options)
  return { reference, program, signature, run: await bring(code, name, { slots: reference.slots }) }
}

function printed(source: string, options: SubjectOptions): { code: string; name: string } {
  const { path = 'optimizer.opt', load, targets, change = (program) => program } = options
  const program = change(programOf(source, options))
  const { code } = build(
    { optimizers: [program], schedules: [] },
    { path, ...(load && { load }), ...(targets && { targets }), emit: 'js', importFrom: RUNTIME, print, assemble }
  )
  return { code, name: program.name }
}

/** A class that has been compiled from this text before. */
export function judged(source: string, options: SubjectOptions, Optimizer: CompiledClass): Subject {
  return { ...partsOf(source, options), Optimizer }
}

function partsOf(source: string, options: SubjectOptions): Omit<Subject, 'Optimizer'> {
  const { path = 'optimizer.opt', load = () => null } = options
  const program = programOf(source, options)
  return {
    reference: reference(link(source, path, load).module, program.name),
    program,
    signature: signatureOf(program),
    again: (change) => subjectOf(source, { ...options, change: (p) => change(options.change?.(p) ?? p) })
  }
}

/** What the author of an optimizer claims of it; nothing of a text that has errors. */
export function lawsIn(
  source: string,
  { path = 'optimizer.opt', load = () => null, name }: SubjectOptions
): readonly Law[] {
  const wrong = analyse(source, path, load).diagnostics.some((d) => d.severity === 'error')
  return wrong ? [] : reference(link(source, path, load).module, name).laws
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

/** From the text of an optimizer to something that can be judged: its reference, and its compiled class. */
import { compile as assemble } from 'watr'
import { compile } from '../compiler/compile.js'
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
}

/** The program has errors: what the compiler says of it. */
export class NotCompiled extends Error {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'))
    this.diagnostics = diagnostics
  }
}

export async function subjectOf(source: string, options: SubjectOptions = {}): Promise<Subject> {
  const { name, path = 'optimizer.opt', load = () => null, targets } = options
  const { code, diagnostics, plans } = compile(source, {
    path,
    load,
    ...(targets && { targets }),
    emit: 'js',
    importFrom: RUNTIME,
    print,
    assemble
  })
  if (code === '') throw new NotCompiled(diagnostics)
  const { program } = (name === undefined ? plans[0] : plans.find((p) => p.name === name))!.plan
  const { [program.name]: Optimizer } = await importPrinted(code)
  return {
    reference: reference(link(source, path, load).module, program.name),
    Optimizer: Optimizer as CompiledClass,
    signature: { hypers: program.hypers, masks: program.masks.map((m) => m.name) }
  }
}

/**
 * The compiler on one screen: text → tree → typed program → a Plan for each target → kernels → one file of TypeScript.
 * Pure: the same source and options give the same result, and files, printing and assembling come in from outside.
 */
import { check } from './check/check.js'
import type { CheckedFile, Program } from './check/program.js'
import type { Diagnostic } from './diagnostics.js'
import type { OptimizerSheet, Print } from './emit/class-file.js'
import { type Assemble, type Emitter, leftOut } from './emit/emitter.js'
import { printHost, printProgram } from './emit/host.js'
import { TARGETS } from './emit/targets.js'
import { problems } from './messages.generated.js'
import type { Plan } from './plan/plan.js'
import { makePlans, type Plans } from './plan/targets.js'
import { type Load, link } from './syntax/modules.js'

export interface CompileOptions {
  /** What diagnostics and the header call the source. Default `optimizer.opt`. */
  readonly path?: string
  /** Finds imported files. Without it only "std" can be imported. */
  readonly load?: Load
  /** Names of targets; all of them by default. */
  readonly targets?: readonly string[]
  /** TypeScript, or JavaScript with its declarations. */
  readonly emit?: 'ts' | 'js'
  /** Where generated code finds the runtime. Default `optc-lang/runtime`. */
  readonly importFrom?: string
  /** Prints the file. Without it there are diagnostics and plans only. */
  readonly print?: Print
  /** Turns WebAssembly text into bytes; wanted by targets whose kernels are WebAssembly (`wasm`, `cpu`). */
  readonly assemble?: Assemble
}

export interface CompiledFile {
  /** `lamb.ts`, or `lamb.js` and `lamb.d.ts`. */
  readonly name: string
  readonly text: string
}

export interface OptimizerPlans extends Plans {
  readonly name: string
}

export interface Compilation {
  /** The text of the first file; empty if there are errors or nothing was to be printed. */
  readonly code: string
  readonly files: readonly CompiledFile[]
  /** In source order. */
  readonly diagnostics: readonly Diagnostic[]
  readonly plans: readonly OptimizerPlans[]
  /** That of the first optimizer, if there is one. */
  readonly plan: Plan | null
}

export function compile(source: string, options: CompileOptions = {}): Compilation {
  const path = options.path ?? 'optimizer.opt'
  const emitters = chosen(options.targets)
  const assembling = emitters.find((emitter) => emitter.assembles)
  if (options.print && !options.assemble && assembling) {
    throw new TypeError(`the target ${assembling.target} needs \`assemble\`: a function from WebAssembly text to bytes`)
  }
  const { checked, diagnostics } = analyse(source, path, options.load)
  if (diagnostics.some((d) => d.severity === 'error')) return { ...NOTHING, diagnostics }
  try {
    return { ...build(checked, options), diagnostics }
  } catch (error) {
    return { ...NOTHING, diagnostics: [internalError(path, error)] }
  }
}

/** From typed programs on: a Plan for each target, and the printed files. Throws where the compiler itself is wrong. */
export function build(checked: CheckedFile, options: CompileOptions = {}): Omit<Compilation, 'diagnostics'> {
  const emitters = chosen(options.targets)
  const plans = checked.optimizers.map((program) => planFor(program, emitters))
  const path = options.path ?? 'optimizer.opt'
  const files = options.print ? printFiles(checked, plans, emitters, path, options, options.print) : []
  return { code: files[0]?.text ?? '', files, plans, plan: plans[0]?.plan ?? null }
}

/** What a file means and what is wrong with it, with what it imports. */
export function analyse(
  source: string,
  path: string,
  load: Load = () => null
): { readonly checked: CheckedFile; readonly diagnostics: readonly Diagnostic[] } {
  try {
    const { module, diagnostics } = link(source, path, load)
    const { checked, diagnostics: more } = check(module, new Set(diagnostics.map((d) => d.path)))
    return { checked, diagnostics: inOrder([...diagnostics, ...more], path) }
  } catch (error) {
    return { checked: { optimizers: [], schedules: [] }, diagnostics: [internalError(path, error)] }
  }
}

/** The file's own before those of its imports, each file's from its beginning. */
function inOrder(diagnostics: readonly Diagnostic[], path: string): Diagnostic[] {
  const rank = (d: Diagnostic): string => (d.path === path ? '' : d.path)
  return [...diagnostics].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : a.span.start - b.span.start))
}

function chosen(names: readonly string[] | undefined): readonly Emitter[] {
  const known = TARGETS.map((emitter) => emitter.target)
  const unknown = names?.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new RangeError(`there is no target "${unknown}": the targets are ${known.join(', ')}`)
  return names ? TARGETS.filter((emitter) => names.includes(emitter.target)) : TARGETS
}

function planFor(program: Program, emitters: readonly Emitter[]): OptimizerPlans {
  const abilities = emitters.map((emitter) => emitter.abilities)
  return { name: program.name, ...makePlans(program, abilities) }
}

function printFiles(
  checked: CheckedFile,
  plans: readonly OptimizerPlans[],
  emitters: readonly Emitter[],
  path: string,
  { emit = 'ts', importFrom = 'optc-lang/runtime', assemble = unassembled }: CompileOptions,
  print: Print
): CompiledFile[] {
  const source = path.replace(/^.*[\\/]/s, '')
  const optimizers = plans.map(({ plan, targets }): OptimizerSheet => {
    const uses = new Set<string>()
    const compiled = printProgram(plan, uses)
    const others = targets.filter((target) => target.variants !== plan.variants)
    if (others.some((target) => printHost(target) !== printHost(plan))) {
      throw new Error(`the plans of ${plan.program.name} differ in what the host computes`)
    }
    return {
      program: plan.program,
      compiled,
      uses,
      targets: emitters.map((emitter) => {
        const own = targets.find((target) => target.abilities === emitter.abilities)
        return [emitter.target, own ? emitter.emit(own, { assemble }) : leftOut(emitter)]
      })
    }
  })
  const printed = print({ source, importFrom, optimizers, schedules: checked.schedules }, emit)
  return printed.map(({ extension, text }) => ({ name: source.replace(/\.opt$/, '') + extension, text }))
}

const NOTHING: Compilation = { code: '', files: [], diagnostics: [], plans: [], plan: null }

function unassembled(): never {
  throw new Error('a target that does without an assembler asked for one')
}

function internalError(path: string, error: unknown): Diagnostic {
  const reason = error instanceof Error ? error.message : String(error)
  return problems.internalError(path, { start: 0, end: 0 }, { reason })
}

/** The compiler as a library: pure, without a file system, and in a browser as well as in Node. */
export {
  analyse,
  type Compilation,
  type CompiledFile,
  type CompileOptions,
  compile,
  type OptimizerPlans
} from './compile.js'
export type { Diagnostic } from './diagnostics.js'
export type { ClassFile, Print, PrintedFile } from './emit/class-file.js'
export type { Assemble } from './emit/emitter.js'
export { type Message, messages } from './messages.generated.js'
export { explain, explainJson } from './plan/explain.js'
export type { Plan } from './plan/plan.js'
export { type FileDiagnostics, render, toJson } from './render.js'
export type { Span } from './syntax/ast.js'
export type { Load } from './syntax/modules.js'
export { loadTools, type Tools } from './tools.js'

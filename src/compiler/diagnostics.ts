/** What the compiler says of a program: data, made by the typed functions of `messages/`, rendered by the command line. */
import type { Span } from './syntax/ast.js'

export interface Diagnostic {
  /** `OPT2003`: the entry in `messages/` that it was made from. */
  readonly code: string
  readonly severity: 'error' | 'warning'
  /** One plain sentence. */
  readonly message: string
  /** What to write instead. */
  readonly hint?: string
  /** The file it is about, as it was named to the compiler. */
  readonly path: string
  readonly span: Span
}

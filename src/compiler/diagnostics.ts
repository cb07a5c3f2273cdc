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

/** A message's text, with its places filled in. */
interface Template {
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint: string
}

/** Makes a diagnostic of a message. A hint that comes out empty is left out. */
export function fill(
  template: Template,
  path: string,
  span: Span,
  values: Readonly<Record<string, string | number>>
): Diagnostic {
  const put = (text: string): string => text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
  const hint = put(template.hint).trim()
  const { code, severity } = template
  return { code, severity, message: put(template.message), ...(hint === '' ? {} : { hint }), path, span }
}

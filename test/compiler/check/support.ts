/** What the tests of the checker share: a source text in, programs and rendered errors out. */
import { readFileSync } from 'node:fs'
import { check } from '../../../src/compiler/check/check.js'
import type { CheckedFile, Node, Program } from '../../../src/compiler/check/program.js'
import type { Diagnostic } from '../../../src/compiler/diagnostics.js'
import { render } from '../../../src/compiler/render.js'
import { link } from '../../../src/compiler/syntax/modules.js'

/** The files that a program may import, by specifier. */
export type Files = Readonly<Record<string, string>>

export function checked(source: string, files: Files = {}): { checked: CheckedFile; diagnostics: Diagnostic[] } {
  const load = (specifier: string): { path: string; source: string } | null =>
    files[specifier] === undefined ? null : { path: specifier, source: files[specifier] }
  const { module, diagnostics } = link(source, 'test.opt', load)
  const result = check(module, new Set(diagnostics.map((d) => d.path)))
  return { checked: result.checked, diagnostics: [...diagnostics, ...result.diagnostics] }
}

/** The errors of a program as a person reads them. */
export function errors(source: string, files: Files = {}): string {
  const sources: Files = { ...files, 'test.opt': source }
  return checked(source, files)
    .diagnostics.map((d) => render(d, sources[d.path] ?? ''))
    .join('\n')
}

/** The one program of a text that has no errors. */
export function programIn(source: string, files: Files = {}): Program {
  const { checked: file, diagnostics } = checked(source, files)
  if (diagnostics.length > 0) throw new Error(errors(source, files))
  return file.optimizers[0]!
}

export const shipped = (name: string): string =>
  readFileSync(new URL(`../../../optimizers/${name}.opt`, import.meta.url), 'utf8')

/** A node as text, operands in parentheses. */
export function show(node: Node): string {
  const operands = node.args.length > 0 ? `(${node.args.map(show).join(', ')})` : ''
  switch (node.op) {
    case 'const':
      return String(node.value)
    case 'hyper':
    case 'mask':
    case 'slot':
    case 'fact':
      return node.name
    case 'match':
      return `name ~ /${node.pattern}/${node.flags}`
    default:
      return `${node.op}${'over' in node ? `:${node.over}` : ''}${operands}`
  }
}

/** A whole optimizer around the statements of its step. `head` is what stands before the step. */
export function step(statements: string, head = '', parameters = 'w, g'): string {
  const indent = (text: string, by: string): string =>
    text
      .trim()
      .split('\n')
      .map((line) => `${by}${line}\n`)
      .join('')
  return `optimizer Test {
  hyper learningRate as lr = 0.01 in (0, inf)
${head === '' ? '' : indent(head, '  ')}
  step(${parameters}) {
${indent(statements, '    ')}  }
}
`
}

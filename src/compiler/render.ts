/** Diagnostics as people read them, and as programs do (`--json`). */
import stringWidth from 'string-width'
import type { Diagnostic } from './diagnostics.js'

/** Lines and columns from 1; a column counts UTF-16 units, as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
  readonly offset: number
}

const LINE_END = /\r\n|\n|\r/g

export function positionOf(source: string, offset: number): Position {
  const starts = lineStarts(source)
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle
  }
  return { line: low + 1, column: offset - starts[low]! + 1, offset }
}

let latest: { readonly source: string; readonly starts: readonly number[] } = { source: '', starts: [0] }

/** Where the lines of a text start. The latest is kept: diagnostics come file by file. */
function lineStarts(source: string): readonly number[] {
  if (latest.source !== source) {
    const starts = [0, ...Array.from(source.matchAll(LINE_END), (end) => end.index + end[0].length)]
    latest = { source, starts }
  }
  return latest.starts
}

export interface RenderOptions {
  /** Colours a text; the identity where there are none. */
  readonly style?: (style: 'red' | 'yellow' | 'bold' | 'dim' | 'cyan', text: string) => string
}

/** `path:line:column: error[OPT2003]: sentence`, a code frame with a caret, a hint. */
export function render(diagnostic: Diagnostic, source: string, options: RenderOptions = {}): string {
  const style = options.style ?? ((_, text) => text)
  const { line, column } = positionOf(source, diagnostic.span.start)
  const color = diagnostic.severity === 'error' ? 'red' : 'yellow'
  const head = `${diagnostic.path}:${line}:${column}: ${style(color, `${diagnostic.severity}[${diagnostic.code}]`)}: ${style('bold', visible(diagnostic.message))}`
  const frame = codeFrame(
    source,
    diagnostic.span,
    (text) => style(color, text),
    (text) => style('dim', text)
  )
  const hint = diagnostic.hint === undefined ? '' : `\n  ${style('cyan', 'hint')}: ${visible(diagnostic.hint)}`
  return `${head}\n${frame}${hint}\n`
}

const TAB = '  '
const LONGEST = 160

/** The line, one before and one after it, and carets under the span: by display cells, so that `m̂` counts one. */
function codeFrame(
  source: string,
  span: { readonly start: number; readonly end: number },
  mark: (text: string) => string,
  dim: (text: string) => string
): string {
  const starts = lineStarts(source)
  const { line, column } = positionOf(source, span.start)
  const last = Math.min(starts.length, line + 1)
  const gutter = String(last).length
  const shown: string[] = []
  for (let n = Math.max(1, line - 1); n <= last; n++) {
    const text = source.slice(starts[n - 1], starts[n]).replace(LINE_END, '')
    // A line too long to read is cut around the caret.
    const from = n === line && text.length > LONGEST ? Math.max(0, column - LONGEST / 2) : 0
    const window = text.slice(from, from + LONGEST)
    shown.push(`${n === line ? mark('>') : ' '} ${dim(`${String(n).padStart(gutter)} |`)} ${visible(window)}`.trimEnd())
    if (n !== line) continue
    const start = column - 1 - from
    const width = cells(window.slice(start, start + Math.max(1, span.end - span.start)))
    const carets = '^'.repeat(Math.max(1, width))
    shown.push(`  ${dim(`${' '.repeat(gutter)} |`)} ${' '.repeat(cells(window.slice(0, start)))}${mark(carets)}`)
  }
  return shown.join('\n')
}

/** Tabs as two cells; what steers a terminal or the direction of text as dots, so that a file can't write over its frame. */
function visible(text: string): string {
  return text.replaceAll('\t', TAB).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '\u00b7')
}

const cells = (text: string): number => stringWidth(visible(text))

export interface FileDiagnostics {
  readonly path: string
  readonly source: string
  readonly diagnostics: readonly Diagnostic[]
}

/** The document of `check --json`. */
export function toJson(files: readonly FileDiagnostics[], sourceOf: (path: string) => string): unknown {
  return {
    files: files.map(({ path, source, diagnostics }) => ({
      path,
      diagnostics: diagnostics.map((d) => {
        const text = d.path === path ? source : sourceOf(d.path)
        return {
          code: d.code,
          severity: d.severity,
          message: d.message,
          ...(d.hint === undefined ? {} : { hint: d.hint }),
          ...(d.path === path ? {} : { path: d.path }),
          start: positionOf(text, d.span.start),
          end: positionOf(text, d.span.end)
        }
      })
    }))
  }
}

// src/compiler/messages/*.md → src/compiler/messages.generated.ts: a table for `optc explain CODE`, and a typed function
// for each message.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const folder = join(root, 'src', 'compiler', 'messages')

/** Reads one message: `# CODE name`, a sentence, `hint:`, an explanation, and a wrong and a right program. */
export function parseMessage(file, text) {
  const fail = (why) => {
    throw new Error(`${file}: ${why}`)
  }
  const [, code, name] = /^# (OPT\d{4}) (\w+)\n/.exec(text) ?? fail('must begin with `# OPTnnnn name`')
  const [body, ...sections] = text.slice(text.indexOf('\n') + 1).split(/^## /m)
  const programs = Object.fromEntries(
    sections.map((section) => {
      const [, title, program] =
        /^(\w+)\s+```opt\n([\s\S]*?)```\s*$/.exec(section) ?? fail('a section holds one ```opt block')
      return [title.toLowerCase(), program]
    })
  )
  const paragraphs = body.trim().split(/\n{2,}/)
  const take = (label) => {
    const at = paragraphs.findIndex((p) => p.startsWith(label))
    return at < 0 ? '' : paragraphs.splice(at, 1)[0].slice(label.length).trim().replaceAll('\n', ' ')
  }
  const hint = take('hint:')
  const severity = take('severity:') || 'error'
  const message = (paragraphs.shift() || fail('has no sentence')).replaceAll('\n', ' ')
  if (!file.startsWith(code)) fail(`must be named ${code}-….md`)
  return {
    code,
    name,
    severity,
    message,
    hint,
    explanation: paragraphs.join('\n\n'),
    wrong: programs.wrong ?? '',
    right: programs.right ?? ''
  }
}

export function messages() {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => parseMessage(file, readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n')))
}

const slots = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1])

export function files() {
  const all = messages()
  const double = all.find((m, i) => all.some((n, j) => j < i && (n.code === m.code || n.name === m.name)))
  if (double) throw new Error(`${double.code} ${double.name} is there twice`)
  const functions = all.map((m) => {
    const needed = [...new Set(slots(m.message))]
    const optional = [...new Set(slots(m.hint))].filter((s) => !needed.includes(s))
    const values = [
      ...needed.map((s) => `${s}: string | number`),
      ...optional.map((s) => `${s}: string | number`)
    ].join(', ')
    const parameter = values === '' ? '' : `, values: { ${values} }`
    return `  /** ${m.code}: ${m.message.replaceAll('*/', '*\\/')} */\n  ${m.name}: (path: string, span: Span${parameter}): Diagnostic => make('${m.code}', path, span${values === '' ? '' : ', values'})`
  })
  const text = `// Generated from src/compiler/messages/*.md by \`npm run generate\`. DO NOT EDIT.
import { type Diagnostic, fill } from './diagnostics.js'
import type { Span } from './syntax/ast.js'

export interface Message {
  readonly code: string
  readonly name: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint: string
  readonly explanation: string
  readonly wrong: string
  readonly right: string
}

/** Every message, by code. */
export const messages: Readonly<Record<string, Message>> = {
${all.map((m) => `  ${m.code}: ${JSON.stringify(m)}`).join(',\n')}
}

const make = (code: string, path: string, span: Span, values: Readonly<Record<string, string | number>> = {}): Diagnostic =>
  fill(messages[code]!, path, span, values)

/** A function a message: \`problems.unknownName(path, span, { … })\`. */
export const problems = {
${functions.join(',\n')}
}
`
  return [{ path: 'src/compiler/messages.generated.ts', text }]
}

// src/compiler/messages/*.md → docs/errors.md: every message on one page.
import { messages } from './messages.mjs'

const program = (title, text) => (text === '' ? [] : [`${title}:`, `\`\`\`opt\n${text.trimEnd()}\n\`\`\``])

export function files() {
  const sections = messages().map((m) =>
    [
      `## ${m.code}`,
      m.message,
      ...(m.hint === '' ? [] : [`*Hint: ${m.hint}*`]),
      ...(m.explanation === '' ? [] : [m.explanation]),
      ...program('Wrong', m.wrong),
      ...program('Right', m.right)
    ].join('\n\n')
  )
  const head =
    '<!-- Generated from src/compiler/messages/*.md by `npm run generate`. DO NOT EDIT. -->\n# Errors\n\nWhat `optc` says of a program, by code; `optc explain OPT2003` prints the same. Words in braces stand for what it found.'
  return [{ path: 'docs/errors.md', text: `${[head, ...sections].join('\n\n')}\n` }]
}

// The grammar as diagrams: one page that needs nothing but itself.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { runInNewContext } from 'node:vm'

/** Tab Atkins's railroad-diagrams, as Chevrotain ships it: written for a browser's global object, it draws text as well. */
function drawing() {
  const entry = createRequire(import.meta.url).resolve('chevrotain')
  const file = join(dirname(entry), '..', '..', 'diagrams', 'vendor', 'railroad-diagrams.js')
  const exports = {}
  runInNewContext(readFileSync(file, 'utf8'), { exports })
  return exports
}

export function railroad({ rules, spellings, words }) {
  const { Diagram, Sequence, Choice, Optional, OneOrMore, ZeroOrMore, Terminal, NonTerminal } = drawing()

  function draw({ kind, name, items }) {
    switch (kind) {
      case 'rule':
        return NonTerminal(name, `#${name}`)
      case 'class':
        return Terminal(name, '#tokens')
      case 'sign':
        return Terminal(name)
      case 'row':
        return Sequence(...items.map(draw))
      case 'choice':
        return Choice(0, ...items.map(draw))
      case 'optional':
        return Optional(draw(items[0]))
      case 'many':
        return ZeroOrMore(draw(items[0]))
      case 'some':
        return OneOrMore(draw(items[0]))
      case 'list':
        return OneOrMore(draw(items[0]), draw(items[1]))
    }
  }

  const diagrams = rules.map(({ name, body }) => {
    const svg = String(Diagram(draw(body)))
      .replaceAll('xlink:href', 'href')
      .replace(/ [a-zA-Z]+="undefined"/g, '')
      .replace(/ (?:label|ruleName)="[^"]*"/g, '')
    return `<h2 id="${name}"><a href="#${name}">${name}</a></h2>\n${svg}`
  })
  const rows = spellings.map(
    (all) => `<tr>${all.map((sign) => `<td><code>${escaped(sign)}</code></td>`).join('')}</tr>`
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The grammar of .opt files</title>
<!-- Made from the parser by \`npm run generate\`. DO NOT EDIT. -->
<style>
:root { color-scheme: light dark; --line: #444; --rule: #dbe7ff; --sign: #fff3cf; --paper: #fff; --ink: #111 }
@media (prefers-color-scheme: dark) { :root { --line: #aaa; --rule: #2b3a5c; --sign: #4d4220; --paper: #16181d; --ink: #eee } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; background: var(--paper); color: var(--ink) }
h2 { margin: 2rem 0 0; font: 600 1rem ui-monospace, monospace }
a { color: inherit }
h2 a { text-decoration: none }
svg.railroad-diagram { display: block; max-width: 100%; height: auto }
svg.railroad-diagram path { stroke: var(--line); stroke-width: 1.5; fill: none }
svg.railroad-diagram rect { stroke: var(--line); stroke-width: 1.5; fill: var(--sign) }
svg.railroad-diagram .non-terminal rect { fill: var(--rule) }
svg.railroad-diagram text { font: 13px ui-monospace, monospace; text-anchor: middle; fill: var(--ink) }
td { padding: 0 1.5rem 0 0 }
</style>
</head>
<body>
<h1>The grammar of .opt files</h1>
<p>Rules have corners, tokens are round. The same as text: <a href="optc.ebnf">optc.ebnf</a>.</p>
${diagrams.join('\n')}
<h2 id="tokens"><a href="#tokens">Tokens</a></h2>
<p><code>NAME</code>, <code>NUMBER</code>, <code>TEXT</code> and <code>REGEX</code> are defined in <a href="optc.ebnf">optc.ebnf</a>.
These words can't be names: ${words.map((word) => `<code>${word}</code>`).join(' ')}.</p>
<p>Signs with several spellings:</p>
<table>
${rows.join('\n')}
</table>
</body>
</html>
`
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

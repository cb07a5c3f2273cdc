// The parser's own grammar → grammar/: as EBNF, as railroad diagrams, and as a TextMate grammar for editors.
import { ebnf } from '../grammar/ebnf.mjs'
import { load } from '../grammar/load.mjs'
import { railroad } from '../grammar/railroad.mjs'
import { textMate } from '../grammar/textmate.mjs'

export async function files() {
  const grammar = await load()
  return [
    { path: 'grammar/optc.ebnf', text: ebnf(grammar) },
    { path: 'grammar/railroad.html', text: railroad(grammar) },
    { path: 'grammar/optc.tmLanguage.json', text: `${JSON.stringify(textMate(grammar), null, 2)}\n` }
  ]
}

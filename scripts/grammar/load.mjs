// The grammar as data, taken from the parser itself.
import { importBundled } from '../import-bundled.mjs'

/** Which name begins a statement matters to the parser alone. */
const NAMES = new Set(['Identifier', 'Name', 'Target'])
const NAMED = { Numeral: 'NUMBER', Text: 'TEXT', Regex: 'REGEX' }

/**
 * { rules: [{ name, body }], spellings, words, functions, facts }. A body is { kind: 'rule' | 'class' | 'sign', name }, or
 * { kind, items }: a `row`, a `choice`, one item that is `optional` or there `many` times (or `some`, one at least), or a
 * `list` of the first item with the second between.
 */
export async function load() {
  const source = `
    export { parser } from './src/compiler/syntax/parser.js'
    export { tokens, WORDS } from './src/compiler/syntax/tokens.js'
    export { FACTS, FUNCTIONS, LAYER_NAME } from './src/compiler/check/builtins.js'`
  const { parser, tokens, WORDS, FACTS, FUNCTIONS, LAYER_NAME } = await importBundled(source)

  const byName = new Map(tokens.map((token) => [token.name, token]))
  const kinds = new Map(tokens.map((t) => [t.name, tokens.filter((other) => other.CATEGORIES?.includes(t))]))
  const serialized = new Map(parser.getSerializedGastProductions().map((rule) => [rule.name, rule]))

  const rules = []
  const visit = (name) => {
    if (rules.some((rule) => rule.name === name)) return
    const rule = { name, body: row(serialized.get(name).definition) }
    rules.push(rule)
    for (const used of usedBy(rule.body)) visit(used)
  }
  visit('file')
  return {
    rules,
    /** All ways to write each sign that has several. */
    spellings: tokens.flatMap((token) => (spellings(token).length > 1 ? [spellings(token)] : [])),
    words: WORDS,
    functions: [...FUNCTIONS],
    facts: [...FACTS, LAYER_NAME]
  }

  function row(definition) {
    const items = definition.map(node)
    return items.length === 1 ? items[0] : { kind: 'row', items }
  }

  function node(production) {
    const body = () => row(production.definition)
    switch (production.type) {
      case 'NonTerminal':
        return { kind: 'rule', name: production.name }
      case 'Terminal':
        return terminal(production.name)
      case 'Alternative':
        return body()
      case 'Alternation':
        return { kind: 'choice', items: production.definition.map(node) }
      case 'Option':
        return { kind: 'optional', items: [body()] }
      case 'Repetition':
        return { kind: 'many', items: [body()] }
      case 'RepetitionMandatory':
        return { kind: 'some', items: [body()] }
      case 'RepetitionWithSeparator':
        return { kind: 'optional', items: [{ kind: 'list', items: [body(), terminal(production.separator.name)] }] }
      case 'RepetitionMandatoryWithSeparator':
        return { kind: 'list', items: [body(), terminal(production.separator.name)] }
      default:
        throw new Error(`the grammar has a ${production.type}, which nobody draws`)
    }
  }

  function terminal(name) {
    if (NAMES.has(name)) return { kind: 'class', name: 'NAME' }
    if (Object.hasOwn(NAMED, name)) return { kind: 'class', name: NAMED[name] }
    const several = kinds.get(name)
    if (several.length > 0) return { kind: 'choice', items: several.map((kind) => terminal(kind.name)) }
    return { kind: 'sign', name: spellings(byName.get(name))[0] }
  }
}

function usedBy(body) {
  return body.kind === 'rule' ? [body.name] : (body.items ?? []).flatMap(usedBy)
}

/** The texts that a sign or a word may be; none if there is no end of them. The one of ASCII stands first. */
function spellings({ name, PATTERN, LABEL }) {
  if (typeof PATTERN === 'string') return [PATTERN]
  // A word only where it begins a law.
  if (name === 'LawWord') return [LABEL.replaceAll('`', '')]
  if (!(PATTERN instanceof RegExp) || !LABEL.startsWith('`')) return []
  const { source } = PATTERN
  return source.startsWith('[') ? [...JSON.parse(`"${source.slice(1, -1)}"`)] : source.split('|')
}

// The grammar as text, in the notation of the W3C's XML specification.

const quoted = (sign) => (sign.includes("'") ? `"${sign}"` : `'${sign}'`)

function show(body, inRow) {
  const one = (i = 0) => show(body.items[i], true)
  switch (body.kind) {
    case 'rule':
    case 'class':
      return body.name
    case 'sign':
      return quoted(body.name)
    case 'row':
      return parenthesized(body.items.map((item) => show(item, true)).join(' '), inRow === 'tight')
    case 'choice':
      return parenthesized(body.items.map((item) => show(item, false)).join(' | '), inRow)
    case 'list':
      return parenthesized(`${one()} ( ${one(1)} ${one()} )*`, inRow === 'tight')
    default:
      return `${show(body.items[0], 'tight')}${{ optional: '?', many: '*', some: '+' }[body.kind]}`
  }
}

const parenthesized = (text, needed) => (needed ? `( ${text} )` : text)

export function ebnf({ rules, spellings, words }) {
  const width = Math.max(...rules.map((rule) => rule.name.length), 8)
  const line = (name, text) => `${name.padEnd(width)} ::= ${text}`
  return `/* The grammar of .opt files, made from the parser by \`npm run generate\`. DO NOT EDIT.
   In the notation of https://www.w3.org/TR/xml/#sec-notation. What it leaves to words:
   imports stand first; arguments with names stand behind those without; a power right behind a root is an error;
   after \`over\` stands layer, model, rows, cols or channels; \`law\` is a name wherever it begins no law. */

${rules.map((rule) => line(rule.name, show(rule.body, false))).join('\n')}

/* Tokens. Between them may stand white space and comments as in JavaScript, of a line or of several. Three slashes begin
   a line that documents the declaration behind it. */

${line('NAME', "( ID_Start | '_' | '∇' ) ( NAME_PART )*    /* but no word of the language; compared in NFC */")}
${line('NAME_PART', "( ID_Continue | [₀-₉] | '′' ) - ( '·' | Default_Ignorable_Code_Point )")}
${line('NUMBER', "( [0-9]+ ( '.' [0-9]* )? | '.' [0-9]+ ) ( [eE] [+-]? [0-9]+ )?")}
${line('TEXT', `'"' [^"#xA#xD]* '"'`)}
${line('REGEX', "'/' ( [^/\\[#xA#xD] | '\\' [^#xA#xD] | '[' ( [^#x5D\\#xA#xD] | '\\' [^#xA#xD] )* ']' )+ '/' [a-zA-Z]*    /* only behind '~' */")}

/* Signs with other spellings. */

${spellings.map(([first, ...others]) => `${quoted(first)} ${others.map(quoted).join(' ')}`).join('\n')}

/* Words of the language. */

${words.join(' ')}
`
}

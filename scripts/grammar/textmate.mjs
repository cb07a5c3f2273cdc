// The tokens as editors want them: a TextMate grammar. It colours what the parser would read, and is tested against it.

const NAME = '(?:[\\p{ID_Start}_∇](?:(?![\\x{b7}\\x{387}])[\\p{ID_Continue}₀-₉′])*)'

/** What a word is for; the others are operators, constants or control. */
const KINDS = {
  'keyword.control': ['if', 'then', 'else', 'import', 'from'],
  'keyword.operator.logical': ['and', 'or', 'not'],
  'constant.language': ['true', 'false', 'inf'],
  'storage.type': ['optimizer', 'hyper', 'mask', 'state', 'step', 'fn', 'schedule', 'transform'],
  'keyword.other': ['as', 'in', 'over', 'on', 'use', 'observe']
}

/** A whole word, where `\b` would take `β1` for none. */
const word = (...words) => `(?<![\\p{ID_Continue}₀-₉′∇])(?:${words.join('|')})(?![\\p{ID_Continue}₀-₉′])`

export function textMate({ words, functions, facts }) {
  const kinds = Object.entries(KINDS)
  const known = kinds.flatMap(([, all]) => all)
  const odd = [...words.filter((w) => !known.includes(w)), ...known.filter((w) => !words.includes(w))]
  if (odd.length > 0) throw new Error(`the words ${odd.join(', ')} stand in one list and not in the other`)

  const scope = (name) => `${name}.optc`
  const declared = (keyword, name) => ({
    match: `(${word(...keyword)})\\s+(?!${word(...words)})(${NAME})`,
    captures: { 1: { name: scope('storage.type') }, 2: { name: scope(name) } }
  })
  const operators = {
    'keyword.operator.arrow': '->|→',
    'keyword.operator.assignment': ':=|←|(?<![=<>!])=(?!=)',
    'keyword.operator.comparison': '<=|≤|>=|≥|!=|≠|==|<|>|~',
    'keyword.operator.arithmetic': '[-−+*·\\x{387}⋅×/^²√]',
    'keyword.operator.norm': '[‖∥]',
    'punctuation.separator': '[,;:]',
    'punctuation.section': '[(){}\\[\\]]'
  }
  return {
    $schema: 'https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json',
    comment: 'Made from the parser by `npm run generate`. DO NOT EDIT.',
    name: 'optc',
    scopeName: 'source.optc',
    fileTypes: ['opt'],
    patterns: [
      { name: scope('comment.line.documentation'), match: '///(?!/).*$' },
      { name: scope('comment.line.double-slash'), match: '//.*$' },
      { name: scope('comment.block'), begin: '/\\*', end: '\\*/' },
      {
        match: `(~)(?:\\s|/\\*.*?\\*/)*(/(?:[^/\\\\\\[]|\\\\.|\\[(?:[^\\]\\\\]|\\\\.)*\\])+/[a-zA-Z]*)`,
        captures: { 1: { name: scope('keyword.operator.comparison') }, 2: { name: scope('string.regexp') } }
      },
      { name: scope('string.quoted.double'), match: '"[^"]*"?' },
      declared(['optimizer'], 'entity.name.class'),
      declared(['fn', 'schedule', 'transform'], 'entity.name.function'),
      {
        match: `(${word('law')})\\s+(${NAME})(?=\\s*:(?!=))`,
        captures: { 1: { name: scope('storage.type') }, 2: { name: scope('entity.name.function') } }
      },
      {
        match: `(${word('over')})\\s+(${word('layer', 'model', 'rows', 'cols', 'channels')})`,
        captures: { 1: { name: scope('keyword.other') }, 2: { name: scope('constant.language') } }
      },
      ...kinds.map(([name, all]) => ({ name: scope(name), match: word(...all) })),
      { name: scope('constant.numeric'), match: '(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?' },
      { name: scope('support.function'), match: `${word(...functions)}(?=\\s*\\()` },
      { name: scope('variable.language'), match: word(...facts) },
      { name: scope('entity.name.function'), match: `${NAME}(?=\\s*\\()` },
      { name: scope('variable.other'), match: NAME },
      ...Object.entries(operators).map(([name, match]) => ({ name: scope(name), match }))
    ]
  }
}

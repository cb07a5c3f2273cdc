/** Pieces of TypeScript text. */

/** A number or bool as JavaScript reads it. */
export function literal(value: number | boolean): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** A string literal in single quotes. */
export function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner.replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`)}'`
}

/** The key of an object literal. `__proto__` would set the prototype, quoted or not. */
export function key(name: string): string {
  if (name === '__proto__') return "['__proto__']"
  return /^[A-Za-z$_][\w$]*$/.test(name) ? name : quote(name)
}

export function array(items: readonly string[]): string {
  return `[${items.join(', ')}]`
}

/** An object literal; fields without a text are left out. */
export function object(fields: readonly (readonly [name: string, text: string | null])[]): string {
  const lines = fields.filter(([, text]) => text !== null).map(([name, text]) => indent(`${key(name)}: ${text}`))
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n}`
}

/** The right side of an arrow: an expression if there is nothing before it. */
export function block(lines: readonly string[], result: string | null): string {
  if (lines.length === 0 && result !== null) return result.startsWith('{') ? `(${result})` : result
  return `{\n${indent([...lines, ...(result === null ? [] : [`return ${result}`])].join('\n'))}\n}`
}

/**
 * An arrow function of plain parameters. Those that nothing reads are left out at the end, and marked elsewhere, because
 * a user's project may forbid them.
 */
export function arrow(params: readonly string[], lines: readonly string[], result: string | null): string {
  const code = [...lines.map((line) => line.replace(/ \/\/ .*$/gm, '')), result ?? ''].join('\n')
  const words = new Set(code.match(/[\w$]+/g))
  const last = params.findLastIndex((param) => words.has(param))
  const named = params.slice(0, last + 1).map((param) => (words.has(param) ? param : `_${param}`))
  return `(${named.join(', ')}) => ${block(lines, result)}`
}

export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}

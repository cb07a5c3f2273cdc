/** Doc comments of the author as JSDoc of the generated file. */
import type { Hyper } from '../check/program.js'

/** Text that can close no comment and give the TypeScript compiler no orders, in lines of its own. */
export function safeDoc(text: string): string {
  return text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll('*/', '*\\/')
    .replace(/@(?=ts-(?:ignore|nocheck|check|expect-error))/g, '@ ')
    .trim()
}

/** A text as JSDoc before a declaration; nothing for an empty one. */
export function comment(text: string): string {
  const safe = safeDoc(text)
  if (safe === '') return ''
  return safe.includes('\n') ? `/**\n${safe.replace(/^/gm, ' * ').replace(/ +$/gm, '')}\n */\n` : `/** ${safe} */\n`
}

/** What a caller may give for a hyperparameter. */
export function describeHyper({ doc, kind, init, range }: Hyper): string {
  const bool = kind === 'bool'
  let what = bool ? 'True or false' : 'A number'
  if (range?.kind === 'interval') {
    const { low, lowOpen, high, highOpen } = range
    what += ` in ${lowOpen ? '(' : '['}${bound(low)}, ${bound(high)}${highOpen ? ')' : ']'}`
  }
  if (range?.kind === 'set') what += ` in {${range.values.map(bound).join(', ')}}`
  return sentences(doc, `${what}, or a function of the step. Default ${bound(init)}.`)
}

export function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n')
}

function bound(value: number | boolean): string {
  return String(value).replace('Infinity', 'inf')
}

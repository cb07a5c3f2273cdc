/** How braces pair, whatever the parser makes of the text. */
import type { IToken } from 'chevrotain'
import * as T from './tokens.js'

export interface Braces {
  /** How many are open before each token. */
  readonly open: ReadonlyMap<IToken, number>
  /** Each that opens is closed, and the other way around. */
  readonly meet: boolean
}

export function bracesOf(tokens: readonly IToken[]): Braces {
  const open = new Map<IToken, number>()
  let depth = 0
  let least = 0
  for (const token of tokens) {
    open.set(token, depth)
    if (token.tokenType === T.OpenBrace) depth++
    if (token.tokenType === T.CloseBrace) least = Math.min(least, --depth)
  }
  return { open, meet: depth === 0 && least === 0 }
}

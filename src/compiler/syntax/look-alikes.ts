/** Characters that mean nothing here, and what was probably meant. */
import { codePoints } from '../suggest.js'

/** By what to write instead. Superscripts, quotes and signs as word processors, chats and other languages have them. */
const MEANT: readonly (readonly [string, readonly string[]])[] = [
  ['-', ['–', '—', '‐', '‑', '‒', '―', '➖', '﹣', '－']],
  ['*', ['∗', '∙', '•', '・', '✕', '✖', '⨯', '＊', '⊙', '⊗']],
  ['/', ['÷', '∕', '⁄', '／', '➗']],
  ['+', ['＋', '➕']],
  ['=', ['＝']],
  [':=', ['≔', '：', '⇐', '⟵']],
  ['<=', ['≦', '⩽', '≲']],
  ['>=', ['≧', '⩾', '≳']],
  ['!=', ['≢']],
  ['==', ['≡', '≟']],
  ['‖', ['||', '∣∣', '∣', '｜', '￨']],
  ['abs(…)', ['|']],
  ['and', ['&', '&&', '∧']],
  ['or', ['∨']],
  ['not', ['!', '¬']],
  ['inf', ['∞']],
  ['cbrt(…)', ['∛']],
  ['sum(…)', ['∑']],
  ['^0', ['⁰']],
  ['^1', ['¹']],
  ['^3', ['³']],
  ['^4', ['⁴']],
  ['^(1/2)', ['½']],
  ['^(-…)', ['⁻']],
  ['′', ["'", '’', '‘', '`', '´']],
  ['"', ['“', '”', '„', '«', '»', '＂']],
  ['(', ['（', '⟨', '〈']],
  [')', ['）', '⟩', '〉']],
  ['{', ['｛']],
  ['}', ['｝']],
  [',', ['，', '、']],
  [';', ['；', '\u037e']],
  ['if … then … else …', ['?']],
  ['// …', ['#']]
]

const INSTEAD: ReadonlyMap<string, string> = new Map(
  MEANT.flatMap(([meant, all]) => all.map((found) => [found, meant]))
)

/** What to write instead of characters that mean nothing, as a hint. */
export function insteadOf(found: string): string {
  const [first = ''] = found
  const meant = INSTEAD.get(found) ?? INSTEAD.get(first)
  if (meant === undefined) return 'Take it out.'
  return `Write \`${meant}\`${[...meant].length === 1 ? ` (${codePoints(meant)})` : ''}.`
}

/** The characters as a message shows them: what can't be seen is told by its code point alone. */
export function shown(found: string): string {
  const [first = ''] = found
  return /[\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}]/u.test(first)
    ? `The invisible character ${codePoints(first)}`
    : `\`${found.length > 8 ? `${first}…` : found}\` (${codePoints(first)})`
}

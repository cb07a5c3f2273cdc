/** "Did you mean": the known name that an unknown one was most likely meant to be. */
import { distance } from 'fastest-levenshtein'

/** Greek letters by what people type for them, so that `beta1` finds `β1`. */
const GREEK: ReadonlyMap<string, string> = new Map(
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho ς sigma tau upsilon phi chi psi omega'
    .split(' ')
    .map((word, i) => [String.fromCodePoint(0x3b1 + i), word])
)

/** Letters that read the same are the same: `µ` and `μ`, `ϵ` and `ε`, `m̂` and `mhat`. */
function spelled(name: string): string {
  return [...name.normalize('NFKD')].map((c) => GREEK.get(c) ?? (c === '\u0302' ? 'hat' : c)).join('')
}

/** How many edits away a name may be: graphql-js's threshold. */
const reach = (name: string): number => Math.floor(0.4 * name.length) + 1

/** The nearest name, or null if none is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  const wanted = spelled(name)
  let best: { name: string; distance: number } | null = null
  for (const candidate of known) {
    if (candidate === name) continue
    const other = spelled(candidate)
    const d = wanted.toLowerCase() === other.toLowerCase() ? 0 : distance(wanted, other)
    // Edits that leave nothing of the name are no likeness.
    const near = d === 0 || (d <= reach(wanted) && d < Math.max(wanted.length, other.length))
    if (near && (best === null || d < best.distance)) best = { name: candidate, distance: d }
  }
  return best?.name ?? null
}

/** `U+03BC`, of each character. */
export const codePoints = (text: string): string =>
  [...text].map((c) => `U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`).join(' ')

/** A whole hint, or '' if there is nothing to suggest. Look-alikes are told apart by their code points. */
export function didYouMean(name: string, meant: string | null): string {
  if (meant === null) return ''
  if (name.normalize('NFKC') !== meant.normalize('NFKC')) return `Did you mean \`${meant}\`?`
  return `Did you mean \`${meant}\` (${codePoints(meant)})? \`${name}\` is ${codePoints(name)}: they only look alike.`
}

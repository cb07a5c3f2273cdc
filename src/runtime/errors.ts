/** How the runtime speaks: values as a person would write them, and the name that was probably meant. */

/** A value as it stands in an error, short. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof RegExp) return 'a RegExp'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** What ends a sentence about an unknown name: `; did you mean "beta1"?`, or a full stop where none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  let best = ''
  let least = Math.floor(0.4 * name.length) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance <= least && (distance < least || best === '')) {
      best = candidate
      least = distance
    }
  }
  return best === '' ? '.' : `; did you mean "${best}"?`
}

/** Levenshtein's: insertions, deletions and replacements. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const above = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1))
    }
  }
  return row[b.length]!
}

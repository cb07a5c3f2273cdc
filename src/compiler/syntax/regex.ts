/** What a regular expression of a mask may be, so that no name of a layer can keep it busy. */

/** Patterns have to be read by people. */
const MOST_CHARACTERS = 200

/** Names are taken to be this long when it is counted in how many ways a pattern can try to match. */
const NAME_LENGTH = 100

/** A backtracking engine goes through this many ways in less than a second; one more `*` is a hundred times as many. */
const MOST_WAYS = 3e6

/** Why a regular expression can't be used; null if it can. */
export function regexProblem(pattern: string, flags: string): string | null {
  if (pattern.length > MOST_CHARACTERS) return `it has more than ${MOST_CHARACTERS} characters`
  if (!/^i?$/.test(flags)) return `its flags are \`${flags}\`, but the only one there is is \`i\``
  try {
    new RegExp(pattern, flags)
  } catch {
    return 'it is not well formed'
  }
  const unknown = /\\(?:[1-9]|k)/.exec(pattern.replace(/\\[^1-9k]/g, ''))
  if (unknown) return `\`${unknown[0]}\` refers back to a group`
  const special = /\(\?(?!:)(<?[=!])?/.exec(pattern.replace(/\\.|\[(?:[^\]\\]|\\.)*\]/g, ''))
  if (special) return special[1] ? `\`${special[0]}\` looks around` : 'its groups can be `(…)` and `(?:…)` only'
  if (countWays(pattern) > MOST_WAYS) return 'on a long name it would try too many ways to match'
  return null
}

/**
 * At most how many ways a backtracking engine can go through a well-formed pattern: alternatives add up, what stands in a
 * row multiplies, and what is repeated does so as often as it can be.
 */
function countWays(pattern: string): number {
  let at = 0
  return alternatives()

  function alternatives(): number {
    let ways = row()
    while (pattern[at] === '|') {
      at++
      ways += row()
    }
    return ways
  }

  function row(): number {
    let ways = 1
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') ways *= repeated(atom())
    return ways
  }

  function atom(): number {
    if (pattern[at] !== '(') {
      at += /^(?:\\[\s\S]|\[(?:[^\]\\]|\\[\s\S])*\]|[\s\S])/.exec(pattern.slice(at))![0].length
      return 1
    }
    at += pattern.startsWith('(?:', at) ? 3 : 1
    const ways = alternatives()
    at++
    return ways
  }

  function repeated(ways: number): number {
    const sign = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(pattern.slice(at))
    if (!sign) return ways
    at += sign[0].length
    const [, letter, low, comma, high] = sign
    const least = letter ? (letter === '+' ? 1 : 0) : Math.min(Number(low), NAME_LENGTH)
    const most = letter === '?' ? 1 : letter || high === '' ? (comma === '' ? least : NAME_LENGTH) : Number(high)
    let sum = 0
    for (let times = least; times <= Math.min(most, NAME_LENGTH); times++) sum += ways ** times
    return Math.max(sum, 1)
  }
}

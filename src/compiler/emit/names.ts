/**
 * The author's names in generated text. `ascii` is injective, for what users see: options, state, classes. `freshNames` is
 * for the inside of a function: the plainest words that are still free there.
 */

const ALPHABET =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi omega'
const SIGNS: Readonly<Record<string, string>> = {
  ϵ: 'lunate',
  ϑ: 'vartheta',
  ϕ: 'varphi',
  ϖ: 'varpi',
  ϱ: 'varrho',
  ϰ: 'varkappa',
  µ: 'micro',
  '∇': 'grad',
  '∂': 'partial',
  '∞': 'infinity',
  ℓ: 'ell',
  '′': 'prime',
  '″': 'second',
  '\u0300': 'grave',
  '\u0301': 'acute',
  '\u0302': 'hat',
  '\u0303': 'tilde',
  '\u0304': 'bar',
  '\u0305': 'overline',
  '\u0306': 'breve',
  '\u0307': 'dot',
  '\u0308': 'ddot',
  '\u030a': 'ring',
  '\u030c': 'check',
  '\u0327': 'cedilla',
  '\u0332': 'underline',
  '\u20d7': 'vec'
}

/** A word for a character: letters of lower case only, and no two characters have the same. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ...ALPHABET.split(' ').flatMap((word, i): [string, string][] => [
    [String.fromCodePoint(0x3b1 + i), word],
    // There is no capital of the final sigma.
    ...(word === 'varsigma' ? [] : [[String.fromCodePoint(0x391 + i), `big${word}`] as [string, string]])
  ]),
  ...Object.entries(SIGNS)
])

/**
 * An identifier of JavaScript for an identifier of the language, another for another: `beta` is `beta`, `β` is `beta$`.
 * `$`, which the language has not, ends each word that stands for a character, and a capital (or the beginning) starts
 * it; `1$` is a subscript 1, and `$$u…$` holds the number of a character that has no word.
 */
export function ascii(name: string): string {
  let text = ''
  for (const char of name.normalize('NFD')) {
    const code = char.codePointAt(0)!
    const word = WORDS.get(char)
    if (code < 128) text += char
    else if (word !== undefined) text += `${text === '' ? word : word[0]!.toUpperCase() + word.slice(1)}$`
    else if (char >= '₀' && char <= '₉') text += `${code - 0x2080}$`
    else text += `$$u${code.toString(16)}$`
  }
  return text
}

/** `β1` → `beta1`, `m̂` → `mHat`, `∇f` → `grad_f`. Not injective. */
function plain(name: string): string {
  const text = ascii(name)
    .replace(/\$+(?=[A-Za-z])/g, '_')
    .replaceAll('$', '')
    // No name of WGSL starts with two underscores.
    .replace(/^_+/, '')
  return /^[A-Za-z]/.test(text) ? text : `x${text}`
}

const WORDS_OF_JAVASCRIPT = (
  'abstract any arguments as async await boolean break case catch class const continue debugger declare default delete do else ' +
  'enum eval export extends false finally for from function if implements import in infer instanceof interface is keyof let ' +
  'module namespace never new null number object package private protected public readonly return static string super switch ' +
  'symbol this throw true try type typeof undefined unique unknown var void while with yield Infinity NaN'
).split(' ')

/** Gives each wanted name, or one like it if it is reserved, a word of JavaScript's, or given before. */
export function freshNames(reserved: Iterable<string>): (name: string) => string {
  const taken = new Set([...WORDS_OF_JAVASCRIPT, ...reserved])
  return (wanted) => {
    const base = plain(wanted)
    let name = base
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`
    taken.add(name)
    return name
  }
}

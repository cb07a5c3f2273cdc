// The author's formulas as TeX, in the author's symbols. GitHub renders it; \operatorname is not allowed there.

const GREEK =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi omega'
    .split(' ')
    .map((word, i) => [String.fromCodePoint(0x3b1 + i), word === 'epsilon' ? 'varepsilon' : word])
const CAPITALS = 'Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Υ Upsilon Φ Phi Ψ Psi Ω Omega'.match(/\S+ \S+/g)
const LETTERS = new Map([...GREEK, ...CAPITALS.map((pair) => pair.split(' ')), ['∇', 'nabla'], ['ℓ', 'ell']])
const ACCENTS = { '\u0302': 'hat', '\u0303': 'tilde', '\u0304': 'bar', '\u0307': 'dot', '\u0308': 'ddot' }

/** `β1` → `\beta_{1}`, `m̂` → `\hat{m}`, `maxNorm` → `\mathrm{maxNorm}`. */
export function symbol(name) {
  const [, base, sub] = /^(.*?)([0-9₀-₉]*)$/u.exec(name.normalize('NFD'))
  const digits = sub.replace(/[₀-₉]/g, (d) => String(d.codePointAt(0) - 0x2080))
  const letters = [...base.replace(/[\u0300-\u036f′]/g, '')]
  let text = letters.length === 1 ? letter(letters[0]) : word(letters)
  for (const [mark, command] of Object.entries(ACCENTS)) if (base.includes(mark)) text = `\\${command}{${text}}`
  if (base.includes('′')) text += "'"
  return digits === '' ? text : `${text}_{${digits}}`
}

const letter = (c) => (LETTERS.has(c) ? `\\${LETTERS.get(c)}` : c)
const word = (letters) =>
  letters.some((c) => LETTERS.has(c))
    ? letters
        .map((c) => `${letter(c)} `)
        .join('')
        .trim()
    : `\\mathrm{${letters.join('').replaceAll('_', '\\_')}}`

const SUM = 5
const PRODUCT = 6
const POWER = 8
const ATOM = 9
const INFIX = {
  or: ['\\lor', 1],
  and: ['\\land', 2],
  '<': ['<', 4],
  '<=': ['\\le', 4],
  '>': ['>', 4],
  '>=': ['\\ge', 4],
  '==': ['=', 4],
  '!=': ['\\ne', 4],
  '+': ['+', SUM],
  '-': ['-', SUM]
}
const NAMED = { exp: '\\exp', log: '\\log', tanh: '\\tanh', max: '\\max', min: '\\min' }

/** An expression. */
export const tex = (e) => spell(e).text

function spell(e) {
  const atom = (text) => ({ text, binds: ATOM })
  switch (e.kind) {
    case 'number':
      return numeral(e.value)
    case 'bool':
      return atom(`\\mathrm{${e.value}}`)
    case 'name':
      return atom(symbol(e.text))
    case 'match':
      return atom(`\\text{name} \\sim \\text{/${e.pattern}/${e.flags}}`)
    case 'norm':
      return atom(`\\lVert ${tex(e.arg)} \\rVert${over(e.over)}`)
    case 'if':
      return { text: cases(e), binds: 0 }
    case 'unary':
      if (e.op === '√') return atom(`\\sqrt{${tex(e.arg)}}`)
      return { text: `${e.op === 'not' ? '\\lnot ' : '-'}${within(e.arg, 7)}`, binds: e.op === 'not' ? 3 : SUM }
    case 'binary':
      return binary(e)
    case 'call':
      return call(e)
  }
  throw new Error(`no TeX for ${e.kind}`)
}

/** An operand where what stands there must bind at least so tightly. */
function within(e, least) {
  const { text, binds } = spell(e)
  return binds >= least ? text : `\\left( ${text} \\right)`
}

function numeral(value) {
  if (value === Infinity) return { text: '\\infty', binds: ATOM }
  const small = value !== 0 && value < 1e-3
  const [digits, exponent] = (small ? value.toExponential() : String(value)).split('e')
  if (exponent === undefined) return { text: digits, binds: ATOM }
  const power = `10^{${Number(exponent)}}`
  return { text: digits === '1' ? power : `${digits} \\cdot ${power}`, binds: digits === '1' ? POWER : PRODUCT }
}

function binary({ op, left, right }) {
  if (op === '/') return { text: `\\frac{${tex(left)}}{${tex(right)}}`, binds: ATOM }
  if (op === '^') {
    // A fraction has no place for an exponent beside it.
    const base = left.kind === 'binary' || left.kind === 'if' ? `\\left( ${tex(left)} \\right)` : within(left, ATOM)
    return { text: `${base}^{${tex(right)}}`, binds: POWER }
  }
  if (op === '*') {
    const [x, y] = [within(left, PRODUCT), within(right, PRODUCT)]
    return { text: `${x} ${/^[\d.]/.test(y) ? '\\cdot' : '\\,'} ${y}`, binds: PRODUCT }
  }
  const [sign, binds] = INFIX[op]
  return { text: `${within(left, binds)} ${sign} ${within(right, binds + (op === '-' ? 1 : 0))}`, binds }
}

const over = (what) => (what === 'model' ? '_{\\text{model}}' : what && what !== 'layer' ? `_{\\text{${what}}}` : '')

function call({ callee, args, over: range }) {
  const given = args.map((a) => (a.name ? `${symbol(a.name.text)} = ${tex(a.value)}` : tex(a.value)))
  const [x, y] = given
  const atom = (text) => ({ text, binds: ATOM })
  switch (callee.text) {
    case 'sqrt':
      return atom(`\\sqrt{${x}}`)
    case 'cbrt':
      return atom(`\\sqrt[3]{${x}}`)
    case 'rsqrt':
      return atom(`\\frac{1}{\\sqrt{${x}}}`)
    case 'abs':
      return atom(`\\lvert ${x} \\rvert`)
    case 'floor':
      return atom(`\\lfloor ${x} \\rfloor`)
    case 'norm':
      return atom(`\\lVert ${x} \\rVert${over(range)}`)
    case 'dot':
      return atom(`\\langle ${x}, ${y} \\rangle${over(range)}`)
    default: {
      const name = NAMED[callee.text] ?? `\\mathrm{${callee.text.replaceAll('_', '\\_')}}`
      return atom(`${name}${over(range)}${given.length === 0 ? '()' : `\\left( ${given.join(', ')} \\right)`}`)
    }
  }
}

/** A chain of conditions as one brace. */
function cases(e) {
  const rows = []
  let rest = e
  for (; rest.kind === 'if'; rest = rest.otherwise) rows.push(`${tex(rest.then)} & \\text{if } ${tex(rest.condition)}`)
  return `\\begin{cases} ${[...rows, `${tex(rest)} & \\text{otherwise}`].join(' \\\\ ')} \\end{cases}`
}

/** Statements as the rows of one aligned formula; what is observed is said elsewhere. */
export function rows(statements, subjects) {
  return statements.flatMap((s) => {
    switch (s.kind) {
      case 'local':
        return [`${symbol(s.name.text)} &= ${tex(s.value)}`]
      case 'update':
        return [`${symbol(s.name.text)} &\\leftarrow ${tex(s.value)}`]
      case 'use': {
        const on = (s.on ?? subjects.slice(0, 1)).map((n) => symbol(n.text))
        const args = s.args.map((a) => (a.name ? `${symbol(a.name.text)} = ${tex(a.value)}` : tex(a.value)))
        const name = `\\mathrm{${s.transform.text}}`
        return [`${on[0]} &\\leftarrow ${name}\\left( ${[on.join(', '), ...args].join(';\\; ')} \\right)`]
      }
      default:
        return []
    }
  })
}

export const aligned = (lines) => `\\begin{aligned}\n${lines.join(' \\\\\n')}\n\\end{aligned}`

// The path of an optimizer on two functions of two weights, as SVG. The reference interpreter makes the steps.

const STEPS = 100
/** Multiples of the default rate: the path shown is that of the one that ends lowest. */
const RATES = [0.1, 0.3, 1, 3, 10, 30, 100, 300]
const WIDTH = 320
const HEIGHT = 220

/** Each with its start, the part of the plane that is shown, and levels; `curves` are the lines of one level. */
const FUNCTIONS = [
  {
    name: 'Rosenbrock',
    formula: '(1 − x)² + 100 (y − x²)²',
    start: [-1.2, 1],
    end: [1, 1],
    x: [-1.6, 1.6],
    y: [-0.4, 1.8],
    f: ([x, y]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: ([x, y]) => [2 * (x - 1) - 400 * x * (y - x * x), 200 * (y - x * x)],
    levels: [0.5, 4, 20, 80],
    curves(level) {
      const r = Math.sqrt(level)
      // As far as it is shown, with more points towards the ends.
      const [low, high] = [Math.max(1 - r, -1.7), Math.min(1 + r, 1.7)]
      const share = (i) => (1 - Math.cos((Math.PI * i) / 24)) / 2
      const xs = Array.from({ length: 25 }, (_, i) => low + (high - low) * share(i))
      const half = (x, sign) => [x, x * x + (sign * Math.sqrt(Math.max(0, level - (1 - x) ** 2))) / 10]
      return [...xs.map((x) => half(x, 1)), ...xs.reverse().map((x) => half(x, -1))]
    }
  },
  {
    name: 'Ill-conditioned quadratic',
    formula: '(x² + 50 y²) / 2',
    start: [-1.4, 0.7],
    end: [0, 0],
    x: [-1.6, 1.6],
    y: [-1.1, 1.1],
    f: ([x, y]) => (x * x + 50 * y * y) / 2,
    gradient: ([x, y]) => [x, 50 * y],
    levels: [0.05, 0.5, 2, 8, 20],
    curves(level) {
      const angles = Array.from({ length: 33 }, (_, i) => (Math.PI * i) / 16)
      return angles.map((a) => [Math.sqrt(2 * level) * Math.cos(a), Math.sqrt(level / 25) * Math.sin(a)])
    }
  }
]

/** `walk(start, gradient, rate, steps)` gives the weights after each step; `rate` is what the default is multiplied by. */
export function plot(name, walk, defaultRate) {
  const panels = FUNCTIONS.map((fn, i) => panel(fn, best(fn, walk, defaultRate), i * (WIDTH + 20), defaultRate))
  const size = `${2 * WIDTH + 20} ${HEIGHT + 40}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${size}" font-family="sans-serif" font-size="12">`,
    `<title>The path of ${name} on two functions</title>`,
    '<style>.l{fill:none;stroke:#888;stroke-opacity:.5}.p{fill:none;stroke:#d33;stroke-width:1.2}.d{fill:#d33}text{fill:#777}</style>',
    ...panels,
    '</svg>',
    ''
  ].join('\n')
}

function best({ start, f, gradient }, walk, defaultRate) {
  const rates = defaultRate === null ? [1] : RATES
  const paths = rates.map((rate) => ({ rate, path: [start, ...walk(start, gradient, rate, STEPS)] }))
  const value = ({ path }) => (path.length === STEPS + 1 ? f(path.at(-1)) : Infinity)
  return paths.reduce((a, b) => (value(b) < value(a) ? b : a))
}

function panel({ name, formula, x, y, f, levels, curves, end }, { rate, path }, left, defaultRate) {
  const place = ([a, b]) => [
    left + ((a - x[0]) / (x[1] - x[0])) * WIDTH,
    HEIGHT - ((b - y[0]) / (y[1] - y[0])) * HEIGHT
  ]
  /** In whole pixels, from point to point, without those that stay where they are. */
  const line = (points) => {
    const at = points.map((p) => place(p).map((v) => Math.round(Math.max(-999, Math.min(999, v)))))
    const moves = at.slice(1).map(([px, py], i) => [px - at[i][0], py - at[i][1]])
    const moving = moves.filter(([dx, dy]) => dx !== 0 || dy !== 0)
    return `M${at[0].join(' ')}l${moving
      .map(([dx, dy]) => `${dx} ${dy}`)
      .join(' ')
      .replaceAll(' -', '-')}`
  }
  const id = `c${left}`
  const [ex, ey] = place(end)
  const [px, py] = place(path.at(-1))
  const rated = defaultRate === null ? '' : `rate ${Number((rate * defaultRate).toPrecision(3))}, `
  return [
    `<clipPath id="${id}"><rect x="${left}" width="${WIDTH}" height="${HEIGHT}"/></clipPath>`,
    `<g clip-path="url(#${id})">`,
    ...levels.map((level) => `<path class="l" d="${line(curves(level))}Z"/>`),
    `<path class="p" d="${line(path)}"/>`,
    `<circle cx="${Math.round(ex)}" cy="${Math.round(ey)}" r="3" fill="none" stroke="#888"/>`,
    `<circle class="d" cx="${Math.round(px)}" cy="${Math.round(py)}" r="3"/>`,
    '</g>',
    `<text x="${left}" y="${HEIGHT + 16}">${name}: ${formula}</text>`,
    `<text x="${left}" y="${HEIGHT + 33}">${rated}${path.length - 1} steps, from ${short(f(path[0]))} to ${short(f(path.at(-1)))}</text>`
  ].join('\n')
}

const short = (value) => (value === 0 ? '0' : String(Number(value.toPrecision(2))))

/**
 * Random well-typed optimizers: every operator, level, kind of state, masks, conditionals, transforms, functions,
 * schedules, observations; biased to what breaks planners (shared terms, reductions in conditionals, state read before
 * and after its update, transforms in a row).
 */
import { type Choices, choices } from './choices.js'
import { boolOf, build, type Level, type Named, numberOf, type Term, term, type Vocabulary } from './expressions.js'

/** A stream for each part, so that a part can go without moving the others. */
export interface ProgramChoices {
  readonly header: readonly number[]
  readonly states: readonly (readonly number[])[]
  readonly transforms: readonly (readonly number[])[]
  readonly fns: readonly (readonly number[])[]
  readonly schedules: readonly (readonly number[])[]
  readonly statements: readonly (readonly number[])[]
}

interface Line {
  readonly text: string
  readonly reads: ReadonlySet<string>
  /** A local; without readers it goes. */
  readonly local?: string
  readonly updates?: string
}

const HYPERS: readonly { name: string; level: Level; declaration: string }[] = [
  { name: 'β', level: 'config', declaration: 'hyper beta as β = 0.9 in [0, 1)' },
  { name: 'ε', level: 'config', declaration: 'hyper epsilon as ε = 0.001 in (0, inf)' },
  { name: 'order', level: 'config', declaration: 'hyper order = 2 in {1, 2, 4}' },
  { name: 'shift', level: 'config', declaration: 'hyper offset as shift = -0.5' }
]
const FLAG = { name: 'flag', level: 'config' as Level, declaration: 'hyper flag = false' }
const MASKS: readonly { name: string; declaration: string }[] = [
  { name: 'matrix', declaration: 'mask matrix = rank > 1' },
  { name: 'large', declaration: 'mask large = size >= 4 and not (name ~ /bias/i)' },
  { name: 'named', declaration: 'mask named = name ~ /kernel$/ or rank == 0' }
]
const FACTS: readonly Named[] = ['rank', 'size', 'age'].map((name) => ({ name, level: 'layer' as Level }))
const SYMBOLS = [
  ['w', 'g', 't'],
  ['θ', '∇', 'n'],
  ['p', 'grad', 'k']
] as const
const SLOT_NAMES = ['m', 'v', 's₁', 'z']
const LOCAL_NAMES = ['a', 'b', 'c', 'd', 'u', 'û', 'x′', 'y']

type Over = '' | 'layer' | 'model' | 'rows' | 'cols' | 'channels'
const OVERS: readonly Over[] = ['', 'layer', 'model']
const oversWith = (axes: boolean): readonly Over[] => (axes ? ['rows', ...OVERS, 'cols', 'channels'] : OVERS)
const LEVEL_OF: Readonly<Record<Over, Level>> = {
  '': 'element',
  layer: 'layer',
  model: 'model',
  rows: 'row',
  cols: 'col',
  channels: 'channel'
}

/** The text of a program that the compiler must accept; with `axes`, one that may have rows, columns and channels. */
export function programOf(drawn: ProgramChoices, axes = false): string {
  const header = choices(drawn.header)
  const [w, g, t] = header.of(SYMBOLS)
  const std = header.of(['', '', '', 'clipByGlobalNorm', 'clipByLayerNorm', 'clipByValue'])
  const fns = drawn.fns.map((stream, i) => fnOf(choices(stream), `f${i + 1}`))
  const schedules = drawn.schedules.map((stream, i) => scheduleOf(choices(stream), `warm${i + 1}`))
  const transforms: Transform[] = []
  for (const [i, stream] of drawn.transforms.entries()) {
    transforms.push(transformOf(choices(stream), `stage${i + 1}`, transforms.slice(), axes))
  }
  const states = drawn.states
    .slice(0, SLOT_NAMES.length)
    .map((stream, i) => stateOf(choices(stream), SLOT_NAMES[i]!, w, axes))

  const numbers: Named[] = [
    { name: g, level: 'element' },
    { name: w, level: 'element' },
    ...states.map((s) => ({ name: s.name, level: s.level })),
    ...HYPERS,
    { name: t, level: 'step' },
    ...FACTS
  ]
  const bools: Named[] = [...MASKS.map(({ name }) => ({ name, level: 'layer' as Level })), FLAG]
  const vocabulary: Vocabulary & { numbers: Named[]; bools: Named[] } = {
    numbers,
    bools,
    fns,
    schedules: schedules.map(({ name }) => ({ name, param: 'top' })),
    pool: [],
    reduces: true,
    axes
  }
  const levels: readonly Level[] = ['element', 'element', 'element', 'layer', 'step', 'model']
  const levelsOfLocals = axes ? (['row', 'col', 'channel', ...levels] as const) : levels

  const uses = transforms.filter((x) => x.first).map((x): Line => ({ text: `use ${x.call('β')}`, reads: x.reads('β') }))
  if (std) uses.push({ text: `use ${std}(ε + 0.75)`, reads: new Set(['ε']) })

  const lines: Line[] = []
  const locals: Named[] = []
  const names = [...LOCAL_NAMES]
  drawn.statements.forEach((stream, i) => {
    const c = choices(stream)
    const kind = c.below(8)
    const state = states[c.below(states.length || 1)]
    if (kind === 1 && state) lines.push(updateOf(c, state, vocabulary))
    else if (kind === 2) {
      const x = numberOf(c, 'element', vocabulary, 3)
      lines.push({ text: `${g} := ${x.text}`, reads: x.reads, updates: g })
    } else if (kind === 3) {
      const x = numberOf(c, 'layer', vocabulary, 3)
      lines.push({ text: `observe ${x.text} as seen${i}`, reads: x.reads })
    } else if (kind === 4) {
      const name = names.shift()
      if (name === undefined) return
      const x = boolOf(c, c.of(['element', 'layer', 'step']), vocabulary, 3)
      lines.push({ text: `${name} = ${x.text}`, reads: x.reads, local: name })
      bools.push({ name, level: x.level })
    } else if (kind === 5 && transforms.length > 0 && locals.some((l) => l.level === 'element')) {
      const on = c.of(locals.filter((l) => l.level === 'element'))
      const transform = c.of(transforms)
      lines.push({
        text: `use ${transform.call('β')} on (${on.name})`,
        reads: new Set([...transform.reads('β'), on.name])
      })
    } else if (kind === 6) {
      const x = numberOf(c, 'element', vocabulary, 2)
      lines.push({ text: `${w} := ${w} - 0.1 * ${x.text}`, reads: x.reads, updates: w })
    } else {
      const name = names.shift()
      if (name === undefined) return
      const x = numberOf(c, c.of(levelsOfLocals), vocabulary, 3)
      lines.push({ text: `${name} = ${x.text}`, reads: x.reads, local: name })
      const local = { name, level: x.level }
      locals.push(local)
      numbers.unshift(local)
    }
  })
  for (const state of states) {
    const updated = lines.some((l) => l.updates === state.name)
    if (!updated && !state.readOnly) lines.push(updateOf(choices([]), state, vocabulary))
    if (state.readOnly)
      lines.push({ text: `${w} := ${w} - 0.01 * (${w} - ${state.name})`, reads: new Set([state.name]), updates: w })
  }
  lines.push(lastLine(w, g, locals, live(lines)))

  const kept = live(lines)
  const read = new Set([...uses, ...kept].flatMap((l) => [...l.reads]))
  const helpers = helpersOf([...fns, ...schedules, ...transforms], read)
  const declared = <T extends { name: string }>(all: readonly T[]): T[] => all.filter((x) => read.has(x.name))
  const usesT = read.has(t)
  return [
    ...(std ? [`import { ${std} } from "std"`, ''] : []),
    ...helpers,
    'optimizer Random {',
    '  hyper learningRate as lr = 0.1 in (0, inf)',
    ...declared([...HYPERS, FLAG]).map((h) => `  ${h.declaration}`),
    ...declared(MASKS).map((m) => `  ${m.declaration}`),
    ...states.map((s) => `  ${s.declaration}`),
    ...uses.map((l) => `  ${l.text}`),
    `  step(${w}, ${g}${usesT ? `, ${t}` : ''}) {`,
    ...kept.map((l) => `    ${l.text}`),
    '  }',
    '}',
    ''
  ].join('\n')
}

/** Moves the weight by everything that was computed and not yet read. */
function lastLine(w: string, g: string, locals: readonly Named[], lines: readonly Line[]): Line {
  const read = new Set(lines.flatMap((l) => [...l.reads]))
  const unread = locals.filter((l) => !read.has(l.name))
  const elements = unread.filter((l) => l.level === 'element').map((l) => l.name)
  if (elements.length === 0 || !read.has(g)) elements.push(g)
  const scalars = unread.filter((l) => l.level !== 'element').map((l) => l.name)
  const factors = ['lr', ...scalars.map((name) => `(1 + 0.1 * tanh(${name}))`), `(${elements.join(' + ')})`]
  const reads = new Set([w, ...elements, ...scalars])
  return { text: `${w} := ${w} - ${factors.join(' * ')}`, reads, updates: w }
}

/** Without the locals that nothing reads. */
function live(lines: readonly Line[]): Line[] {
  const kept: Line[] = []
  const read = new Set<string>()
  for (const line of [...lines].reverse()) {
    if (line.local !== undefined && !read.has(line.local)) continue
    kept.unshift(line)
    for (const name of line.reads) read.add(name)
  }
  return kept
}

interface Helper {
  readonly name: string
  readonly text: string
  readonly needs: ReadonlySet<string>
}

/** The declarations that are used, and what they use. */
function helpersOf(all: readonly Helper[], read: ReadonlySet<string>): string[] {
  const wanted = new Set(read)
  for (const helper of [...all].reverse()) {
    if (wanted.has(helper.name)) for (const name of helper.needs) wanted.add(name)
  }
  return all.filter((h) => wanted.has(h.name)).flatMap((h) => [h.text, ''])
}

interface State extends Named {
  readonly declaration: string
  readonly readOnly: boolean
}

function stateOf(c: Choices, name: string, weight: string, axes: boolean): State {
  const over = c.of(oversWith(axes))
  const level = LEVEL_OF[over]
  const init = c.of(over === '' ? ['0', '1', '0.1', weight, `0.5 * ${weight}`, 'lr'] : ['0', '1', '0.1', 'lr'])
  const readOnly = over === '' && init.includes(weight) && c.chance(2)
  const declaration = `state ${name}${over === '' ? '' : ` over ${over}`} = ${init}`
  return { name, level, declaration, readOnly }
}

function updateOf(c: Choices, state: State, vocabulary: Vocabulary): Line {
  // State of a layer or of the model lives on the host as long as only host values go in.
  const low: Level = state.level === 'model' ? 'step' : state.level === 'layer' ? c.of(['layer', 'step']) : state.level
  const ceiling = state.level === 'model' ? c.of(['model', low] as const) : low
  const x = numberOf(c, ceiling, vocabulary, 3)
  const self = term(state.name, state.level, [state.name])
  const made = c.of([
    (s: Term) => build(`0.75 * ${s.text} + 0.25 * ${x.text}`, s, x),
    (s: Term) => build(`β * ${s.text} + (1 - β) * ${x.text}`, s, x, term('β', 'config', ['β'])),
    (s: Term) => build(`max(0.5 * ${s.text}, ${x.text})`, s, x),
    (s: Term) => build(`0.5 * ${s.text} - ${x.text}`, s, x)
  ])(self)
  return { text: `${state.name} := ${made.text}`, reads: made.reads, updates: state.name }
}

const bare = (numbers: readonly Named[]): Vocabulary => ({
  numbers,
  bools: [],
  fns: [],
  schedules: [],
  pool: [],
  reduces: false,
  axes: false
})

function fnOf(c: Choices, name: string): Helper & { params: number; element: boolean } {
  const needs = new Set<string>()
  if (c.chance(3)) {
    const body = c.of(['x / (‖x‖ + 0.5)', 'x + noise() - noise()'])
    return { name, params: 1, element: true, needs, text: `fn ${name}(x) = ${body}` }
  }
  const params = ['x', 'β'].slice(0, 1 + c.below(2))
  const body = numberOf(c, 'config', bare(params.map((p) => ({ name: p, level: 'config' }))), 3)
  const unread = params.filter((p) => !body.reads.has(p))
  const text = `fn ${name}(${params.join(', ')}) = ${[body.text, ...unread].join(' + ')}`
  return { name, params: params.length, element: false, needs, text }
}

function scheduleOf(c: Choices, name: string): Helper {
  const vocabulary = bare([
    { name: 't', level: 'step' },
    { name: 'top', level: 'step' }
  ])
  const body = c.chance(2)
    ? numberOf(c, 'step', vocabulary, 3)
    : term('if t <= 3 then top * t / 3 else top', 'step', ['top'])
  const text = body.reads.has('top') ? body.text : `top * ${body.text}`
  return { name, needs: new Set(), text: `schedule ${name}(top = 0.5) = ${text}` }
}

interface Transform extends Helper {
  /** It works on the weight too. */
  readonly weighs: boolean
  /** Also used on the gradient, before the step. */
  readonly first: boolean
  readonly call: (arg: string) => string
  readonly reads: (arg: string) => Set<string>
}

function transformOf(c: Choices, name: string, others: readonly Transform[], axes: boolean): Transform {
  const first = c.below(2) === 0
  const over = c.of(oversWith(axes))
  const level = LEVEL_OF[over]
  // Arguments of the level of the step go everywhere; a layer's own does not go into state of the model.
  const weighs = c.chance(3)
  const masked = c.chance(3)
  const numbers: Named[] = [
    { name: 'x', level: 'element' },
    { name: 'kept', level },
    { name: 'rate', level: 'step' },
    ...(weighs ? [{ name: 'base', level: 'element' as Level }] : [])
  ]
  const bools: Named[] = masked ? [{ name: 'wide', level: 'layer' }] : []
  const vocabulary: Vocabulary = { ...bare(numbers), bools, reduces: true, axes }
  const input = numberOf(c, level, vocabulary, 2)
  const output = numberOf(c, 'element', vocabulary, 2)
  const fitting = others.filter((other) => weighs || !other.weighs)
  const inner = fitting.length > 0 && c.chance(3) ? c.of(fitting) : undefined
  const changed = masked ? `(if wide then ${output.text} else x)` : output.text
  const text = [
    `transform ${name}(rate = 0.5) on (${weighs ? 'x, base' : 'x'}) {`,
    ...(masked ? ['  mask wide = size > 2 and not (name ~ /gamma/)'] : []),
    `  state kept${over === '' ? '' : ` over ${over}`} = ${c.of(['0', '1', '0.25'])}`,
    ...(inner && c.chance(2) ? [`  use ${inner.call('rate')} on (x)`] : inner ? [`  use ${inner.call('rate')}`] : []),
    `  kept := rate * kept + (1 - rate) * ${input.text}`,
    `  x := ${changed} + 0.5 * x${weighs ? ' - 0.1 * base' : ''}`,
    '}'
  ].join('\n')
  const given = c.below(3)
  return {
    name,
    first,
    text,
    weighs,
    needs: new Set(inner ? [inner.name] : []),
    call: (arg) => `${name}(${['', arg, `rate = 0.5 * ${arg}`][given]})`,
    reads: (arg) => new Set(given > 0 ? [name, arg] : [name])
  }
}

/** Outcomes in words: a line a property, and all that there is to know of a failure. */
import stringWidth from 'string-width'
import type { Case, CaseLayer } from './case.js'
import type { Formula } from './formulas.js'
import type { Side } from './sides.js'
import type { Failure, Outcome } from './verify.js'

const percent = (part: number, whole: number): string =>
  part === 0 ? '' : `, ${Number(((100 * part) / whole).toPrecision(2))}% of them undetermined`

/** What became of a property, in half a line. */
export function inWords({ result, reason, cases, compared, undetermined }: Outcome): string {
  switch (result) {
    case 'holds':
      return `holds (${cases} cases, ${compared} numbers${percent(undetermined, compared)})`
    case 'silent':
      return `nothing to try: ${reason}`
    case 'undecided':
      return `can't be decided: ${reason}`
    case 'fails':
      return `fails in case ${cases}`
  }
}

/** The shrunk case, what came out, and every formula; `replay` is the command that draws it again. */
export function describeFailure(
  { given, shrinks, seed, ...failure }: Failure,
  replay: (seed: number) => string
): string {
  const { difference, differences, problems, formulas, otherwise, sides } = failure
  const more = differences > 1 ? ` (and ${differences - 1} more)` : ''
  const [is, must] = difference ? apart(difference.actual, difference.expected) : []
  const off = difference && [
    `${difference.where} is ${is}${otherwise === null ? '' : ` ${otherwise}`}, but must be ${must}` +
      `${difference.bound > 0 ? ` ± ${show(difference.bound)}` : ''}${more}`
  ]
  return [
    ...problems,
    ...(off ?? []),
    '',
    `The simplest case found (${shrinks} simplifications):`,
    ...describeCase(given).map((line) => `  ${line}`),
    ...(formulas.length > 0 ? ['', ...table(formulas)] : []),
    ...(sides.length > 0 ? ['', ...sideBySide(sides)] : []),
    '',
    `Again: ${replay(seed)}`
  ].join('\n')
}

function describeCase({ hypers, falling, masks, inPlace, steps, reload, layers }: Case): string[] {
  const record = (r: Readonly<Record<string, number | boolean>>): string =>
    Object.entries(r)
      .map(([name, x]) => `${name} ${x}`)
      .join(', ')
  return [
    ...(Object.keys(hypers).length > 0 ? [`hyperparameters: ${record(hypers)}`] : []),
    ...(falling.length > 0 ? [`falling with the steps: ${falling.join(', ')}`] : []),
    ...(Object.keys(masks).length > 0 ? [`masks: ${record(masks)}`] : []),
    ...(inPlace ? [] : ['inPlace: false']),
    ...(reload > 0 ? [`saved, and loaded into a new optimizer, before step ${reload}`] : []),
    ...layers.flatMap((layer) => describeLayer(layer, record)),
    `steps: ${steps}`
  ]
}

function describeLayer(
  { name, shape, weight, gradients, group }: CaseLayer,
  record: (r: CaseLayer['group']) => string
): string[] {
  return [
    `layer ${name} [${shape.join(', ')}]${Object.keys(group).length > 0 ? `, its group: ${record(group)}` : ''}`,
    `  weight ${some(weight)}`,
    ...gradients.map((g, i) => `  gradient of step ${i + 1}: ${g ? some(g) : 'none'}`)
  ]
}

/** Both to nine digits, or to as many as tell them apart. */
function apart(x: number, y: number): readonly [string, string] {
  for (let digits = 9; ; digits++) {
    const [p, q] = [x, y].map((v) => String(Number(v.toPrecision(digits)))) as [string, string]
    if (p !== q || digits === 17) return [p, q]
  }
}

const SHOWN = 8

function some(values: Float32Array): string {
  const shown = Array.from(values.slice(0, SHOWN), show)
  return `${shown.join(' ')}${values.length > SHOWN ? ` … (${values.length})` : ''}` || '(no elements)'
}

/** As few digits as tell a float32 from its neighbours. */
function show(x: number): string {
  if (Object.is(x, -0)) return '-0'
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(x.toPrecision(digits))
    if (Math.fround(text) === Math.fround(x)) return String(text)
  }
  return String(Number(x.toPrecision(9)))
}

function table(formulas: readonly Formula[]): string[] {
  const first = formulas.findIndex((f) => f.differs)
  const rows = formulas.map(({ text, reference, bound, kernel, same, differs }, i) => [
    i === first ? '→' : ' ',
    oneLine(text),
    show(reference),
    kernel === null ? '?' : `${show(kernel)}${same ? '' : ' ~'}`,
    [...(differs ? [offBy(kernel!, reference, bound)] : []), ...(i === first ? ['the first that differs'] : [])].join(
      '; '
    )
  ])
  return [
    ...inColumns([[' ', 'formula', 'reference', 'kernel', ''], ...rows]),
    '',
    '  Each value of the kernel is read from a kernel that was compiled to keep it besides.',
    ...(formulas.some((f) => f.kernel !== null && !f.same)
      ? ['  ~ That kernel rounds on its way otherwise than the one that failed.']
      : []),
    ...(first < 0
      ? ['  None of them differs there: what is wrong is how the kernel is put together, not a formula.']
      : [])
  ]
}

const offBy = (kernel: number, reference: number, bound: number): string =>
  Number.isFinite(reference)
    ? `off by ${show(Math.abs(kernel - reference))}, bound ${show(bound)}`
    : `shows nothing of ${show(reference)}`

/** Both trainings, and what the law makes of the first. */
function sideBySide(sides: readonly Side[]): string[] {
  const first = sides.findIndex((s) => s.differs)
  const rows = sides.map(({ text, plain, replaced, wanted, differs }, i) => {
    const [is, must] = differs ? apart(replaced, wanted!) : [show(replaced), wanted === null ? '' : show(wanted)]
    return [i === first ? '→' : ' ', oneLine(text), show(plain), is, must]
  })
  return [
    ...inColumns([[' ', '', 'as it is', 'replaced', 'by the law'], ...rows]),
    ...(first < 0 ? ['', '  These are numbers of the reference, where the law is kept.'] : [])
  ]
}

function inColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => stringWidth(row[c]!))))
  const padded = (row: readonly string[]): string =>
    row.map((cell, c) => cell + ' '.repeat(widths[c]! - stringWidth(cell))).join('  ')
  return rows.map((row) => `  ${padded(row).trimEnd()}`)
}

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

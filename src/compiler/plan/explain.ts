/** The Plan as a person reads it: what is computed where, what each pass moves, and what that costs. */
import type { Node } from '../check/program.js'
import { bufferName, formulaOf, leafName } from './names.js'
import { computedIn, isDeviceScalar, isReduction, levelOfBuffer, reach, rootsOf } from './order.js'
import type { Barrier, Buffer, Cell, Pass, Plan, Reduction, Variant } from './plan.js'
import { type Known, speller } from './spell.js'
import { startsIn } from './work.js'

/** An optimizer's Plan for a target without limits, and those of the targets there are. */
export interface Explained {
  readonly name: string
  readonly plan: Plan
  readonly targets: readonly Plan[]
}

export function explain({ name, plan, targets }: Explained): string {
  const { program } = plan
  const host = speller(program, authorKnows(plan))
  const sections = [
    [`${name}: ${figures(plan)}`],
    section('values', table(valuesOf(plan).map((v) => [v.name, v.level, v.place, v.formula]))),
    section(
      'on the host, in float64',
      table(plan.scalars.map((s) => [s.name, s.node.level, s.node.op === 'hyper' ? s.node.name : host(s.node)]))
    ),
    section(
      'state on the host',
      plan.hostState.map((s) => `${s.slot} := ${host(s.value)}`)
    ),
    ...[...new Set(plan.variants)].reverse().map((variant) => explainVariant(plan, variant)),
    section(
      'state of the model',
      plan.modelState.map((s) => `${s.slot} := ${host(s.value)}`)
    ),
    section('observed', table(program.observations.map((o) => [o.name, o.value.level, nameOr(plan, o.value)]))),
    section('claimed', table(program.laws.map((law) => [law.name, law.text]))),
    section(
      'targets',
      table(targets.map((t) => [t.abilities.target, counted(mostPasses(t)), figures(t) + keeps(plan, t)]))
    )
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function figures(plan: Pick<Plan, 'bytesPerWeight' | 'bytesCompulsory' | 'provedLeast'>): string {
  const { bytesPerWeight, bytesCompulsory, provedLeast } = plan
  const bound =
    bytesPerWeight > bytesCompulsory ? `; one pass that knew all reductions would move ${bytesCompulsory}` : ''
  return `${bytesPerWeight} bytes a weight${provedLeast ? ', proved least' : ', not proved least'}${bound}`
}

/** What a target has in scratch, which others compute again. */
function keeps(plan: Plan, target: Plan): string {
  const [elsewhere, here] = [plan, target].map((one) =>
    one.variants
      .flatMap((v) => v.passes.flatMap((p) => p.stores.filter((s) => s.to.kind === 'scratch')))
      .map((s) => nameOr(one, s.value))
  )
  const names = [...new Set(here)].filter((name) => !elsewhere!.includes(name))
  return names.length === 0 ? '' : `; keeps ${names.join(', ')}`
}

function mostPasses({ variants }: Plan): number {
  return Math.max(...variants.map((v) => v.passes.length))
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...indent(lines)]
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

/** Columns as wide as their widest entry; all but the last. */
function table(rows: readonly (readonly string[])[]): string[] {
  const width = (text: string): number => [...text.normalize('NFC').replace(/\p{M}/gu, '')].length
  const widths = rows.reduce<number[]>((w, row) => row.map((text, i) => Math.max(w[i] ?? 0, width(text))), [])
  return rows.map((row) =>
    row.map((text, i) => (i < row.length - 1 ? text + ' '.repeat(widths[i]! - width(text)) : text)).join('  ')
  )
}

export interface ExplainedValue {
  readonly name: string
  readonly level: string
  readonly place: string
  readonly formula: string
}

/** What the author named, once each, as the author wrote it. */
export function valuesOf(plan: Plan): ExplainedValue[] {
  const seen = new Set<string>()
  return plan.program.names
    .filter(({ name, span }) => {
      const key = `${name} ${span.start}`
      return !seen.has(key) && seen.add(key)
    })
    .map(({ name, node, span }) => ({
      name,
      level: node.level,
      place: node.place,
      formula: formulaOf(plan.program, span) || `${name} = ${speller(plan.program, authorKnows(plan))(node)}`
    }))
}

/** The author's names. */
function authorKnows({ program }: Plan): Known {
  const names = new Map(program.names.map(({ node, name }) => [node, name]))
  return (node) => names.get(node) ?? null
}

function nameOr(plan: Plan, node: Node): string {
  const known = authorKnows(plan)
  return known(node) ?? speller(plan.program, known)(node)
}

function explainVariant(plan: Plan, variant: Variant): string[] {
  const { passes, bytesPerWeight, bytesCompulsory, provedLeast } = variant
  const when = assignmentsOf(plan, variant)
  const title = `${when === null ? 'each layer' : `where ${when}`}, ${counted(passes.length)}`
  const lines = passes.flatMap((pass, i) => [
    ...plan.barriers.slice(passes[i - 1]?.segment ?? 0, pass.segment).flatMap((b) => explainBarrier(plan, b)),
    ...explainPass(plan, variant, pass, i)
  ])
  const left = plan.barriers.slice(passes.at(-1)?.segment ?? 0).flatMap((b) => explainBarrier(plan, b))
  const state = variant.layerState.map((s) => `state ${s.slot} := ${variantText(plan, variant, s.value)}`)
  const moved = when === null ? '' : `: ${figures({ bytesPerWeight, bytesCompulsory, provedLeast })}`
  return section(`${title}${moved}`, [...lines, ...left, ...state])
}

function counted(passes: number): string {
  return passes === 1 ? 'in 1 pass' : `in ${passes} passes`
}

function explainPass(plan: Plan, variant: Variant, pass: Pass, index: number): string[] {
  const known = variantKnows(plan, variant)
  const text = speller(plan.program, known)
  const named = bufferNamer(plan, variant)
  const list = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : names.join(' '))
  const loads = list(pass.loads.map(named))
  const stores = list(pass.stores.map((s) => named(s.to)))
  const kept = (node: Node): string | undefined => {
    const vector = variant.vectors.find((v) => v.node === node)
    return vector && vectorText(plan, vector)
  }
  const gathered = ({ node, value }: Reduction): string => {
    const name = kept(node)
    return `${name ? `${name} = ` : ''}${node.op}(${known(value) ?? text(value)})${OVER[node.over]}`
  }
  return [
    `pass ${index + 1}${DOMAIN[pass.domain]}: loads ${loads}, stores ${stores}; ${movedBy(plan, variant, pass)}`,
    ...indent([
      ...explainBody(plan, variant, pass),
      ...pass.reductions.map(gathered),
      ...explainCells(
        pass.finish.map((i) => variant.cells[i]!),
        plan,
        variant
      )
    ])
  ]
}

const OVER = { layer: '', model: ' over model', row: ' over rows', col: ' over cols', channel: ' over channels' }
const DOMAIN = { element: '', row: ' over rows', col: ' over columns', channel: ' over channels' }

/** What a pass moves: of weights, and of rows and columns apart. */
function movedBy({ program }: Plan, { vectors }: Variant, pass: Pass): string {
  const levels = [...pass.loads, ...pass.stores.map((s) => s.to)].map((b) => levelOfBuffer(program, vectors, b))
  const bytes = (level: string): number => 4 * levels.filter((l) => l === level).length
  const parts = [
    ...(pass.domain === 'element' || bytes('element') > 0 ? [`${bytes('element')} bytes a weight`] : []),
    ...(bytes('row') > 0 ? [`${bytes('row')} a row`] : []),
    ...(bytes('col') > 0 ? [`${bytes('col')} a column`] : []),
    ...(bytes('channel') > 0 ? [`${bytes('channel')} a channel`] : [])
  ]
  return parts.join(', ').replace(/^(\d+) a /, '$1 bytes a ')
}

/** Names of what passes load and store. */
function bufferNamer(plan: Plan, { vectors }: Variant): (buffer: Buffer) => string {
  return (buffer) =>
    buffer.kind === 'vector' ? vectorText(plan, vectors[buffer.index]!) : bufferName(plan.program, buffer)
}

/** Of what a slot is to hold, which holds something else yet. */
function vectorText({ program }: Plan, { name }: Cell): string {
  return program.slots.some((slot) => slot.name === name) ? `new ${name}` : name
}

/**
 * What the author named, what is stored, and what is long and met several times (`x1`), a line each: first what is made of
 * old values alone. `m₀` is what a slot held before, in a line that stands below `m := …`.
 */
function explainBody(plan: Plan, variant: Variant, pass: Pass): string[] {
  const bufferText = bufferNamer(plan, variant)
  const computed = computedIn(pass)
  const names = withRepeated(pass, computed, variantKnows(plan, variant))
  const written: Buffer[] = []
  const known: Known = (node) => {
    const old = node.args.length === 0 && written.find((buffer) => startsIn(node, buffer))
    return old ? `${bufferText(old)}₀` : names(node)
  }
  const text = speller(plan.program, known)
  const storesOf = (node: Node): Buffer[] => pass.stores.filter((s) => s.value === node).map((s) => s.to)
  const lines = (node: Node): string[] => {
    const stores = storesOf(node)
    const own = stores.find((b) => bufferText(b) === names(node)) ?? (names(node) === null ? stores[0] : undefined)
    const name = own ? bufferText(own) : names(node)
    if (name === null) return []
    const all = [
      `${name} ${own ? ':=' : '='} ${text(node)}`,
      ...stores.filter((b) => b !== own).map((b) => `${bufferText(b)} := ${name}`)
    ]
    written.push(...stores)
    return all
  }
  const news = new Set<Node>()
  for (const node of computed) {
    const isNew = storesOf(node).some((b) => b.kind !== 'scratch') || node.args.some((arg) => news.has(arg))
    if (isNew) news.add(node)
  }
  const copied = pass.stores.filter((s) => !computed.includes(s.value))
  return [
    ...computed.filter((node) => !news.has(node)).flatMap(lines),
    ...computed.filter((node) => news.has(node)).flatMap(lines),
    ...copied.map((s) => {
      const from = pass.reads.find((r) => r.node === s.value)?.from
      return `${bufferText(s.to)} := ${from?.kind === 'vector' ? bufferText(from) : (known(s.value) ?? text(s.value))}`
    })
  ]
}

/** A formula of so many values is short enough to be written twice. */
const SHORT = 8

/** Names for what is met several times in a pass, has none, and is long. */
function withRepeated(pass: Pass, computed: readonly Node[], names: Known): Known {
  const uses = new Map<Node, number>()
  for (const node of [...rootsOf(pass), ...computed.flatMap((n) => n.args)]) uses.set(node, (uses.get(node) ?? 0) + 1)
  const given = new Map<Node, string>()
  const lengths = new Map<Node, number>()
  for (const node of computed) {
    const length = node.args.reduce((sum, arg) => sum + (lengths.get(arg) ?? 1), 1)
    const isStored = pass.stores.some((s) => s.value === node)
    const isNamed = names(node) !== null
    if (!isNamed && !isStored && length > SHORT && uses.get(node)! > 1) given.set(node, `x${given.size + 1}`)
    lengths.set(node, isNamed || isStored || given.has(node) ? 1 : length)
  }
  return (node) => names(node) ?? given.get(node) ?? null
}

function explainBarrier(plan: Plan, barrier: Barrier): string[] {
  const text = speller(plan.program, variantKnows(plan, null))
  const cells = barrier.finish.map((i) => plan.modelCells[i]!)
  return [`all layers: ${barrier.reductions.map(text).join(', ')}`, ...indent(explainCells(cells, plan, null))]
}

/** Cells, and what the author named on the way to them. */
function explainCells(cells: readonly Cell[], plan: Plan, variant: Variant | null): string[] {
  const known = variantKnows(plan, variant)
  const text = speller(plan.program, known)
  const others = new Set([...(variant?.cells ?? []), ...plan.modelCells].map((c) => c.node))
  for (const { node } of cells) others.delete(node)
  const isMade = (node: Node): boolean => isDeviceScalar(node) && !others.has(node)
  return reach(
    cells.map((c) => c.node),
    (node) => isMade(node) && !isReduction(node)
  )
    .filter((node) => isMade(node) && node.args.length > 0 && known(node) !== null)
    .map((node) => `then ${known(node)} = ${text(node)}`)
}

/** Names that kernels know: host scalars, cells, and what the author named. */
function variantKnows(plan: Plan, variant: Variant | null): Known {
  const author = authorKnows(plan)
  const own = variant ? [...variant.cells, ...variant.vectors] : []
  const given = new Map([...plan.scalars, ...plan.modelCells, ...own].map((s) => [s.node, s.name]))
  return (node) => author(node) ?? given.get(node) ?? null
}

function variantText(plan: Plan, variant: Variant, node: Node): string {
  const known = variantKnows(plan, variant)
  return known(node) ?? speller(plan.program, known)(node)
}

/** The conditions under which layers have this variant: "adapt", "not adapt and nesterov"; null if all layers do. */
function assignmentsOf(plan: Plan, variant: Variant): string | null {
  if (plan.variants.every((v) => v === variant)) return null
  const text = (condition: Node): string => leafName(condition, plan.program) ?? nameOr(plan, condition)
  const indices = plan.variants.flatMap((v, i) => (v === variant ? [i] : []))
  const bit = (index: number, c: number): boolean => ((index >> c) & 1) === 1
  const fixed = plan.conditions.flatMap((_, c) => (indices.every((i) => bit(i, c) === bit(indices[0]!, c)) ? [c] : []))
  const isProduct = indices.length === 2 ** (plan.conditions.length - fixed.length)
  const spelled = (index: number, which: readonly number[]): string =>
    which.map((c) => (bit(index, c) ? '' : 'not ') + enclose(text(plan.conditions[c]!))).join(' and ')
  const [only] = fixed
  if (isProduct && fixed.length === 1 && bit(indices[0]!, only!)) return text(plan.conditions[only!]!)
  if (isProduct) return spelled(indices[0]!, fixed)
  return indices.map((i) => spelled(i, [...plan.conditions.keys()])).join(', or ')
}

function enclose(text: string): string {
  return / /.test(text) ? `(${text})` : text
}

/** The document of `optc explain --json`. */
export function explainJson(optimizers: readonly Explained[]): unknown {
  return { optimizers: optimizers.map(toJson) }
}

function toJson({ name, plan, targets }: Explained) {
  const { program } = plan
  const text = speller(program, authorKnows(plan))
  const largest = plan.variants.reduce((a, b) => (b.bytesPerWeight > a.bytesPerWeight ? b : a))
  return {
    name,
    ...figuresOf(plan),
    passes: largest.passes.map((pass) => passToJson(plan, largest, pass)),
    slots: program.slots.map((s) => ({ name: s.name, over: s.over, init: text(s.init) })),
    hypers: program.hypers.map((h) => ({ name: h.name, symbol: h.symbol, init: h.init })),
    masks: program.masks.map((m) => ({ name: m.name, predicate: text(m.predicate) })),
    observations: program.observations.map((o) => ({
      name: o.name,
      level: o.value.level,
      value: nameOr(plan, o.value)
    })),
    laws: program.laws,
    values: valuesOf(plan),
    scalars: plan.scalars.map((s) => ({ name: s.name, level: s.node.level, formula: text(s.node) })),
    variants: [...new Set(plan.variants)].map((variant) => ({
      when: assignmentsOf(plan, variant),
      ...figuresOf(variant),
      passes: variant.passes.map((pass) => passToJson(plan, variant, pass))
    })),
    targets: targets.map((t) => ({
      target: t.abilities.target,
      ...figuresOf(t),
      passes: mostPasses(t)
    }))
  }
}

function figuresOf(plan: Pick<Plan, 'bytesPerWeight' | 'bytesCompulsory' | 'provedLeast'>) {
  const { bytesPerWeight, bytesCompulsory, provedLeast } = plan
  return { bytesPerWeight, bytesCompulsory, provedLeast }
}

function passToJson(plan: Plan, variant: Variant, pass: Pass) {
  const named = bufferNamer(plan, variant)
  const text = speller(plan.program, variantKnows(plan, variant))
  const made = new Set<string>(pass.reductions.map((r) => r.node.over))
  return {
    /** What it sweeps over. */
    domain: pass.domain,
    /** What its reductions are one value for each of, the lowest level of them; that of what it sweeps over where it has none. */
    level: ['model', 'layer', 'row', 'channel', 'col'].find((level) => made.has(level)) ?? pass.domain,
    reads: pass.loads.map(named),
    writes: pass.stores.map((s) => named(s.to)),
    reduces: pass.reductions.map((r) => text(r.node))
  }
}

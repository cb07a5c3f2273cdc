/**
 * Prints what a generated class says of its program apart from kernels, as the runtime's `CompiledProgram` wants it:
 * masks, host scalars and the layer's variant, host state, and what state starts as. Any target's plan gives the same.
 */
import type { Hyper, Node, Program, Schedule, Slot } from '../check/program.js'
import { reach } from '../plan/order.js'
import type { Plan } from '../plan/plan.js'
import { authorNames, type Body, layOut } from './body.js'
import { apply } from './float64.js'
import { ascii, freshNames } from './names.js'
import { HELPERS, operations } from './ops.js'
import { array, arrow, block, literal, object, quote } from './text.js'

/** Generated files carry this number: `FORMAT` of the runtime. */
const FORMAT = 1

/** An object literal of type `CompiledProgram`; `used` takes the names that it wants imported. */
export function printProgram(plan: Plan, used: Set<string>): string {
  const { program } = plan
  const inits = (ofTensors: boolean): string =>
    object(
      program.slots
        .filter((slot) => (slot.over !== 'layer' && slot.over !== 'model') === ofTensors)
        .map((slot) => [ascii(slot.name), printInit(program, slot, used)])
    )
  return object([
    ['format', String(FORMAT)],
    ['name', quote(ascii(program.name))],
    ['hypers', table(program.hypers.map(printHyper))],
    [
      'masks',
      table(program.masks.map((m) => `{ name: ${quote(ascii(m.name))}, predicate: ${printMask(m.predicate)} }`))
    ],
    [
      'slots',
      table(program.slots.map((s) => `{ name: ${quote(ascii(s.name))}, over: '${s.over}', place: '${s.place}' }`))
    ],
    [
      'observations',
      table(program.observations.map((o) => `{ name: ${quote(ascii(o.name))}, scalar: ${scalarOf(plan, o.value)} }`))
    ],
    ['readsAge', String(readsAge(plan))],
    ['sharesScalars', sharesScalars(plan) ? 'true' : null],
    ['seeded', program.seeded ? 'true' : null],
    ['scalars', String(plan.scalars.length)],
    ['host', printHost(plan)],
    ['advanceLayer', printAdvance(plan, 'layer')],
    ['advanceModel', printAdvance(plan, 'model')],
    ['initScalar', inits(false)],
    ['init', inits(true)],
    ['plan', printSummary(plan)]
  ])
}

/** The body of a schedule as a function of the step and its named arguments. */
export function printSchedule({ params, body }: Schedule): string {
  const fresh = freshNames(RESERVED)
  const t = fresh('t')
  const names = new Map(params.map(({ name }) => [name, fresh(name)]))
  const { lines, results } = layOut([body], {
    read: (node) => {
      if (node.op === 'const') return literal(node.value)
      if (node.op === 'step') return t
      return node.op === 'hyper' ? names.get(node.name)! : null
    },
    apply,
    fresh
  })
  const args = params.map(({ name }) =>
    names.get(name) === ascii(name) ? ascii(name) : `${ascii(name)}: ${names.get(name)}`
  )
  if (args.length === 0) return arrow([t], lines, results[0]!)
  const step = reach([body], () => true).some((node) => node.op === 'step') ? t : `_${t}`
  return `(${step}, { ${args.join(', ')} }) => ${block(lines, results[0]!)}`
}

/** What a function's text reads from around it, and so may not give to a value. */
const RESERVED = ['h', 'out', 'layer', 'weight', 'tf', 'Math', ...HELPERS]

/** One to a line. */
function table(rows: readonly string[]): string {
  return rows.length === 0 ? '[]' : `[\n${rows.map((row) => `  ${row}`).join(',\n')}\n]`
}

function printHyper({ name, init, range, groupable }: Hyper): string {
  let bounds = 'null'
  if (range?.kind === 'set') bounds = `{ values: ${array(range.values.map(literal))} }`
  if (range?.kind === 'interval') {
    const { low, lowOpen, high, highOpen } = range
    bounds = `{ low: ${literal(low)}, lowOpen: ${lowOpen}, high: ${literal(high)}, highOpen: ${highOpen} }`
  }
  return `{ name: ${quote(ascii(name))}, init: ${literal(init)}, range: ${bounds}, groupable: ${groupable} }`
}

/** The predicate as a function of `LayerInfo`. */
export function printMask(predicate: Node): string {
  const { lines, results } = layOut([predicate], {
    read: (node) => {
      if (node.op === 'const') return literal(node.value)
      // A RegExp prints its own source with slashes and line ends escaped.
      if (node.op === 'match') return `${new RegExp(node.pattern, node.flags)}.test(layer.name)`
      return node.op === 'fact' ? `layer.${node.name}` : null
    },
    apply,
    fresh: freshNames(RESERVED)
  })
  return `(layer) => ${block(lines, results[0]!)}`
}

function hostSlots(program: Program, over: 'layer' | 'model'): string[] {
  return program.slots.filter((s) => s.over === over && s.place === 'host').map((s) => s.name)
}

/** The index of a host value among the scalars, −1 for one on the device. */
function scalarOf(plan: Plan, node: Node): number {
  if (node.place === 'device') return -1
  const index = plan.scalars.findIndex((s) => s.node === node)
  if (index < 0) throw new Error(`an observation is missing among the host scalars`)
  return index
}

/** Hyperparameters and masks are not the layer's own: many layers have the same. */
function sharesScalars(plan: Plan): boolean {
  const isOwn = ({ op, level }: Node): boolean =>
    op === 'key' || ((op === 'fact' || op === 'slot') && level === 'layer')
  return !reach([...plan.scalars.map((s) => s.node), ...plan.conditions], () => true).some(isOwn)
}

function readsAge(plan: Plan): boolean {
  const roots = [...plan.scalars.map((s) => s.node), ...plan.conditions, ...plan.hostState.map((s) => s.value)]
  return reach(roots, () => true).some((node) => node.op === 'fact' && node.name === 'age')
}

/** Fills the scalars and gives the variant's index. */
export function printHost(plan: Plan): string {
  const roots = plan.scalars.map((s) => s.node)
  const { lines, results } = printValues(plan.program, [...roots, ...plan.conditions])
  const numbers = plan.scalars.map(
    ({ node }, i) => `out[${i}] = ${node.kind === 'bool' ? bit(results[i]!, 1) : results[i]}`
  )
  const bits = plan.conditions.map((_, i) => bit(results[roots.length + i]!, 2 ** i))
  const index = bits.length > 1 ? bits.map((text) => `(${text})`).join(' + ') : (bits[0] ?? '0')
  return arrow(['h', 'out'], [...lines, ...numbers], index)
}

function bit(condition: string, value: number): string {
  return `${/^\w+$/.test(condition) ? condition : `(${condition})`} ? ${value} : 0`
}

/** New values in place of the old; all old ones are read before the first is written. */
function printAdvance(plan: Plan, over: 'layer' | 'model'): string | null {
  const slots = hostSlots(plan.program, over)
  const own = plan.hostState.filter(({ slot }) => slots.includes(slot))
  if (own.length === 0) return null
  const { lines, results } = printValues(
    plan.program,
    own.map((s) => s.value)
  )
  const writes = own.map(({ slot }, i) => `h.${over}State[${slots.indexOf(slot)}] = ${results[i]}`)
  return arrow(['h'], [...lines, ...writes], null)
}

function printInit(program: Program, { init }: Slot, used: Set<string>): string {
  if (init.op === 'const') return `() => ${literal(init.value)}`
  if (init.place === 'host') {
    const { lines, results } = printValues(program, [init])
    return arrow(['h'], lines, results[0]!)
  }
  const fresh = freshNames(RESERVED)
  const host = [...hostPart(init)]
  const values = printValues(program, host, fresh)
  const { lines, results } = layOut([init], {
    read: (node) => {
      if (node.op === 'weight') return 'weight'
      return node.place === 'host' ? values.results[host.indexOf(node)]! : null
    },
    apply: operations(used),
    fresh
  })
  return arrow(['h', 'weight'], [...values.lines, ...lines], results[0]!)
}

/** The host values that device operations read, each once. */
function hostPart(node: Node, found = new Set<Node>()): Set<Node> {
  if (node.place === 'host') found.add(node)
  else for (const arg of node.args) hostPart(arg, found)
  return found
}

/** Host values in terms of `h`: first a line for each of its fields that they read. */
function printValues(program: Program, roots: readonly Node[], fresh = freshNames(RESERVED)): Body {
  const fields = new Map<Node, string>()
  const lines: string[] = []
  const { lines: rest, results } = layOut(roots, {
    read: (node) => {
      if (node.op === 'const') return literal(node.value)
      const known = fields.get(node)
      if (known) return known
      const field = readField(program, node)
      if (!field) return null
      const name = fresh(field.name)
      lines.push(`const ${name} = ${field.text}`)
      fields.set(node, name)
      return name
    },
    apply,
    named: authorNames(program),
    fresh
  })
  return { lines: [...lines, ...rest], results }
}

/** How a leaf is read from `HostInput`, and what to call it; null for what is computed. */
function readField(program: Program, node: Node): { readonly name: string; readonly text: string } | null {
  switch (node.op) {
    case 'hyper': {
      const index = program.hypers.findIndex((h) => h.name === node.name)
      const text = `h.hypers[${index}]`
      return { name: program.hypers[index]!.symbol, text: node.kind === 'bool' ? `${text} !== 0` : `${text}!` }
    }
    case 'step':
      return { name: program.symbols.step, text: 'h.t' }
    case 'key':
      return { name: `key${node.word}`, text: `h.key[${node.word}]!` }
    case 'fact':
      return { name: node.name, text: `h.${node.name}` }
    case 'mask':
      return { name: node.name, text: `h.masks[${program.masks.findIndex((m) => m.name === node.name)}]!` }
    case 'slot': {
      const over = program.slots.find((s) => s.name === node.name)!.over as 'layer' | 'model'
      return { name: node.name, text: `h.${over}State[${hostSlots(program, over).indexOf(node.name)}]!` }
    }
    default:
      return null
  }
}

function printSummary(plan: Plan): string {
  const { bytesPerWeight, bytesCompulsory, provedLeast } = plan
  const passes = Math.max(...plan.variants.map((v) => v.passes.length))
  return `{ bytesPerWeight: ${bytesPerWeight}, bytesCompulsory: ${bytesCompulsory}, provedLeast: ${provedLeast}, passes: ${passes} }`
}

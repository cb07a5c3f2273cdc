/**
 * The reference: what one step of an optimizer means, in float64, with a bound on how far a kernel may be from it.
 * It walks the syntax tree, straight from docs/language.md, and shares nothing with the compiler behind the parser.
 */
import type { OptimizerDecl } from '../compiler/syntax/ast.js'
import type { Module } from '../compiler/syntax/modules.js'
import { type Table, tables } from './arithmetic.js'
import { bools, type Cell, evaluate, numbers, type Scope } from './expression.js'
import { errorOf, exactly, load, type Num } from './number.js'
import { declareMasks, type Recorded, runStep, startOf } from './run.js'
import { masksOf, type Slot, type Stage, slotsOf, stageOf } from './stage.js'
import { truth } from './truth.js'
import { type Extent, type Grid, gridOf, type Level, type NumberValue, type Value } from './value.js'

/** One value an element, or one alone; |a kernel's result − value| ≤ bound, wherever the bound is finite. */
export interface Bounded {
  readonly value: Float64Array
  readonly bound: Float64Array
  /** 1 where a select on the way could not be decided. */
  readonly undecided: Uint8Array
}

export type Hypers = Readonly<Record<string, number | boolean>>

export interface LayerInput {
  readonly name: string
  readonly shape: readonly number[]
  readonly weight: ArrayLike<number>
  /** null: takes no part in this step. */
  readonly gradient: ArrayLike<number> | null
  /** Its own step count, from 1 at the first. */
  readonly age: number
  /** Hyperparameters of its group, by external name. */
  readonly hypers?: Hypers
  /** Masks that the caller overrides. */
  readonly masks?: Readonly<Record<string, boolean>>
  /** Every slot but those over the model; one entry when over the layer, one a row or a column when over these. null: this is its first step. */
  readonly slots: Readonly<Record<string, ArrayLike<number>>> | null
}

export interface StepInput {
  /** The step, from 1. */
  readonly t: number
  /** By external name; what is left out has its default. */
  readonly hypers?: Hypers
  /** Of random numbers. Default 0. */
  readonly seed?: number
  readonly layers: readonly LayerInput[]
  /** null: this is the model's first step. */
  readonly modelState: Readonly<Record<string, number>> | null
}

export interface LayerResult {
  readonly name: string
  readonly weight: Bounded
  readonly slots: Readonly<Record<string, Bounded>>
  /** {} for a layer that took no part. */
  readonly observations: Readonly<Record<string, Bounded>>
  /** Locals and updates, in the order computed: which formula differs first. */
  readonly trace: readonly { readonly name: string; readonly value: Bounded }[]
}

export interface StepResult {
  readonly layers: readonly LayerResult[]
  readonly modelState: Readonly<Record<string, Bounded>>
}

export interface Reference {
  readonly name: string
  readonly hypers: readonly { readonly name: string; readonly symbol: string; readonly init: number | boolean }[]
  readonly masks: readonly string[]
  readonly slots: readonly Pick<Slot, 'name' | 'over' | 'place'>[]
  step(input: StepInput, table?: Table): StepResult
}

/** The optimizer of that name, or the module's first. */
export function reference(module: Module, name?: string): Reference {
  const optimizers = module.file.declarations.filter((d) => d.kind === 'optimizer')
  const optimizer = name === undefined ? optimizers[0] : optimizers.find((o) => o.name.text === name)
  if (!optimizer) throw new Error(`no optimizer ${name ?? ''} in ${module.file.path}`)
  const stage = stageOf(module, optimizer)
  const slots = slotsOf(stage)
  settlePlaces(stage, slots)
  return {
    name: optimizer.name.text,
    hypers: optimizer.hypers.map((h) => ({ name: h.external.text, symbol: h.symbol.text, init: initOf(h.init) })),
    masks: masksOf(stage),
    slots,
    step: (input, table = tables.exact) => step(stage, slots, input, table)
  }
}

/** The model, which has no elements of its own. */
const NOTHING: Grid = { matrices: 0, rows: 0, cols: 0 }

function initOf(e: OptimizerDecl['hypers'][number]['init']): number | boolean {
  const module = { file: { path: '', source: '', imports: [], declarations: [] }, imports: new Map() }
  const scope: Scope = {
    extent: { table: tables.exact, grids: [NOTHING] },
    module,
    facts: new Map(),
    names: new Map(),
    layers: [{ name: '', masks: {} }],
    random: { seed: 0, step: 0, sites: 0 }
  }
  const v = evaluate(e, scope)
  return v.kind === 'number' ? v.of[0]![0]!.x : v.of[0]![0]!.value
}

/** A slot is on the host until a device value updates it: steps a model of one weight until nothing moves any more. */
function settlePlaces(stage: Stage<OptimizerDecl>, slots: readonly Slot[]): void {
  const count = (): number => slots.filter((s) => s.place === 'device').length
  for (let before = -1; before !== count(); ) {
    before = count()
    const layer = { name: '', shape: [], weight: [0], gradient: [0], age: 1, slots: null }
    step(stage, slots, { t: 1, layers: [layer], modelState: null }, tables.exact)
  }
}

/** The scope that a step starts in, and the cells of what it changes. The model itself is one more layer, with no elements. */
function open(
  stage: Stage<OptimizerDecl>,
  input: StepInput,
  layers: readonly LayerInput[],
  table: Table
): { scope: Scope; weight: Cell; gradient: Cell } {
  const { declaration: optimizer, module } = stage
  const extent: Extent = { table, grids: [...layers.map((l) => gridOf(l.shape)), NOTHING] }
  const each = (level: Level, of: (layer: LayerInput | null) => number): Cell => ({
    value: { kind: 'number', level, place: 'host', of: [...layers, null].map((l) => [exactly(of(l))]) }
  })
  const elements = (of: (l: LayerInput) => ArrayLike<number>): Cell => ({
    value: {
      kind: 'number',
      level: 'element',
      place: 'device',
      of: [...layers.map((l) => Array.from(of(l), (x) => load(table.device, x))), []]
    }
  })
  const facts = new Map([
    ['rank', each('layer', (l) => l?.shape.length ?? 0)],
    ['size', each('layer', (l) => l?.weight.length ?? 0)],
    ['age', each('layer', (l) => l?.age ?? 0)],
    ['t', each('step', () => input.t)]
  ])
  const names = new Map<string, Cell>()
  const scope: Scope = {
    extent,
    module,
    facts,
    names,
    layers: [...layers.map(({ name, masks = {} }) => ({ name, masks })), { name: '', masks: {} }],
    random: { seed: input.seed ?? 0, step: input.t, sites: 0 }
  }
  for (const hyper of optimizer.hypers) {
    const known = (l: LayerInput | null): number | boolean =>
      l?.hypers?.[hyper.external.text] ?? input.hypers?.[hyper.external.text] ?? initOf(hyper.init)
    const of = [...layers, null].map(known)
    names.set(hyper.symbol.text, { value: hostValue('config', of) })
  }
  declareMasks(stage, scope)
  const params = optimizer.steps[0]!.params.map((p) => p.text)
  const weight = elements((l) => l.weight)
  const gradient = elements((l) => l.gradient ?? [])
  names.set(params[0]!, weight).set(params[1]!, gradient)
  if (params[2] !== undefined) names.set(params[2], facts.get('t')!)
  return { scope, weight, gradient }
}

function hostValue(level: Level, of: readonly (number | boolean)[]): Value {
  if (typeof of[0] === 'boolean') return { kind: 'bool', level, place: 'host', of: of.map((v) => [truth(Boolean(v))]) }
  return { kind: 'number', level, place: 'host', of: of.map((v) => [exactly(Number(v))]) }
}

const takesPart = (l: LayerInput): boolean => l.gradient !== null && l.weight.length > 0

function step(stage: Stage<OptimizerDecl>, slots: readonly Slot[], input: StepInput, table: Table): StepResult {
  const present = input.layers.filter(takesPart)
  const { scope, weight, gradient } = open(stage, input, present, table)
  const fresh = startOf(stage, scope, [gradient, weight])
  const state = new Map<Slot, Cell>(
    slots.map((slot) => [slot, { value: stateValue(slot, input, present, numbers(fresh.get(slot)!), table) }])
  )
  // Where no layer takes part there is nothing to learn from: state of the model stays.
  const learns = present.length > 0
  const { trace, observations } = learns
    ? runStep(stage, scope, state, weight, gradient)
    : { trace: [], observations: [] }
  const layerSlots = slots.filter((s) => s.over !== 'model')

  const results = present.map(
    (layer, i): LayerResult => ({
      name: layer.name,
      weight: boundedOf(weight.value, i),
      slots: Object.fromEntries(layerSlots.map((s) => [s.name, boundedOf(state.get(s)!.value, i)])),
      observations: Object.fromEntries(observations.map((o: Recorded) => [o.name, boundedOf(o.value, i)])),
      trace: trace.map((r) => ({ name: r.name, value: boundedOf(r.value, i) }))
    })
  )
  const untouched = (l: LayerInput): LayerResult => ({
    name: l.name,
    weight: unchanged(l.weight),
    slots: Object.fromEntries(layerSlots.map((s) => [s.name, unchanged(l.slots?.[s.name] ?? [])])),
    observations: {},
    trace: []
  })
  const models = slots.filter((s) => s.over === 'model')
  return {
    layers: input.layers.map((l) => results[present.indexOf(l)] ?? untouched(l)),
    modelState: Object.fromEntries(models.map((s) => [s.name, boundedOf(state.get(s)!.value, present.length)]))
  }
}

/** A slot at the start of the step: what the kernel held, or `fresh` where there was nothing yet. */
function stateValue(
  slot: Slot,
  input: StepInput,
  layers: readonly LayerInput[],
  fresh: NumberValue,
  table: Table
): NumberValue {
  const { name, over } = slot
  const read = (x: number): Num => (slot.place === 'device' ? load(table.device, x) : exactly(x))
  if (over === 'model') {
    if (!input.modelState) return fresh
    const n = read(input.modelState[name]!)
    return { ...fresh, of: fresh.of.map(() => [n]) }
  }
  return {
    ...fresh,
    of: fresh.of.map((entries, i) => (layers[i]?.slots ? Array.from(layers[i].slots[name]!, read) : entries))
  }
}

function boundedOf(v: Value, layer: number): Bounded {
  const entries = v.kind === 'number' ? numbers(v).of[layer]! : bools(v).of[layer]!.map((p) => exactly(Number(p.value)))
  return {
    value: Float64Array.from(entries, (n) => n.x),
    bound: Float64Array.from(entries, errorOf),
    undecided: Uint8Array.from(entries, (n) => Number(n.undecided))
  }
}

const unchanged = (values: ArrayLike<number>): Bounded => ({
  value: Float64Array.from(values),
  bound: new Float64Array(values.length),
  undecided: new Uint8Array(values.length)
})

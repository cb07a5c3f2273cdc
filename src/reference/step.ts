/** One step: what there is when it starts, what the statements make of it, and what came of that, as plain arrays. */
import type { OptimizerDecl } from '../compiler/syntax/ast.js'
import { type Table, tables } from './arithmetic.js'
import { bools, type Cell, evaluate, numbers, type Scope } from './expression.js'
import { errorOf, exactly, load, type Num } from './number.js'
import { declareMasks, type Recorded, runStep, startOf } from './run.js'
import type { Slot, Stage } from './stage.js'
import { truth } from './truth.js'
import { type Extent, type Grid, gridOf, type Level, type NumberValue, onDevice, type Value } from './value.js'

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

/** An optimizer, and all of its slots. */
export interface Subject {
  readonly stage: Stage<OptimizerDecl>
  readonly slots: readonly Slot[]
}

/** What hyperparameters, masks, the step's parameters and slots are called. */
export function symbolsOf({ stage, slots }: Subject): ReadonlySet<string> {
  const { hypers, masks, steps } = stage.declaration
  const names = [...hypers.map((h) => h.symbol), ...masks.map((m) => m.name), ...(steps[0]?.params ?? [])]
  return new Set([...names.map((name) => name.text), ...slots.map((slot) => slot.name)])
}

/** What stands in the place of the value that has this name. What comes of it is on the host. */
export type Change = (name: string, value: Value, scope: Scope) => Value

export const UNCHANGED: Change = (_, value) => value

/** A step that is about to be taken. */
export interface Start {
  readonly input: StepInput
  /** The layers that take part. */
  readonly present: readonly LayerInput[]
  /** Hyperparameters, masks, the weight, the gradient, the step and the optimizer's own state. */
  readonly scope: Scope
  readonly weight: Cell
  readonly gradient: Cell
  readonly state: ReadonlyMap<Slot, Cell>
}

/** A step that has been taken: the cells of its start hold what they have become. */
export interface Taken extends Start {
  readonly trace: readonly Recorded[]
  readonly observations: readonly Recorded[]
}

/** The model, which has no elements of its own. */
const NOTHING: Grid = { matrices: 0, rows: 0, cols: 0 }

/** A default. */
export function initOf(e: OptimizerDecl['hypers'][number]['init']): number | boolean {
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

const takesPart = (l: LayerInput): boolean => l.gradient !== null && l.weight.length > 0

/** The model itself is one more layer, with no elements. What goes in is changed on its way. */
export function begin({ stage, slots }: Subject, input: StepInput, table: Table, change: Change = UNCHANGED): Start {
  const { declaration: optimizer, module } = stage
  const present = input.layers.filter(takesPart)
  const extent: Extent = { table, grids: [...present.map((l) => gridOf(l.shape)), NOTHING] }
  const each = (level: Level, of: (layer: LayerInput | null) => number): Cell => ({
    value: { kind: 'number', level, place: 'host', of: [...present, null].map((l) => [exactly(of(l))]) }
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
    layers: [...present.map(({ name, masks = {} }) => ({ name, masks })), { name: '', masks: {} }],
    random: { seed: input.seed ?? 0, step: input.t, sites: 0 }
  }
  for (const { external, symbol, init } of optimizer.hypers) {
    const known = (l: LayerInput | null): number | boolean =>
      l?.hypers?.[external.text] ?? input.hypers?.[external.text] ?? initOf(init)
    names.set(symbol.text, { value: change(symbol.text, hostValue('config', [...present, null].map(known)), scope) })
  }
  declareMasks(stage, scope)
  const [w, g, t] = optimizer.steps[0]!.params.map((p) => p.text)
  const elements = (name: string, of: (l: LayerInput) => ArrayLike<number>): Cell => {
    const entries = present.map((l) => Array.from(of(l), (x) => load(table.device, x)))
    const value: NumberValue = { kind: 'number', level: 'element', place: 'device', of: [...entries, []] }
    return { value: onDevice(extent, change(name, value, scope)) }
  }
  const weight = elements(w!, (l) => l.weight)
  const gradient = elements(g!, (l) => l.gradient ?? [])
  names.set(w!, weight).set(g!, gradient)
  if (t !== undefined) names.set(t, facts.get('t')!)
  const fresh = startOf(stage, scope, [gradient, weight])
  const state = new Map(
    slots.map((slot): [Slot, Cell] => [
      slot,
      { value: heldBy(slot, input, present, numbers(fresh.get(slot)!), scope, change) }
    ])
  )
  for (const slot of stage.slots) names.set(slot.declaration.name.text, state.get(slot)!)
  return { input, present, scope, weight, gradient, state }
}

/** A value of the host, one a layer. */
export function hostValue(level: Level, of: readonly (number | boolean)[]): Value {
  if (typeof of[0] === 'boolean') return { kind: 'bool', level, place: 'host', of: of.map((v) => [truth(Boolean(v))]) }
  return { kind: 'number', level, place: 'host', of: of.map((v) => [exactly(Number(v))]) }
}

/** A slot at the start of the step: what the kernel held, or `fresh` where there was nothing yet. */
function heldBy(
  slot: Slot,
  input: StepInput,
  layers: readonly LayerInput[],
  fresh: NumberValue,
  scope: Scope,
  change: Change
): NumberValue {
  const { name, over } = slot
  const { extent } = scope
  const read = (x: number): Num => (slot.place === 'device' ? load(extent.table.device, x) : exactly(x))
  const model = input.modelState && [read(input.modelState[name]!)]
  const held = (i: number): Num[] | null => {
    if (over === 'model') return model
    return layers[i]?.slots ? Array.from(layers[i].slots[name]!, read) : null
  }
  const known: NumberValue = { ...fresh, of: fresh.of.map((entries, i) => held(i) ?? entries) }
  const changed = numbers(change(name, known, scope))
  const placed = fresh.place === 'device' ? onDevice(extent, changed) : changed
  // What starts in this step is made from what has been changed already.
  return { ...placed, of: placed.of.map((entries, i) => (held(i) ? entries : fresh.of[i]!)) }
}

export function finish({ stage }: Subject, start: Start): Taken {
  // Where no layer takes part there is nothing to learn from: state of the model stays.
  const learns = start.present.length > 0
  const { scope, state, weight, gradient } = start
  const { trace, observations } = learns
    ? runStep(stage, scope, state, weight, gradient)
    : { trace: [], observations: [] }
  return { ...start, trace, observations }
}

/** What came of a step, changed on its way out. */
export function resultOf(subject: Subject, taken: Taken, change: Change = UNCHANGED): StepResult {
  const { stage, slots } = subject
  const { input, present, scope, weight, state, trace, observations } = taken
  const layerSlots = slots.filter((s) => s.over !== 'model')
  const [w] = stage.declaration.steps[0]!.params
  const symbols = symbolsOf(subject)
  const out = (name: string, value: Value, layer: number): Bounded => boundedOf(change(name, value, scope), layer)
  const results = present.map(
    (layer, i): LayerResult => ({
      name: layer.name,
      weight: out(w!.text, weight.value, i),
      slots: Object.fromEntries(layerSlots.map((s) => [s.name, out(s.name, state.get(s)!.value, i)])),
      // One that is called like something else is not meant by that name.
      observations: Object.fromEntries(
        observations.map((o) => [o.name, symbols.has(o.name) ? boundedOf(o.value, i) : out(o.name, o.value, i)])
      ),
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
    modelState: Object.fromEntries(models.map((s) => [s.name, out(s.name, state.get(s)!.value, present.length)]))
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

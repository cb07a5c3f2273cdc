/** The layers that an optimizer knows, each with its state, and the saved state that waits for its layer. */
import * as tf from '@tensorflow/tfjs-core'
import { bindSaved } from './binding.js'
import { factsOf, type ModelFacts } from './input.js'
import { describe, namesOf, type TrackedLayer } from './layers.js'
import {
  disposeState,
  emptyLayer,
  type LayerState,
  type ModelValues,
  type Shown,
  type TensorSlot,
  tensorsOf
} from './state.js'
import { type Checkpoint, type Keys, type SavedLayer, showHost, showIterations, showModelHost } from './weights.js'

export interface Registry {
  /** In the order of their first appearance. */
  layers: readonly TrackedLayer[]
  readonly byVariable: WeakMap<tf.Variable, TrackedLayer>
  /** How many layers there ever were: the index of the next. */
  appeared: number
  saved: readonly SavedLayer[]
  model: ModelValues | null
  /** Of the last step. */
  roster: Roster
}

/** Who takes part in a step: mostly those of the step before. */
export interface Roster {
  /** As the gradients came. */
  readonly variables: readonly tf.Variable[]
  readonly facts: ModelFacts
  /** In the order of their first appearance, and where the gradient of each came. */
  readonly layers: readonly TrackedLayer[]
  readonly places: readonly number[]
}

/** What a step adds to the registry, once nothing can fail any more. */
export interface Appearance {
  readonly appearing: readonly TrackedLayer[]
  readonly claimed: readonly SavedLayer[]
  /** All layers with these, in order. */
  readonly layers: readonly TrackedLayer[]
  /** Of this step. */
  readonly roster: Roster
}

export function emptyRegistry(): Registry {
  const roster = { variables: [], facts: factsOf([]), layers: [], places: [] }
  return { layers: [], byVariable: new WeakMap(), appeared: 0, saved: [], model: null, roster }
}

/** Lets go of layers whose variable was disposed. */
export function dropDisposed(registry: Registry): void {
  if (!registry.layers.some((layer) => layer.variable.isDisposed)) return
  for (const layer of registry.layers) if (layer.variable.isDisposed) disposeState(layer)
  registry.layers = registry.layers.filter((layer) => !layer.variable.isDisposed)
}

/**
 * Who takes part where `variables` have gradients, in layers of which some may appear: with saved state where there is some,
 * else as `start` gives it. Nothing is kept of these yet, so that a step that fails leaves nothing behind.
 */
export function appear(
  registry: Registry,
  variables: readonly tf.Variable[],
  facts: ModelFacts,
  tensors: readonly TensorSlot[],
  start: (layer: TrackedLayer) => LayerState
): Appearance {
  const { layers: known, roster } = registry
  if (variables === roster.variables) return { appearing: [], claimed: [], layers: known, roster }
  const fresh = variables.filter((variable) => !registry.byVariable.has(variable))
  const { appearing, claimed } =
    fresh.length === 0 ? { appearing: [], claimed: [] } : nameAndStart(registry, fresh, tensors, start)
  const layers = [...known, ...appearing].sort((a, b) => a.info.index - b.info.index)
  const placeOf = new Map(variables.map((variable, i) => [variable, i]))
  const taking = layers.filter(({ variable }) => placeOf.has(variable))
  const places = taking.map(({ variable }) => placeOf.get(variable)!)
  return { appearing, claimed, layers, roster: { variables, facts, layers: taking, places } }
}

/** A name may be taken from a layer that is known, where it is no longer unique. */
function nameAndStart(
  { layers, saved, appeared }: Registry,
  fresh: readonly tf.Variable[],
  tensors: readonly TensorSlot[],
  start: (layer: TrackedLayer) => LayerState
): Pick<Appearance, 'appearing' | 'claimed'> {
  const names = namesOf([...layers.map((layer) => layer.variable), ...fresh])
  layers.forEach((layer, i) => {
    if (layer.info.name === names[i]) return
    layer.info = describe(layer.variable, names[i]!, layer.info.index)
    layer.choice = null
  })
  const named = fresh.map((variable, i) => ({ variable, name: names[layers.length + i]!, shape: variable.shape }))
  const bound = bindSaved(named, saved, tensors)
  let next = appeared
  const appearing = named.map(({ variable, name }, i) => {
    const state = bound[i]
    const info = describe(variable, name, state?.index ?? next++)
    const layer: TrackedLayer = { variable, info, choice: null, scalars: new Float64Array(), ...emptyLayer() }
    return Object.assign(layer, state ? stateOf(state) : start(layer))
  })
  return { appearing, claimed: bound.filter((one) => one !== null) }
}

function stateOf({ age, slots, cells, host, shown }: SavedLayer): LayerState {
  return { age, slots, cells, host, shown }
}

/** Enters what appeared. What a save will show is made now, so that a save leaves as many tensors as it found. */
export function enter(registry: Registry, keys: Keys, appearance: Appearance, model: ModelValues, iter: Shown): void {
  if (!iter.tensor) showIterations(iter, 0)
  if (!registry.model) {
    keep(model)
    if (keys.modelHost) showModelHost(model)
    registry.model = model
  }
  const { appearing, claimed, layers, roster } = appearance
  registry.roster = roster
  if (appearing.length === 0) return
  for (const layer of appearing) {
    keep(layer)
    if (keys.host) showHost(keys, layer)
    registry.byVariable.set(layer.variable, layer)
    registry.appeared = Math.max(registry.appeared, layer.info.index + 1)
  }
  registry.layers = layers
  registry.saved = registry.saved.filter((one) => !claimed.includes(one))
}

function keep(state: LayerState | ModelValues): void {
  for (const tensor of tensorsOf(state)) tf.keep(tensor)
}

/** In place of all that there was. Throws, before it changes anything, where the layers that are known can't take it. */
export function replaceBy(registry: Registry, { layers, model }: Checkpoint, tensors: readonly TensorSlot[]): void {
  const known = registry.layers.map((layer) => layer.info)
  try {
    bindSaved(known, layers, tensors)
  } catch (error) {
    for (const state of [...layers, ...(model ? [model] : [])]) disposeState(state)
    throw error
  }
  forget(registry)
  registry.saved = layers
  registry.appeared = layers.length
  registry.model = model
}

export function forget(registry: Registry): void {
  const { layers, saved, model } = registry
  for (const state of [...layers, ...saved, ...(model ? [model] : [])]) disposeState(state)
  Object.assign(registry, emptyRegistry())
}

/** Layers and saved state together, in order, as a save wants them. */
export function inOrder({ layers, saved }: Registry): readonly (LayerState & { readonly name: string })[] {
  return [
    ...layers.map((layer) => ({ index: layer.info.index, name: layer.info.name, state: layer as LayerState })),
    ...saved.map((one) => ({ index: one.index, name: one.name, state: one as LayerState }))
  ]
    .sort((a, b) => a.index - b.index)
    .map(({ name, state }) => ({ ...state, name }))
}

/** `getWeights` hands out the optimizer's own tensors, so somebody may have disposed them. */
export function checkUsable(layers: readonly TrackedLayer[], model: ModelValues): void {
  const isGone = (state: LayerState | ModelValues): boolean => tensorsOf(state).some((tensor) => tensor.isDisposed)
  const gone = layers.find(isGone)
  if (!gone && !isGone(model)) return
  const whose = gone ? `"${gone.info.name}"` : 'the model'
  throw new Error(`the state of ${whose} was disposed; getWeights gives the optimizer's own tensors, not copies.`)
}

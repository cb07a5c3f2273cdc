/** The class that every compiled optimizer extends: all of it but the formula and the kernels. */
import * as tf from '@tensorflow/tfjs-core'
import { bindSaved } from './binding.js'
import { optionsFrom, toConfig } from './config.js'
import { warnOfSecondCore } from './cores.js'
import { type Choice, chooseDriver } from './drivers.js'
import { didYouMean, show } from './errors.js'
import { checkGradients, type Gradients, type NamedTensor } from './gradients.js'
import { checkGroups, type Group } from './groups.js'
import { checkHyper, type Hyper, hyperAt } from './hypers.js'
import { describe, namesOf, type TrackedLayer } from './layers.js'
import { checkMatch, type LayerMatch, matches } from './masks.js'
import {
  type CompiledProgram,
  FORMAT,
  type HostInput,
  type KernelName,
  type LayerInfo,
  type StepLayer,
  type Target
} from './program.js'
import {
  disposeState,
  layOut,
  type Layout,
  type ModelValues,
  nothingShown,
  type Shown,
  startLayer,
  startModel,
  tensorsOf
} from './state.js'
import {
  type Keys,
  keysOf,
  readWeights,
  type SavedLayer,
  showHost,
  showIterations,
  showModelHost,
  writeWeights
} from './weights.js'

/** A layer as `optimizer.layers` shows it. */
export interface LayerRecord extends LayerInfo {
  /** The index of the group that it is in, or null. */
  readonly group: number | null
  readonly masks: Readonly<Record<string, boolean>>
}

/** What a step costs. */
export interface PlanRecord {
  /** Bytes read and written for each weight in a step, and what one ideal pass would. */
  readonly bytesPerWeight: number
  readonly bytesCompulsory: number
  /** No plan moves fewer bytes. */
  readonly provedLeast: boolean
  readonly passes: number
  /** Why the driver of the last step is not the fastest that there could be; null if it is, and before the first step. */
  readonly reason: string | null
}

/** Hyperparameters at one step: the optimizer's own, and each group's. */
interface Values {
  readonly own: Float64Array
  readonly groups: readonly Float64Array[]
}

export abstract class CompiledOptimizer<
  G extends object = object,
  Observed extends object = object
> extends tf.Optimizer {
  readonly #program: CompiledProgram
  readonly #targets: readonly Target[]
  readonly #layout: Layout
  readonly #keys: Keys
  readonly #hypers: Hyper[]
  /** undefined: the program's own predicate. */
  readonly #masks: (LayerMatch | undefined)[]
  #groups: readonly Group[] = []
  #groupsWatched = false
  #inPlace = true

  #layers: TrackedLayer[] = []
  readonly #byVariable = new Map<tf.Variable, TrackedLayer>()
  #appeared = 0
  #saved: readonly SavedLayer[] = []
  #model: ModelValues | null = null
  readonly #iter: Shown = nothingShown()

  readonly #input: HostInput
  #choice: (Choice & { readonly backend: object }) | null = null
  #kernel: KernelName | null = null
  #last: readonly TrackedLayer[] = []
  #disposed = false
  #warnedOfFunctions = false

  constructor(program: CompiledProgram, targets: readonly Target[], options: object) {
    super()
    if (program.format !== FORMAT) {
      throw new Error(
        `${program.name} was compiled for format ${program.format} of the runtime, and this is ${FORMAT}. ` +
          'Compile it again with the optc-lang that is installed: npx optc compile.'
      )
    }
    warnOfSecondCore()
    this.iterations_ = 0
    this.#program = program
    this.#targets = targets
    this.#layout = layOut(program)
    this.#keys = keysOf(this.#layout, program.readsAge)
    this.#hypers = program.hypers.map((spec) => spec.init)
    this.#masks = program.masks.map(() => undefined)
    this.#input = {
      hypers: new Float64Array(program.hypers.length),
      masks: [],
      t: 0,
      age: 0,
      rank: 0,
      size: 0,
      modelSize: 0,
      modelLayers: 0,
      layerState: new Float64Array(0),
      modelState: new Float64Array(0)
    }
    this.#explained(() => this.#setOptions(options))
  }

  /** @nocollapse */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict
  ): T {
    return new cls(optionsFrom(config))
  }

  #setOptions(options: unknown): void {
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw new Error(
        `options must be an object, { ${this.#program.hypers[0]?.name ?? 'groups'}: … }; got ${show(options)}.`
      )
    }
    const { hypers, masks } = this.#program
    const setters = new Map<string, (value: unknown) => void>([
      ...hypers.map((spec, i) => [spec.name, (value: unknown) => this.setHyper_(i, value as Hyper)] as const),
      ...masks.map((spec, i) => [spec.name, (value: unknown) => this.setMask_(i, value as LayerMatch)] as const),
      ['groups', (value) => this.#setGroups(value)],
      ['inPlace', (value) => this.#setInPlace(value)]
    ])
    for (const [name, value] of Object.entries(options)) {
      const set = setters.get(name)
      if (!set) {
        const known = [...setters.keys()]
        throw new Error(`there is no option "${name}"${didYouMean(name, known)} The options are ${known.join(', ')}.`)
      }
      if (value !== undefined) set(value)
    }
  }

  /** The value of a hyperparameter at the next step. For generated accessors. */
  protected hyper_(index: number): number | boolean {
    const spec = this.#program.hypers[index]!
    return this.#explained(() => hyperAt(spec.name, spec, this.#hypers[index]!, this.iterations + 1, spec.init))
  }

  protected setHyper_(index: number, value: Hyper): void {
    const spec = this.#program.hypers[index]!
    this.#hypers[index] = this.#explained(() => checkHyper(spec.name, spec, value))
  }

  /** What decides a mask: the program's predicate, or what was put in its place. */
  protected mask_(index: number): LayerMatch {
    return this.#masks[index] ?? this.#program.masks[index]!.predicate
  }

  protected setMask_(index: number, value: LayerMatch): void {
    const { name } = this.#program.masks[index]!
    this.#masks[index] = this.#explained(() => checkMatch(name, value))
    this.#forgetChoices()
  }

  /** Hyperparameters and masks for some layers; the first group that matches a layer wins whole. */
  get groups(): readonly G[] {
    return this.#groups.map((group) => group.shown as G)
  }
  set groups(groups: readonly G[]) {
    this.#explained(() => this.#setGroups(groups))
  }

  #setGroups(groups: unknown): void {
    this.#groups = checkGroups(this.#program, groups)
    this.#groupsWatched = false
    this.#forgetChoices()
  }

  /** Whether a step writes where it reads. On the cpu backend arrays from `data()` are then live views. */
  get inPlace(): boolean {
    return this.#inPlace
  }
  set inPlace(inPlace: boolean) {
    this.#explained(() => this.#setInPlace(inPlace))
  }

  #setInPlace(inPlace: unknown): void {
    if (typeof inPlace !== 'boolean') throw new Error(`inPlace must be true or false; got ${show(inPlace)}.`)
    this.#inPlace = inPlace
  }

  /** The layers that took part in a step, in the order in which they first did. */
  get layers(): readonly LayerRecord[] {
    return this.#explained(() =>
      this.#living().map((layer) => {
        const { group, masks } = this.#choose(layer)
        return {
          ...layer.info,
          group,
          masks: Object.fromEntries(this.#program.masks.map((spec, i) => [spec.name, masks[i]!]))
        }
      })
    )
  }

  /** The driver of the last step; null before the first. */
  get kernel(): KernelName | null {
    return this.#kernel
  }

  get plan(): PlanRecord {
    return { ...this.#program.plan, reason: this.#choice?.reason ?? null }
  }

  /** What the program observed in the last step that had ended, by layer. `{}` before the first. */
  async observations(): Promise<Record<string, Observed>> {
    this.#explained(() => this.#mustLive())
    const specs = this.#program.observations
    const rows = this.#last.map((layer) => ({
      layer,
      name: layer.info.name,
      host: specs.map(({ scalar }) => (scalar < 0 ? 0 : layer.scalars[scalar]!))
    }))
    const device = await this.#choice?.driver.observations()
    return Object.fromEntries(
      rows.map(({ layer, name, host }) => {
        const values = device?.get(layer) ?? []
        let next = 0
        return [
          name,
          Object.fromEntries(
            specs.map((spec, i) => [spec.name, spec.scalar < 0 ? values[next++]! : host[i]!])
          ) as Observed
        ]
      })
    )
  }

  /** As `tf.Optimizer`'s, and leaves nothing behind when it fails. */
  override minimize(f: () => tf.Scalar, returnCost = false, varList?: tf.Variable[]): tf.Scalar | null {
    this.#explained(() => this.#mustLive())
    return tf.tidy(() => super.minimize(f, returnCost, varList) as tf.Scalar)
  }

  /**
   * One step. The map form holds variables with gradients, the array form may hold a missing tensor. Whatever can be
   * wrong is found before the first weight changes.
   */
  override applyGradients(gradients: Gradients): void {
    this.#explained(() => {
      this.#mustLive()
      tf.tidy(() => this.#step(checkGradients(gradients)))
    })
  }

  #step(gradients: ReadonlyMap<tf.Variable, tf.Tensor>): void {
    const program = this.#program
    const t = this.iterations + 1
    const input = this.#input
    input.t = t
    input.modelLayers = gradients.size
    input.modelSize = 0
    for (const variable of gradients.keys()) input.modelSize += variable.size

    const values = this.#valuesAt(t)
    input.hypers = values.own
    input.masks = []
    input.layerState = new Float64Array(0)
    const model = this.#model ?? startModel(program, this.#layout, input)
    input.modelState = model.host

    const { appearing, claimed, layers } = this.#withAppearing(gradients, values)
    const taking = layers.filter((layer) => gradients.has(layer.variable))
    const running: StepLayer[] = taking.map((layer) => {
      this.#describeTo(input, layer, values)
      const variant = program.host(input, layer.scalars)
      return { layer, gradient: gradients.get(layer.variable)!, variant, scalars: layer.scalars }
    })
    this.#mustHaveState(taking, model)
    const { driver } = this.#drive()
    const step = {
      layers: this.#ownGradients(running),
      scalars: running[0]?.scalars ?? new Float64Array(0),
      model,
      inPlace: this.#inPlace
    }

    // From here on nothing throws for what a caller did.
    this.#keepNew(appearing, claimed, layers, model)
    if (running.length > 0) {
      driver.step(step)
      this.#kernel = driver.kernel
    }
    for (const layer of taking) {
      if (program.advanceLayer) {
        this.#describeTo(input, layer, values)
        program.advanceLayer(input)
      }
      layer.age++
    }
    if (program.advanceModel) {
      input.hypers = values.own
      program.advanceModel(input)
    }
    this.iterations_ = t
    this.#last = taking
    this.#watchGroups()
  }

  /** All hyperparameters at step `t`, each function called once. */
  #valuesAt(t: number): Values {
    const { hypers } = this.#program
    const own = hypers.map((spec, i) => hyperAt(spec.name, spec, this.#hypers[i]!, t, spec.init))
    const groups = this.#groups.map((group, g) =>
      Float64Array.from(hypers, (spec, i) => {
        const hyper = group.hypers[i]
        return Number(hyper === undefined ? own[i]! : hyperAt(`groups[${g}].${spec.name}`, spec, hyper, t, own[i]!))
      })
    )
    return { own: Float64Array.from(own, Number), groups }
  }

  /** Fills in what `host` and the start values read of a layer. */
  #describeTo(input: HostInput, layer: TrackedLayer, values: Values): void {
    const { group, masks } = this.#choose(layer)
    input.hypers = group === null ? values.own : values.groups[group]!
    input.masks = masks
    input.age = layer.age + 1
    input.rank = layer.info.rank
    input.size = layer.info.size
    input.layerState = layer.host
  }

  /** The group and the masks of a layer, found out once. */
  #choose(layer: TrackedLayer): NonNullable<TrackedLayer['choice']> {
    if (layer.choice) return layer.choice
    const { info } = layer
    const found = this.#groups.findIndex((group, i) => matches(`groups[${i}].match`, group.match, info))
    const masks = this.#program.masks.map(({ name }, i) => {
      const ofGroup = this.#groups[found]?.masks[i]
      return ofGroup === undefined
        ? matches(name, this.mask_(i), info)
        : matches(`groups[${found}].${name}`, ofGroup, info)
    })
    layer.choice = { group: found < 0 ? null : found, masks }
    return layer.choice
  }

  #forgetChoices(): void {
    for (const layer of this.#layers) layer.choice = null
  }

  /** The layers whose variables still exist; lets go of the others. */
  #living(): readonly TrackedLayer[] {
    if (this.#layers.some((layer) => layer.variable.isDisposed)) {
      for (const layer of this.#layers) {
        if (!layer.variable.isDisposed) continue
        disposeState(layer)
        this.#byVariable.delete(layer.variable)
      }
      this.#layers = this.#layers.filter((layer) => !layer.variable.isDisposed)
      this.#last = this.#last.filter((layer) => !layer.variable.isDisposed)
    }
    return this.#layers
  }

  /** All layers with those that appear in this step, in order. Nothing is kept of it yet. */
  #withAppearing(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, values: Values) {
    const living = this.#living()
    const variables = [...gradients.keys()].filter((variable) => !this.#byVariable.has(variable))
    if (variables.length === 0) return { appearing: [], claimed: [], layers: living }

    const names = namesOf([...living.map((layer) => layer.variable), ...variables])
    living.forEach((layer, i) => {
      if (layer.info.name === names[i]) return
      layer.info = describe(layer.variable, names[i]!, layer.info.index)
      layer.choice = null
    })
    const newNames = names.slice(living.length)
    const saved = bindSaved(
      variables.map(({ shape }, i) => ({ name: newNames[i]!, shape })),
      this.#saved
    )
    let next = this.#appeared
    const appearing = variables.map((variable, i) => {
      const state = saved[i]
      const layer: TrackedLayer = {
        variable,
        info: describe(variable, newNames[i]!, state?.index ?? next++),
        ...(state ?? { age: 0, slots: [], cells: null, host: new Float64Array(0), shown: nothingShown() }),
        choice: null,
        scalars: new Float64Array(this.#program.scalars)
      }
      this.#describeTo(this.#input, layer, values)
      return state ? layer : { ...layer, ...startLayer(this.#program, this.#layout, variable, this.#input) }
    })
    const layers = [...living, ...appearing].sort((a, b) => a.info.index - b.info.index)
    return { appearing, claimed: saved.filter((one) => one !== null), layers }
  }

  #keepNew(
    appearing: readonly TrackedLayer[],
    claimed: readonly SavedLayer[],
    layers: readonly TrackedLayer[],
    model: ModelValues
  ): void {
    // Made with the first state, so that a save leaves as many tensors as it found.
    if (!this.#iter.tensor) showIterations(this.#iter, this.iterations)
    if (!this.#model) {
      for (const tensor of tensorsOf(model)) tf.keep(tensor)
      if (this.#keys.modelHost) showModelHost(model)
      this.#model = model
    }
    if (appearing.length === 0) return
    for (const layer of appearing) {
      for (const tensor of tensorsOf(layer)) tf.keep(tensor)
      if (this.#keys.host) showHost(this.#keys, layer)
      this.#byVariable.set(layer.variable, layer)
      this.#appeared = Math.max(this.#appeared, layer.info.index + 1)
    }
    this.#layers = [...layers]
    this.#saved = this.#saved.filter((one) => !claimed.includes(one))
  }

  /** `getWeights` hands out the optimizer's own tensors, so somebody may have disposed them. */
  #mustHaveState(layers: readonly TrackedLayer[], model: ModelValues): void {
    for (const layer of layers) {
      if (!tensorsOf(layer).some((tensor) => tensor.isDisposed)) continue
      throw new Error(`the state of "${layer.info.name}" was disposed; getWeights gives the optimizer's own tensors.`)
    }
    if (model.cells?.isDisposed) throw new Error("state was disposed; getWeights gives the optimizer's own tensors.")
  }

  /** Gradients that no kernel writes: one that is a weight or state of this step is copied. */
  #ownGradients(running: readonly StepLayer[]): readonly StepLayer[] {
    const written = new Set<object>()
    for (const { layer } of running) {
      written.add(layer.variable.dataId)
      for (const slot of layer.slots) written.add(slot.dataId)
    }
    if (!running.some(({ gradient }) => written.has(gradient.dataId))) return running
    return running.map((one) =>
      written.has(one.gradient.dataId) ? { ...one, gradient: tf.mul(one.gradient, 1) } : one
    )
  }

  /** The driver for the backend that is current. */
  #drive(): Choice {
    const backend = tf.backend()
    if (this.#choice?.backend !== backend) {
      const choice = chooseDriver(this.#program, this.#targets, tf.getBackend())
      this.#choice?.driver.dispose()
      this.#choice = { ...choice, backend }
    }
    return this.#choice
  }

  #watchGroups(): void {
    if (this.#groupsWatched) return
    this.#groupsWatched = true
    const used = new Set(this.#layers.map((layer) => layer.choice?.group))
    const idle = this.#groups.flatMap((_, i) => (used.has(i) ? [] : [`groups[${i}]`]))
    if (idle.length === 0) return
    const names = this.#layers.map((layer) => layer.info.name).join(', ')
    console.warn(
      `${this.#program.name}: ${idle.join(' and ')} matched no layer (the first that matches wins). The layers are ${names}.`
    )
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { hypers, masks } = this.#program
    const own = [
      ...hypers.map((spec, i) => [spec.name, toConfig(this.#hypers[i]!)] as const),
      ...masks.flatMap((spec, i) =>
        this.#masks[i] === undefined ? [] : [[spec.name, toConfig(this.#masks[i])] as const]
      )
    ]
    const groups = this.#groups.map((group) =>
      Object.fromEntries(Object.entries(group.shown).map(([key, value]) => [key, toConfig(value)]))
    )
    const config = { ...Object.fromEntries(own), groups, inPlace: this.#inPlace }
    this.#warnOfFunctions(config)
    return config as tf.serialization.ConfigDict
  }

  #warnOfFunctions(config: { readonly groups: readonly object[] }): void {
    const lost = (record: object, at: string) =>
      Object.entries(record).flatMap(([key, value]) => (value?.kind === 'function' ? [at + key] : []))
    const options = [...lost(config, ''), ...config.groups.flatMap((group, i) => lost(group, `groups[${i}].`))]
    if (options.length === 0 || this.#warnedOfFunctions) return
    this.#warnedOfFunctions = true
    console.warn(
      `${this.#program.name}: functions can't be saved: ${options.join(', ')}. The saved model will predict, but to train ` +
        'it on they must be set again. (Schedules compiled from a .opt file, patterns and lists of names are saved.)'
    )
  }

  override async saveIterations(): Promise<NamedTensor> {
    return (await this.getWeights())[0]!
  }

  /**
   * `iter`, then slot by slot in the order of the layers' first appearance: the optimizer's own tensors, which the next
   * step may change.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    this.#explained(() => this.#mustLive())
    const living = this.#living().map((layer) => ({ order: layer.info.index, name: layer.info.name, state: layer }))
    const saved = this.#saved.map((one) => ({ order: one.index, name: one.name, state: one }))
    const layers = [...living, ...saved].sort((a, b) => a.order - b.order)
    return writeWeights(
      this.#keys,
      this.iterations,
      this.#iter,
      layers.map(({ name, state }) => ({ ...state, name })),
      this.#model
    )
  }

  /**
   * Takes a copy of what `getWeights` gave, in place of all that the optimizer knows. Each layer's part waits until the
   * layer takes part in a step, and is saved again if it never does.
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    try {
      this.#mustLive()
      const checkpoint = await readWeights(this.#keys, weights)
      const living = this.#living()
      bindSaved(
        living.map(({ info }) => info),
        checkpoint.layers
      )
      this.#forgetState()
      this.#saved = checkpoint.layers
      this.#appeared = checkpoint.layers.length
      this.#model = checkpoint.model
      this.iterations_ = checkpoint.iterations
    } catch (error) {
      throw this.#named(error)
    }
  }

  #forgetState(): void {
    for (const state of [...this.#layers, ...this.#saved, ...(this.#model ? [this.#model] : [])]) disposeState(state)
    this.#layers = []
    this.#byVariable.clear()
    this.#saved = []
    this.#model = null
    this.#last = []
  }

  /** Frees all that the optimizer holds. It can't be used afterwards; a second call does nothing. */
  override dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#forgetState()
    this.#iter.tensor?.dispose()
    this.#choice?.driver.dispose()
    this.#choice = null
  }

  #mustLive(): void {
    if (this.#disposed) throw new Error('this optimizer was disposed and can no longer be used; make a new one.')
  }

  /** Errors say which optimizer they are of. */
  #explained<T>(f: () => T): T {
    try {
      return f()
    } catch (error) {
      throw this.#named(error)
    }
  }

  #named(error: unknown): unknown {
    const prefix = `${this.#program.name}: `
    if (error instanceof Error && !error.message.startsWith(prefix)) error.message = prefix + error.message
    return error
  }
}

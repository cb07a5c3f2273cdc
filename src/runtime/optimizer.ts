/** The class that every compiled optimizer extends: all of it but the formula and the kernels. */
import * as tf from '@tensorflow/tfjs-core'
import { optionsFrom } from './config.js'
import { warnOfSecondCore } from './cores.js'
import { chooseDriver, type Driving } from './drivers.js'
import { show } from './errors.js'
import { checkGradients, type Given, type Gradients, type NamedTensor, ownGradients } from './gradients.js'
import { type Hyper, hyperAt } from './hypers.js'
import { emptyInput, factsOf, readLayer } from './input.js'
import type { TrackedLayer } from './layers.js'
import type { LayerMatch } from './masks.js'
import { keyOf } from './noise.js'
import {
  type CompiledProgram,
  FORMAT,
  type KernelName,
  type LayerInfo,
  type StepLayer,
  type Target
} from './program.js'
import {
  appear,
  checkUsable,
  dropDisposed,
  emptyRegistry,
  enter,
  forget,
  inOrder,
  type Registry,
  replaceBy
} from './registry.js'
import {
  type Choice,
  chooseFor,
  configOf,
  functionsIn,
  readOptions,
  type Settings,
  setGroups,
  setHyper,
  setInPlace,
  setMask,
  setSeed,
  type Values,
  valuesAt
} from './settings.js'
import { type Layout, layOut, nothingShown, type Shown, startLayer, startModel } from './state.js'
import { type Keys, keysOf, readWeights, writeWeights } from './weights.js'

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

export abstract class CompiledOptimizer<
  G extends object = object,
  Observed extends object = object
> extends tf.Optimizer {
  readonly #program: CompiledProgram
  readonly #targets: readonly Target[]
  readonly #layout: Layout
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #registry: Registry = emptyRegistry()
  readonly #input = emptyInput()
  /** The step count as a save shows it. */
  readonly #iter: Shown = nothingShown()
  #driving: Driving | null = null
  #kernel: KernelName | null = null
  /** The layers of the last step. */
  #last: readonly TrackedLayer[] = []
  /** Whether `getWeights` gave away the tensors of state. */
  #lent = false
  #groupsWatched = false
  #functionsWarned = false
  #disposed = false

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
    this.#settings = this.#explained(() => readOptions(program, options))
    for (const target of targets) target.attend?.()
  }

  /** @nocollapse */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: new (options: never) => T,
    config: tf.serialization.ConfigDict
  ): T {
    if (typeof config !== 'object' || config === null || Array.isArray(config)) {
      throw new TypeError(`${cls.name}.fromConfig takes what getConfig gave, an object; not ${show(config)}.`)
    }
    return new cls(optionsFrom(config) as never)
  }

  /** The value of a hyperparameter at the next step. For generated accessors, as the next three. */
  protected hyper_(index: number): number | boolean {
    const spec = this.#program.hypers[index]!
    const hyper = this.#settings.hypers[index]!
    return this.#explained(() => hyperAt(spec.name, spec, hyper, this.iterations + 1, spec.init))
  }

  protected setHyper_(index: number, value: Hyper): void {
    this.#explained(() => setHyper(this.#program, this.#settings, index, value))
  }

  /** What decides a mask: the program's predicate, or what was put in its place. */
  protected mask_(index: number): LayerMatch {
    return this.#settings.masks[index] ?? this.#program.masks[index]!.predicate
  }

  protected setMask_(index: number, value: LayerMatch): void {
    this.#explained(() => setMask(this.#program, this.#settings, index, value))
    this.#forgetChoices()
  }

  /** Hyperparameters and masks for some layers; the first group that matches a layer wins whole. */
  get groups(): readonly G[] {
    return this.#settings.groups.map((group) => group.shown as G)
  }
  set groups(groups: readonly G[]) {
    this.#explained(() => setGroups(this.#program, this.#settings, groups))
    this.#groupsWatched = false
    this.#forgetChoices()
  }

  /** Whether a step writes where it reads. On the cpu backend arrays from `data()` are then live views. */
  get inPlace(): boolean {
    return this.#settings.inPlace
  }
  set inPlace(inPlace: boolean) {
    this.#explained(() => setInPlace(this.#settings, inPlace))
  }

  /** What random numbers come of. For the generated accessor of a program that draws some. */
  protected get seed_(): number {
    return this.#settings.seed
  }
  protected set seed_(seed: number) {
    this.#explained(() => setSeed(this.#settings, seed))
  }

  /** The layers that took part in a step, in the order in which they first did. */
  get layers(): readonly LayerRecord[] {
    dropDisposed(this.#registry)
    return this.#explained(() =>
      this.#registry.layers.map((layer) => {
        const { group, masks } = this.#choose(layer)
        const named = this.#program.masks.map(({ name }, i) => [name, masks[i]!] as const)
        return { ...layer.info, group, masks: Object.fromEntries(named) }
      })
    )
  }

  /** The driver of the last step; null before the first. */
  get kernel(): KernelName | null {
    return this.#kernel
  }

  get plan(): PlanRecord {
    return { ...this.#program.plan, reason: this.#driving?.reason ?? null }
  }

  /** What the program observed in the last step that had ended, by layer. `{}` before the first. */
  async observations(): Promise<Record<string, Observed>> {
    this.#mustLive()
    const specs = this.#program.observations
    // Read now: a step may end while the device answers.
    const last = this.#last.map((layer) => ({ layer, name: layer.info.name, scalars: layer.scalars.slice() }))
    const device = await this.#driving?.driver.observations()
    this.#explained(() => this.#mustHaveDevice())
    const records = last.map(({ layer, name, scalars }) => {
      const values = device?.get(layer) ?? []
      let next = 0
      const record = specs.map(
        (spec) => [spec.name, spec.scalar < 0 ? values[next++]! : scalars[spec.scalar]!] as const
      )
      return [name, Object.fromEntries(record) as Observed] as const
    })
    return Object.fromEntries(records)
  }

  /** As `tf.Optimizer`'s, and leaves nothing behind when it fails. */
  override minimize(f: () => tf.Scalar, returnCost = false, varList?: tf.Variable[]): tf.Scalar | null {
    this.#mustLive()
    return tf.tidy(() => super.minimize(f, returnCost, varList) as tf.Scalar)
  }

  /**
   * One step. The map form holds variables with gradients, the array form may hold a missing tensor. Whatever can be
   * wrong is found before the first weight changes.
   */
  override applyGradients(gradients: Gradients): void {
    this.#mustLive()
    this.#explained(() => tf.tidy(() => this.#step(checkGradients(gradients, this.#registry.roster.variables))))
  }

  #step({ variables, gradients }: Given): void {
    const program = this.#program
    const registry = this.#registry
    const t = this.iterations + 1
    const values = valuesAt(program, this.#settings, t)
    const input = this.#input
    input.t = t
    input.hypers = values.own
    const { roster } = registry
    const facts = variables === roster.variables ? roster.facts : factsOf(variables)
    Object.assign(input, facts)

    dropDisposed(registry)
    const model = registry.model ?? startModel(program, this.#layout, input)
    input.modelState = model.host
    const appearance = appear(registry, variables, facts, this.#layout.tensors, (layer) => {
      this.#describe(layer, values)
      return startLayer(program, this.#layout, layer.variable, input)
    })
    const { layers: taking, places } = appearance.roster
    const stateIsPrivate = !this.#lent
    if (!stateIsPrivate) checkUsable(taking, model)
    const { driver } = this.#drive()
    this.#mustHaveDevice()
    // What a caller's functions say comes first: if one throws, scalars are still those of the step before.
    for (const layer of taking) this.#choose(layer)
    const running = taking.map((layer, i): StepLayer => {
      const { variant, scalars } = this.#host(layer, values)
      return { layer, gradient: gradients[places[i]!]!, variant, scalars }
    })
    const layers = ownGradients(running, stateIsPrivate)

    // From here on nothing throws for what a caller did.
    enter(registry, this.#keys, appearance, model, this.#iter)
    if (layers.length > 0) {
      const { inPlace } = this.#settings
      driver.step({ layers, scalars: layers[0]!.scalars, model, inPlace, stateIsPrivate })
      this.#kernel = driver.kernel
    }
    for (const layer of taking) {
      if (program.advanceLayer) {
        this.#describe(layer, values)
        program.advanceLayer(input)
      }
      layer.age++
      layer.scalars = this.#choose(layer).scalars
    }
    // Where no layer takes part there is nothing to learn from: state of the model stays, on the device and on the host.
    if (layers.length > 0) program.advanceModel?.(input)
    this.iterations_ = t
    this.#last = taking
    this.#watchGroups()
  }

  /** Fills in what `host`, `advanceLayer` and the start values read of a layer. */
  #describe(layer: TrackedLayer, values: Values): void {
    const { group, masks } = this.#choose(layer)
    const input = this.#input
    input.hypers = group === null ? values.own : values.groups[group]!
    input.masks = masks
    input.age = layer.age + 1
    if (this.#program.seeded) input.key = keyOf(this.#settings.seed, layer.info.name, input.t)
    readLayer(input, layer.info)
    input.layerState = layer.host
  }

  /** Scalars of the layer in this step, and its variant. */
  #host(layer: TrackedLayer, values: Values): Choice {
    const choice = this.#choose(layer)
    if (choice.values !== values) {
      this.#describe(layer, values)
      choice.variant = this.#program.host(this.#input, choice.scalars)
      choice.values = values
    }
    return choice
  }

  #choose(layer: TrackedLayer): Choice {
    layer.choice ??= chooseFor(this.#program, this.#settings, layer.info)
    return layer.choice
  }

  #forgetChoices(): void {
    for (const layer of this.#registry.layers) layer.choice = null
  }

  /** The driver for the backend that is current. */
  #drive(): Driving {
    const backend = tf.backend()
    if (this.#driving?.backend === backend) return this.#driving
    const driving = chooseDriver(this.#program, this.#targets, backend, tf.getBackend())
    this.#driving?.driver.dispose()
    this.#driving = driving
    return driving
  }

  #watchGroups(): void {
    const { layers, saved } = this.#registry
    // A layer whose saved state waits for it may be the group's.
    if (this.#groupsWatched || layers.length === 0 || saved.length > 0) return
    this.#groupsWatched = true
    const used = new Set(layers.map((layer) => this.#choose(layer).group))
    const idle = this.#settings.groups.flatMap((_, i) => (used.has(i) ? [] : [`groups[${i}]`]))
    if (idle.length === 0) return
    const names = layers.map((layer) => layer.info.name).join(', ')
    this.#warn(`${idle.join(', ')} matched no layer (the first group that matches wins). The layers are ${names}.`)
  }

  override getConfig(): tf.serialization.ConfigDict {
    const config = configOf(this.#program, this.#settings)
    const lost = functionsIn(config)
    if (lost.length > 0 && !this.#functionsWarned) {
      this.#functionsWarned = true
      this.#warn(
        `functions can't be saved: ${lost.join(', ')}. A model saved with this optimizer will predict, but to train it ` +
          'on they must be set again. (Schedules of .opt files, patterns and lists of names are saved.)'
      )
    }
    return config as tf.serialization.ConfigDict
  }

  override async saveIterations(): Promise<NamedTensor> {
    return (await this.getWeights())[0]!
  }

  /**
   * `iter`, then slot by slot in the order of the layers' first appearance: the optimizer's own tensors, which the next
   * step may change.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    this.#mustLive()
    dropDisposed(this.#registry)
    this.#lent = true
    return writeWeights(this.#keys, this.iterations, this.#iter, inOrder(this.#registry), this.#registry.model)
  }

  /**
   * Takes a copy of what `getWeights` gave, in place of all that the optimizer remembers. Each layer's part waits until
   * the layer takes part in a step, and is saved again if it never does.
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    this.#mustNotBeDisposed()
    try {
      if (this.#driving?.backend === tf.backend()) this.#mustHaveDevice()
      const checkpoint = await readWeights(this.#keys, weights)
      dropDisposed(this.#registry)
      replaceBy(this.#registry, checkpoint, this.#layout.tensors)
      this.iterations_ = checkpoint.iterations
      this.#leaveLostDevice()
    } catch (error) {
      throw this.#named(error)
    }
  }

  /** Frees all that the optimizer holds. It can't be used afterwards; a second call does nothing. */
  override dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    forget(this.#registry)
    this.#close()
  }

  #close(): void {
    this.#last = []
    this.#iter.tensor?.dispose()
    this.#driving?.driver.dispose()
    this.#driving = null
  }

  #mustLive(): void {
    this.#mustNotBeDisposed()
    this.#explained(() => this.#mustHaveDevice())
  }

  #mustNotBeDisposed(): void {
    if (!this.#disposed) return
    throw new Error(`${this.#program.name}: this optimizer was disposed and can no longer be used; make a new one.`)
  }

  /** What was on a lost device may still read as numbers: nobody may train on with them, or save them. */
  #mustHaveDevice(): void {
    const lost = this.#driving?.driver.lost?.()
    if (!lost) return
    throw new Error(
      `${lost}, and with it weights and state. Set the backend up again, then load what was saved last: with ` +
        'tf.loadLayersModel, or assign the weights and call optimizer.setWeights.'
    )
  }

  /** After state from elsewhere has taken the place of what was lost. */
  #leaveLostDevice(): void {
    if (this.#driving?.driver.lost?.()) this.#close()
  }

  #warn(text: string): void {
    console.warn(`${this.#program.name}: ${text}`)
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
    if (!(error instanceof Error)) return error
    const message = `${this.#program.name}: ${error.message}`
    // What the platform throws, a DOMException, has a message that can't be changed.
    if (!Object.hasOwn(error, 'message')) return new Error(message, { cause: error })
    error.message = message
    return error
  }
}

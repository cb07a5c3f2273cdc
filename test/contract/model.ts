/**
 * One optimizer object in any order of everything that can be done with it, against a model that knows what must be there:
 * each step is held to the reference, and after every command memory is counted.
 */
import { fc } from '@fast-check/vitest'
import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'vitest'
import type { Case } from '../../src/testing/case.js'
import { randomOf } from '../../src/testing/choices.js'
import { compareCase } from '../../src/testing/compare.js'
import type { Subject } from '../../src/testing/harness.js'
import { type Compiled, type Snapshot, snapshot } from '../../src/testing/session.js'
import { TABLE_OF } from '../../src/testing/targets.js'

/** A variable, as the model sees it. */
interface Known {
  readonly name: string
  readonly shape: readonly number[]
  frozen: boolean
  /** Steps it has taken part in. */
  age: number
  /** The optimizer holds state for it; `waiting`: loaded, and not yet claimed by a step. */
  state: 'none' | 'held' | 'waiting'
}

interface Model {
  /** Alive, in the order in which they were made. */
  variables: Known[]
  /** Names of saved state whose variable is gone. */
  orphans: string[]
  made: number
  t: number
  /** It has taken a step with a layer: state of the model is there. */
  started: boolean
  hypers: Record<string, number | boolean>
  backend: string
  /** Layers that took part in the last step that had some. */
  took: number
}

interface Real {
  readonly subject: Subject
  /** Backends that it can be moved to. */
  readonly backends: readonly string[]
  readonly tensorsBefore: number
  optimizer: Compiled
  variables: Map<string, tf.Variable>
}

type Command = fc.AsyncCommand<Model, Real>

const SHAPES: readonly (readonly number[])[] = [[2, 3], [5], [], [17], [3, 1, 2], [0]]

/** What a program keeps, counted in tensors. */
function tensorsOf({ program }: Subject): { readonly layer: number; readonly model: number } {
  const count = (over: string, place: string): number =>
    program.slots.filter((s) => s.over === over && s.place === place).length
  const packed = (n: number): number => Math.min(1, n)
  // A host state shares its tensor with the layer's age, where the program reads that.
  const readsAge = /\bage\b/.test(program.source)
  return {
    layer: count('element', 'device') + packed(count('layer', 'device')) + packed(count('layer', 'host') + +readsAge),
    model: packed(count('model', 'device')) + packed(count('model', 'host'))
  }
}

/** Every tensor is a variable, or the optimizer's and one that a save would show. */
async function audit(model: Model, real: Real): Promise<void> {
  const { layer, model: ofModel } = tensorsOf(real.subject)
  const layers = model.variables.filter((v) => v.state !== 'none').length + model.orphans.length
  const entries = await real.optimizer.getWeights()
  expect(entries.length).toBe(1 + layers * layer + (model.started ? ofModel : 0))
  const others = tf.memory().numTensors - real.tensorsBefore - model.variables.length - entries.length
  expect(others).toBeGreaterThanOrEqual(0)
  expect(others).toBeLessThanOrEqual(observationsOf(real, model.took))
}

/** In so many tensors a driver of operations may leave what was observed in the last step, until it is asked for. */
function observationsOf({ subject, optimizer }: Real, took: number): number {
  if (!subject.program.observations.some((o) => o.value.place === 'device')) return 0
  return optimizer.kernel === 'ops' ? 1 : optimizer.kernel === 'tensorflow' ? took : 0
}

const look = ({ variables, optimizer, subject }: Real): Promise<Snapshot> =>
  snapshot(optimizer, subject.reference, [...variables.values()])

class Step implements Command {
  constructor(
    readonly seed: number,
    readonly absent: number,
    readonly asMap: boolean
  ) {}
  check = (): boolean => true
  toString = (): string => `step(${this.seed}, without ${this.absent.toString(2)}, ${this.asMap ? 'map' : 'array'})`

  async run(model: Model, real: Real): Promise<void> {
    const random = randomOf(this.seed)
    const gradients = model.variables.map(({ shape, frozen }, i) => {
      const size = shape.reduce((a, b) => a * b, 1)
      const values = Float32Array.from({ length: size }, () => 2 * random() - 1)
      return frozen || (this.absent >> i) & 1 ? null : values
    })
    const before = await look(real)
    const named = model.variables.map(({ name, shape }, i) => ({
      name,
      tensor: gradients[i] ? tf.tensor(gradients[i].slice(), [...shape], 'float32') : null
    }))
    const present = named.filter((g) => g.tensor !== null)
    const map = Object.fromEntries(present.map(({ name, tensor }) => [name, tensor!]))
    real.optimizer.applyGradients(this.asMap ? map : (named as { name: string; tensor: tf.Tensor }[]))
    tf.dispose(map)

    model.t++
    // A step of no layers reaches no driver.
    model.took = gradients.filter((g) => g?.length).length || model.took
    // A layer without elements takes no part.
    for (const [i, v] of model.variables.entries()) {
      if (!gradients[i]?.length) continue
      v.state = 'held'
      v.age++
    }
    // A step of no gradients at all starts state of the model too.
    model.started = true
    const after = await look(real)
    const { reference } = real.subject
    const layers = model.variables.map(({ name, shape, age }, i) => {
      const { weight, slots } = before.layers[i]!
      return { name, shape, weight, gradient: gradients[i]!, age, slots }
    })
    const table = TABLE_OF[real.optimizer.kernel ?? 'ops']!
    const { t, hypers } = model
    const result = reference.step({ t, hypers, layers, modelState: before.modelState }, table)
    const given: Case = {
      layers: layers.map(({ name, shape, weight, gradient }) => ({
        name,
        shape,
        weight,
        gradients: [gradient],
        group: {}
      })),
      ...{ hypers, falling: [], masks: {}, inPlace: true, steps: 1, reload: 0 }
    }
    const observations = await real.optimizer.observations()
    const record = { before, after, observations, kernel: '' }
    expect(compareCase(reference, given, [record], table, [result]).differences).toEqual([])
    await audit(model, real)
  }
}

class AddVariable implements Command {
  constructor(readonly shape: readonly number[]) {}
  // Beside state that waits for a layer, a new one is an error or takes its place: that is tested apart.
  check = ({ variables, orphans }: Model): boolean =>
    variables.length < 5 && orphans.length === 0 && variables.every((v) => v.state !== 'waiting')
  toString = (): string => `add([${this.shape}])`

  async run(model: Model, real: Real): Promise<void> {
    const name = `layer${model.made++}`
    const random = randomOf(model.made)
    const size = this.shape.reduce((a, b) => a * b, 1)
    const values = Float32Array.from({ length: size }, () => 2 * random() - 1)
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, [...this.shape], 'float32'), true, name))
    real.variables.set(name, variable)
    model.variables.push({ name, shape: this.shape, frozen: false, age: 0, state: 'none' })
    await audit(model, real)
  }
}

class Freeze implements Command {
  constructor(readonly which: number) {}
  check = ({ variables }: Model): boolean => variables.length > 0
  toString = (): string => `freeze or thaw(${this.which})`

  async run({ variables }: Model): Promise<void> {
    const chosen = variables[this.which % variables.length]!
    chosen.frozen = !chosen.frozen
  }
}

class DisposeVariable implements Command {
  constructor(readonly which: number) {}
  check = ({ variables }: Model): boolean => variables.length > 1
  toString = (): string => `dispose variable(${this.which})`

  async run(model: Model, real: Real): Promise<void> {
    const [chosen] = model.variables.splice(this.which % model.variables.length, 1)
    real.variables.get(chosen!.name)!.dispose()
    real.variables.delete(chosen!.name)
    if (chosen!.state === 'waiting') model.orphans.push(chosen!.name)
    await audit(model, real)
  }
}

class SetHyper implements Command {
  constructor(
    readonly which: number,
    readonly by: number
  ) {}
  check = (): boolean => true
  toString = (): string => `set hyperparameter(${this.which}, ${this.by})`

  async run(model: Model, real: Real): Promise<void> {
    const { hypers } = real.subject.signature
    const { name, init } = hypers[this.which % hypers.length]!
    // Towards 0, which is inside of every range here, from a default that is above it.
    const value = typeof init === 'number' ? init * this.by : this.by > 0.5
    Object.assign(real.optimizer, { [name]: value })
    model.hypers = { ...model.hypers, [name]: value }
    await audit(model, real)
  }
}

class SaveAndLoad implements Command {
  check = (): boolean => true
  toString = (): string => 'save, and load into a fresh object'

  async run(model: Model, real: Real): Promise<void> {
    const before = await look(real)
    const fresh = new real.subject.Optimizer(model.hypers)
    await fresh.setWeights(await real.optimizer.getWeights())
    real.optimizer.dispose()
    real.optimizer = fresh
    for (const v of model.variables) if (v.state === 'held') v.state = 'waiting'
    expect(await look(real)).toEqual(before)
    expect(fresh.iterations).toBe(model.t)
    await audit(model, real)
  }
}

class SwitchBackend implements Command {
  constructor(readonly which: number) {}
  // In Node, TensorFlow.js can't take a tensor from webgpu to another backend.
  check = ({ backend }: Model): boolean => backend !== 'webgpu'
  toString = (): string => `switch backend(${this.which})`

  async run(model: Model, real: Real): Promise<void> {
    const before = await look(real)
    model.backend = real.backends[this.which % real.backends.length]!
    await tf.setBackend(model.backend)
    expect(await look(real)).toEqual(before)
    await audit(model, real)
  }
}

class DisposeAll implements Command {
  check = (): boolean => true
  toString = (): string => 'dispose the optimizer, and begin with a fresh one'

  async run(model: Model, real: Real): Promise<void> {
    real.optimizer.dispose()
    real.optimizer.dispose()
    expect(tf.memory().numTensors - real.tensorsBefore).toBe(model.variables.length)
    real.optimizer = new real.subject.Optimizer(model.hypers)
    Object.assign(model, { t: 0, started: false, orphans: [] })
    for (const v of model.variables) Object.assign(v, { age: 0, state: 'none' })
    await audit(model, real)
  }
}

const small: fc.Arbitrary<number> = fc.nat(9)
const commands: fc.Arbitrary<Iterable<Command>> = fc.commands(
  [
    fc.tuple(fc.nat(), fc.nat(31), fc.boolean()).map(([seed, absent, asMap]) => new Step(seed, absent, asMap)),
    fc.tuple(fc.nat(), fc.boolean()).map(([seed, asMap]) => new Step(seed, 0, asMap)),
    fc.constantFrom(...SHAPES).map((shape) => new AddVariable(shape)),
    small.map((which) => new Freeze(which)),
    small.map((which) => new DisposeVariable(which)),
    fc.tuple(small, fc.constantFrom(0.25, 0.5, 0.9, 1)).map(([which, by]) => new SetHyper(which, by)),
    fc.constant(new SaveAndLoad()),
    small.map((which) => new SwitchBackend(which)),
    fc.constant(new DisposeAll())
  ],
  { maxCommands: 24, size: 'max' }
)

/** Throws, with the shortest sequence of commands that goes wrong. */
export async function holdsInAnyOrder(subject: Subject, backends: readonly string[], runs: number): Promise<void> {
  const property = fc.asyncProperty(commands, async (sequence) => {
    await tf.setBackend(backends[0]!)
    const hypers = Object.fromEntries(subject.signature.hypers.map((h) => [h.name, h.init]))
    const real: Real = {
      subject,
      backends,
      tensorsBefore: tf.memory().numTensors,
      optimizer: new subject.Optimizer(hypers),
      variables: new Map()
    }
    const backend = backends[0]!
    const model: Model = { variables: [], orphans: [], made: 0, t: 0, started: false, hypers, backend, took: 0 }
    await new AddVariable([2, 3]).run(model, real)
    try {
      await fc.asyncModelRun(() => ({ model, real }), sequence)
    } finally {
      real.optimizer.dispose()
      tf.dispose([...real.variables.values()])
    }
    expect(tf.memory().numTensors).toBe(real.tensorsBefore)
  })
  await fc.assert(property, { numRuns: runs })
}

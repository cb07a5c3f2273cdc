import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Step } from '../../src/runtime/index.js'
import { gradientsFor, variables } from './support/models.js'
import { plain } from './support/plain.js'
import { Whole, type WholeOptions } from './support/whole.js'

const values = (x: tf.Tensor) => [...x.dataSync()]

beforeEach(() => tf.engine().startScope())
afterEach(() => {
  tf.disposeVariables()
  tf.engine().endScope()
})

/** An optimizer whose driver changes nothing but remembers what it was given. */
function spy(options: WholeOptions = {}) {
  const steps: {
    layers: { name: string; scalars: number[]; variant: number; gradient: number[] }[]
    inPlace: boolean
  }[] = []
  const driver = {
    step({ layers, inPlace }: Step) {
      steps.push({
        inPlace,
        layers: layers.map(({ layer, scalars, variant, gradient }) => ({
          name: layer.info.name,
          scalars: [...scalars],
          variant,
          gradient: values(gradient)
        }))
      })
    }
  }
  return { optimizer: new Whole(options, [plain('*', () => [], driver)]), steps }
}

describe('a step', () => {
  it('leaves out layers without a gradient or without elements, counts the step, and ages each layer', () => {
    const of = variables({ a: [2, 2], b: [3], none: [0, 4] })
    const { optimizer, steps } = spy()
    const g = gradientsFor(of)
    optimizer.applyGradients(g)
    optimizer.applyGradients([
      { name: 'b', tensor: undefined as never },
      { name: 'a', tensor: g.a! }
    ])
    optimizer.applyGradients({})
    optimizer.applyGradients(g)
    // age, t, modelSize / modelLayers + size / rank
    const seen = steps.map(({ layers }) => layers.map(({ name, scalars }) => [name, ...scalars.slice(3)]))
    expect(seen).toEqual([
      [
        ['a', 1, 1, 3.5 + 2],
        ['b', 1, 1, 3.5 + 3]
      ],
      [['a', 2, 2, 4 + 2]],
      [
        ['a', 3, 4, 3.5 + 2],
        ['b', 2, 4, 3.5 + 3]
      ]
    ])
    expect(optimizer.iterations).toBe(4)
    expect(optimizer.layers.map(({ name, index }) => [name, index])).toEqual([
      ['a', 0],
      ['b', 1]
    ])
  })

  it('keeps layers in the order of their first appearance, whatever the order of the gradients', () => {
    const of = variables({ a: [1], b: [1], c: [1] })
    const { optimizer, steps } = spy()
    const g = gradientsFor(of)
    const give = (...names: string[]) => optimizer.applyGradients(names.map((name) => ({ name, tensor: g[name]! })))
    give('c', 'a')
    give('a', 'b', 'c')
    expect(steps.map(({ layers }) => layers.map(({ name }) => name).join(''))).toEqual(['ca', 'cab'])
  })

  it('carries host state over: read before the step, advanced after it', () => {
    variables({ a: [2, 2] })
    const { optimizer, steps } = spy({ rate: 0.5 })
    for (let t = 1; t <= 3; t++) optimizer.applyGradients({ a: tf.ones([2, 2]) })
    const power = [1 / 3 + 2]
    const product = [1]
    for (let t = 1; t <= 2; t++) {
      power.push(power.at(-1)! * 0.7 + 0.5)
      product.push(product.at(-1)! * (1 - 0.1 / t))
    }
    expect(steps.map(({ layers }) => layers[0]!.scalars.slice(1, 3))).toEqual(power.map((p, i) => [p, product[i]]))
  })

  it('keeps state by variable: freezing, reordering and late layers do not mix it up', () => {
    const run = (rounds: string[][]) => {
      const of = variables({ a: [2], b: [2], c: [2] })
      const optimizer = new Whole()
      rounds.forEach((names, i) => {
        const g = gradientsFor(of, i + 1)
        optimizer.applyGradients(names.map((name) => ({ name, tensor: g[name]! })))
      })
      const result = [values(of.a!), optimizer.iterations]
      tf.disposeVariables()
      return result
    }
    // Layers meet in `total` only, which no weight reads: what a does must not depend on who else is there.
    const alone = run([['a'], ['a'], ['b'], ['a']])
    expect(
      run([
        ['b', 'a'],
        ['a', 'c', 'b'],
        ['b', 'c'],
        ['c', 'a']
      ])
    ).toEqual(alone)
  })

  it('gives each layer its own gradient where they come in another order than the layers, step for step', () => {
    const of = variables({ a: [1], b: [2] })
    const { optimizer, steps } = spy()
    const g = gradientsFor(of)
    optimizer.applyGradients(g)
    for (let i = 0; i < 2; i++) optimizer.applyGradients({ b: g.b!, a: g.a! })
    const expected = [values(g.a!), values(g.b!)]
    expect(steps.map(({ layers }) => layers.map(({ gradient }) => gradient))).toEqual([expected, expected, expected])
  })

  it('passes inPlace on', () => {
    variables({ a: [1] })
    const { optimizer, steps } = spy({ inPlace: false })
    optimizer.applyGradients({ a: tf.ones([1]) })
    optimizer.inPlace = true
    optimizer.applyGradients({ a: tf.ones([1]) })
    expect(steps.map(({ inPlace }) => inPlace)).toEqual([false, true])
  })

  it('copies a gradient that is a weight or state of the step', async () => {
    const of = variables({ a: [2], b: [2] })
    const { optimizer, steps } = spy()
    optimizer.applyGradients({ a: of.b!, b: tf.ones([2]) })
    expect(steps[0]!.layers[0]!.gradient).toEqual(values(of.b!))

    const given: tf.Tensor[] = []
    const looks = plain('*', () => [], { step: ({ layers }) => void given.push(...layers.map((one) => one.gradient)) })
    const other = new Whole({}, [looks])
    const foreign = tf.ones([2])
    other.applyGradients({ a: foreign, b: foreign })
    expect(given.map((g) => g.dataId)).toEqual([foreign.dataId, foreign.dataId])
    const m = (await other.getWeights()).find(({ name }) => name === 'a/m')!.tensor
    other.applyGradients({ a: of.a!, b: m })
    expect(given.slice(2).map((g) => g.dataId)).not.toContain(of.a!.dataId)
    expect(given.slice(2).map((g) => g.dataId)).not.toContain(m.dataId)
    expect(given.slice(2).every((g) => g.isDisposed)).toBe(true)
  })

  it('forgets a variable that was disposed, and starts afresh with one of the same name', () => {
    const { optimizer, steps } = spy()
    variables({ a: [2], b: [2] })
    const step = () => optimizer.applyGradients({ a: tf.ones([2]), b: tf.ones([2]) })
    step()
    const tensors = tf.memory().numTensors
    tf.engine().registeredVariables.a!.dispose()
    expect(optimizer.layers.map(({ name }) => name)).toEqual(['b'])
    expect(tf.memory().numTensors).toBe(tensors - 1 - 4) // the variable; m, z, norm, and what shows age and power
    variables({ a: [2] })
    step()
    expect(steps[1]!.layers.map(({ name, scalars }) => [name, scalars[3]])).toEqual([
      ['b', 2],
      ['a', 1]
    ])
  })
})

describe('a variable that was disposed', () => {
  const start = () => {
    const of = variables({ a: [2], b: [2] })
    const optimizer = new Whole()
    optimizer.applyGradients(gradientsFor(of))
    of.a!.dispose()
    return optimizer
  }
  const names = async (optimizer: Whole) =>
    (await optimizer.getWeights()).map(({ name }) => name).filter((name) => /\/m$/.test(name))

  it('is not saved', async () => {
    expect(await names(start())).toEqual(['b/m'])
  })
  it('leaves its name to another', async () => {
    const optimizer = start()
    variables({ 'd/k': [1] })
    optimizer.applyGradients({ 'd/k': tf.ones([1]) })
    tf.engine().registeredVariables['d/k']!.dispose()
    variables({ 'd/k_1': [1] })
    optimizer.applyGradients({ 'd/k_1': tf.ones([1]) })
    expect(await names(optimizer)).toEqual(['b/m', 'd/k/m'])
  })
  it('leaves its name to another of the same name', async () => {
    const optimizer = start()
    variables({ a: [3] })
    optimizer.applyGradients({ a: tf.ones([3]) })
    expect(await names(optimizer)).toEqual(['b/m', 'a/m'])
  })
  it('does not stand in the way of saved state', async () => {
    const other = start()
    variables({ c: [4] })
    const optimizer = new Whole()
    optimizer.applyGradients({ c: tf.ones([4]) })
    tf.engine().registeredVariables.c!.dispose()
    await optimizer.setWeights(await other.getWeights())
    expect(await names(optimizer)).toEqual(['b/m'])
  })
})

describe('a step that can not be', () => {
  /** Fails with `text`, and nothing has changed: no weight, no count, no state, no tensor. */
  async function fails(optimizer: Whole, step: () => void, text: string) {
    const look = async () => ({
      weights: Object.values(tf.engine().registeredVariables).map((v) => [v.name, v.dataId, values(v)]),
      state: (await optimizer.getWeights()).map(({ name, tensor }) => [name, values(tensor)]),
      layers: optimizer.layers.map(({ name }) => name),
      iterations: optimizer.iterations
    })
    const before = await look()
    const { numTensors } = tf.memory()
    expect(step).toThrow(text)
    expect(tf.memory().numTensors).toBe(numTensors)
    expect(await look()).toEqual(before)
  }

  /** One layer known, `b` about to appear. */
  function begun(options: WholeOptions = {}) {
    const of = variables({ a: [2, 2], b: [3] })
    const optimizer = new Whole(options)
    optimizer.applyGradients({ a: tf.ones([2, 2]) })
    return { of, optimizer }
  }

  const good = () => ({ a: tf.ones([2, 2]), b: tf.ones([3]) })

  it.each<[string, () => unknown, string]>([
    ['unknown name', () => ({ ...good(), weightA: tf.ones([1]) }), 'Whole: there is no variable named "weightA".'],
    ['near name', () => ({ ...good(), bb: tf.ones([1]) }), 'there is no variable named "bb"; did you mean "b"?'],
    ['inherited name', () => ({ ...good(), constructor: tf.ones([1]) }), 'no variable named "constructor"'],
    ['unknown name without gradient', () => [{ name: 'zz', tensor: null }], 'no variable named "zz"'],
    [
      'twice',
      () => [
        { name: 'b', tensor: tf.ones([3]) },
        { name: 'b', tensor: tf.ones([3]) }
      ],
      'two gradients for the variable "b"'
    ],
    [
      'other shape',
      () => ({ ...good(), b: tf.ones([2]) }),
      'the gradient of "b" has shape [2], but the variable has [3].'
    ],
    ['other rank', () => ({ ...good(), b: tf.ones([3, 1]) }), 'has shape [3,1]'],
    ['int32', () => ({ ...good(), b: tf.ones([3], 'int32') }), 'the gradient of "b" is int32; it must be float32.'],
    [
      'disposed',
      () => {
        const b = tf.ones([3])
        b.dispose()
        return { ...good(), b }
      },
      'the gradient of "b" was disposed.'
    ],
    ['no tensor', () => ({ ...good(), b: 3 }), 'the gradient of "b" must be a tensor; got 3.'],
    ['nothing', () => null, 'applyGradients takes a map']
  ])('%s', async (_, gradients, text) => {
    const { optimizer } = begun()
    const given = gradients()
    await fails(optimizer, () => optimizer.applyGradients(given as tf.NamedTensorMap), text)
  })

  it('a variable that is not float32', async () => {
    const { optimizer } = begun()
    const g = tf.ones([2], 'int32')
    tf.variable(tf.zeros([2], 'int32'), true, 'whole')
    await fails(
      optimizer,
      () => optimizer.applyGradients({ whole: g }),
      'the variable "whole" is int32; only float32 can be trained.'
    )
  })

  it('a schedule that gives what is not allowed', async () => {
    const { optimizer } = begun({ rate: (t) => (t === 2 ? Number.NaN : 0.1) })
    const g = good()
    await fails(
      optimizer,
      () => optimizer.applyGradients(g),
      'Whole: rate must be a number in (0, inf]; at step 2 its function gave NaN.'
    )
    optimizer.rate = 0.1
    optimizer.groups = [{ match: /b/, rate: () => -1 }]
    await fails(
      optimizer,
      () => optimizer.applyGradients(g),
      'groups[0].rate must be a number in (0, inf]; at step 2 its function gave -1.'
    )
    optimizer.groups = [{ match: /b/, nesterov: () => 1 as never }]
    await fails(
      optimizer,
      () => optimizer.applyGradients(g),
      'groups[0].nesterov must be true or false; at step 2 its function gave 1.'
    )
  })

  it('a mask, a match or a schedule that throws or gives no answer', async () => {
    const { optimizer } = begun()
    const g = good()
    const thrower = () => {
      throw new Error('mine')
    }
    optimizer.decayed = ((layer: { rank: number }) => (layer.rank > 1 ? true : undefined)) as never
    await fails(
      optimizer,
      () => optimizer.applyGradients(g),
      'decayed must give true or false for each layer; for "b" it gave undefined.'
    )
    optimizer.decayed = (layer) => (layer.rank > 1 ? true : thrower())
    await fails(optimizer, () => optimizer.applyGradients(g), 'Whole: mine')
    optimizer.decayed = true
    optimizer.groups = [{ match: (layer) => (layer.rank > 1 ? false : thrower()) }]
    await fails(optimizer, () => optimizer.applyGradients(g), 'Whole: mine')
    optimizer.groups = []
    optimizer.rate = thrower
    await fails(optimizer, () => optimizer.applyGradients(g), 'Whole: mine')
  })

  it('state that somebody disposed', async () => {
    const { optimizer, of } = begun()
    const weights = await optimizer.getWeights()
    weights.find(({ name }) => name === 'a/m')!.tensor.dispose()
    const before = values(of.a!)
    expect(() => optimizer.applyGradients(good())).toThrow('the state of "a" was disposed')
    expect(values(of.a!)).toEqual(before)
  })

  it('a failing minimize leaves no tensor behind', () => {
    const { optimizer, of } = begun()
    optimizer.rate = () => -1
    const { numTensors } = tf.memory()
    expect(() => optimizer.minimize(() => tf.sum(of.a!) as tf.Scalar)).toThrow('at step 2')
    expect(tf.memory().numTensors).toBe(numTensors)
  })

  it('an optimizer that was disposed', async () => {
    const { optimizer, of } = begun()
    optimizer.dispose()
    optimizer.dispose()
    const text = 'Whole: this optimizer was disposed and can no longer be used; make a new one.'
    expect(() => optimizer.applyGradients(good())).toThrow(text)
    expect(() => optimizer.minimize(() => tf.sum(of.a!) as tf.Scalar)).toThrow(text)
    await expect(optimizer.observations()).rejects.toThrow(text)
    await expect(optimizer.getWeights()).rejects.toThrow(text)
    await expect(optimizer.setWeights([])).rejects.toThrow(text)
  })
})

describe('observations', () => {
  it('are of the last step, by layer', async () => {
    const of = variables({ a: [2], b: [2] })
    const optimizer = new Whole({ decayed: false })
    expect(await optimizer.observations()).toEqual({})
    optimizer.applyGradients({ a: tf.tensor([1, -2]), b: tf.tensor([3, 4]) })
    expect(await optimizer.observations()).toEqual({ a: { power: 1 / 3 + 1, sum: 3 }, b: { power: 1 / 3 + 1, sum: 7 } })
    optimizer.applyGradients({ b: tf.tensor([0, 0]) })
    const { b, ...rest } = await optimizer.observations()
    expect(rest).toEqual({})
    expect(b!.power).toBe((1 / 3 + 1) * 0.7 + 0.1)
    of.a!.dispose()
    expect(Object.keys(await optimizer.observations())).toEqual(['b'])
  })

  it('are of the step that had ended when they were asked for', async () => {
    variables({ a: [2] })
    const optimizer = new Whole()
    optimizer.applyGradients({ a: tf.tensor([1, 2]) })
    const asked = optimizer.observations()
    optimizer.applyGradients({ a: tf.tensor([5, 5]) })
    expect((await asked).a!.power).toBe(1 / 3 + 1)
  })
})

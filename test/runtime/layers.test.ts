import { fc, test } from '@fast-check/vitest'
import * as tf from '@tensorflow/tfjs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { namesOf } from '../../src/runtime/layers.js'
import { variables } from './support/models.js'
import { Whole } from './support/whole.js'

afterEach(() => {
  tf.disposeVariables()
  vi.restoreAllMocks()
})

const named = (...names: string[]) => namesOf(names.map((name) => ({ name }) as tf.Variable))

describe('names', () => {
  it('leave off what tfjs appends', () => {
    expect(named('dense_Dense1/kernel_1', 'dense_Dense1/bias_12')).toEqual(['dense_Dense1/kernel', 'dense_Dense1/bias'])
    expect(named('a/b_1/c', 'Variable_3', 'w_1', 'a/_1', 'a/b_1_2')).toEqual([
      'a/b_1/c',
      'Variable_3',
      'w_1',
      'a/',
      'a/b_1'
    ])
  })
  it('keep it where two would share a name', () => {
    expect(named('a/k', 'a/k_1', 'b/k_1')).toEqual(['a/k', 'a/k_1', 'b/k'])
    expect(named('a/k_1', 'a/k_2')).toEqual(['a/k_1', 'a/k_2'])
    expect(named('a/k_1_2', 'a/k_1', 'a/k')).toEqual(['a/k_1_2', 'a/k_1', 'a/k'])
  })
  test.prop([fc.uniqueArray(fc.stringMatching(/^a\/[kb](_[12]){0,3}$/), { maxLength: 8 })])(
    'are never shared',
    (names) => {
      const given = named(...names)
      expect(new Set(given).size).toBe(names.length)
      for (const [i, name] of given.entries()) expect([names[i], names[i]!.replace(/_\d+$/, '')]).toContain(name)
    }
  )
  it('change when a variable of the same name appears later', () => {
    variables({ 'd/k_1': [1] })
    const optimizer = new Whole({ decayed: ['d/k'] })
    optimizer.applyGradients({ 'd/k_1': tf.ones([1]) })
    expect(optimizer.layers.map(({ name, masks }) => [name, masks.decayed])).toEqual([['d/k', true]])
    variables({ 'd/k': [1] })
    optimizer.applyGradients({ 'd/k': tf.ones([1]) })
    expect(optimizer.layers.map(({ name, masks }) => [name, masks.decayed])).toEqual([
      ['d/k_1', false],
      ['d/k', true]
    ])
  })
})

describe('layers', () => {
  it('show name, shape, group and masks', () => {
    variables({ 'e/embedding': [5, 2], 'd/kernel': [2, 2], 'd/bias': [2], s: [] })
    const optimizer = new Whole({ groups: [{ match: /embedding/, decayed: false }, { match: ['d/bias'] }] })
    optimizer.applyGradients({
      'e/embedding': tf.ones([5, 2]),
      'd/kernel': tf.ones([2, 2]),
      'd/bias': tf.ones([2]),
      s: tf.scalar(1)
    })
    expect(optimizer.layers).toEqual([
      { name: 'e/embedding', shape: [5, 2], rank: 2, size: 10, index: 0, group: 0, masks: { decayed: false } },
      { name: 'd/kernel', shape: [2, 2], rank: 2, size: 4, index: 1, group: null, masks: { decayed: true } },
      { name: 'd/bias', shape: [2], rank: 1, size: 2, index: 2, group: 1, masks: { decayed: false } },
      { name: 's', shape: [], rank: 0, size: 1, index: 3, group: null, masks: { decayed: false } }
    ])
  })
})

describe('masks', () => {
  const masksWith = (decayed: ConstructorParameters<typeof Whole>[0]) => {
    variables({ a: [2, 2], ab: [2], b: [1] })
    const optimizer = new Whole(decayed)
    optimizer.applyGradients({ a: tf.ones([2, 2]), ab: tf.ones([2]), b: tf.ones([1]) })
    const masks = optimizer.layers.map((layer) => layer.masks.decayed)
    tf.disposeVariables()
    return masks
  }
  it('are the predicate, or what is put in its place', () => {
    expect(masksWith({})).toEqual([true, false, false])
    expect(masksWith({ decayed: true })).toEqual([true, true, true])
    expect(masksWith({ decayed: false })).toEqual([false, false, false])
    expect(masksWith({ decayed: /b$/ })).toEqual([false, true, true])
    expect(masksWith({ decayed: /b/gy })).toEqual([false, true, true])
    expect(masksWith({ decayed: ['a', 'b', 'c'] })).toEqual([true, false, true])
    expect(masksWith({ decayed: ({ size, index }) => size === 2 && index === 1 })).toEqual([false, true, false])
  })
  it('do not see later changes of what was given', () => {
    variables({ a: [2, 2], b: [2] })
    const list = ['a']
    const optimizer = new Whole({ decayed: list })
    list.push('b')
    optimizer.applyGradients({ a: tf.ones([2, 2]), b: tf.ones([2]) })
    expect(optimizer.layers.map(({ masks }) => masks.decayed)).toEqual([true, false])
  })
  it('are asked once a layer, and again when one is assigned', () => {
    variables({ a: [2, 2] })
    const decayed = vi.fn(() => true)
    const optimizer = new Whole({ decayed })
    for (let i = 0; i < 3; i++) optimizer.applyGradients({ a: tf.ones([2, 2]) })
    expect(decayed).toHaveBeenCalledTimes(1)
    expect(decayed).toHaveBeenCalledWith({ name: 'a', shape: [2, 2], rank: 2, size: 4, index: 0 })
    optimizer.decayed = decayed
    optimizer.applyGradients({ a: tf.ones([2, 2]) })
    expect(decayed).toHaveBeenCalledTimes(2)
    optimizer.groups = []
    optimizer.applyGradients({ a: tf.ones([2, 2]) })
    expect(decayed).toHaveBeenCalledTimes(3)
  })
})

describe('groups', () => {
  /** Rates (times 2 with nesterov) and decay by layer, read off a step of ones from weights of 0. */
  function rates(optimizer: Whole): Record<string, [number, boolean]> {
    const before = optimizer.iterations
    const of = Object.values(tf.engine().registeredVariables)
    for (const v of of) v.assign(tf.zeros(v.shape))
    optimizer.applyGradients(Object.fromEntries(of.map((v) => [v.name, tf.ones(v.shape)])))
    expect(before).toBe(0)
    return Object.fromEntries(
      optimizer.layers.map(({ name, rank, masks }, i) => {
        // w = −rate · power · norm · (1 + 1 / age): see the formula
        const rate = -of[i]!.dataSync()[0]! / ((1 / 3 + rank) * 0.5 * 2)
        return [name, [Math.round(rate * 1e5) / 1e5, masks.decayed!]]
      })
    )
  }

  it('set hyperparameters and masks; the first that matches wins whole', () => {
    variables({ a: [2], ab: [2], b: [2], c: [2] })
    const optimizer = new Whole({
      rate: (t) => 0.3 * t,
      decayed: true,
      groups: [
        { match: /b/, rate: (t, base) => 0.1 * base * t },
        { match: ['ab', 'a'], rate: 5, nesterov: true, decayed: false },
        { match: ({ name }) => name === 'a', rate: 7 }
      ]
    })
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(rates(optimizer)).toEqual({ a: [10, false], ab: [0.03, true], b: [0.03, true], c: [0.3, true] })
  })

  it('may be assigned between steps', () => {
    variables({ a: [2], b: [2] })
    const optimizer = new Whole()
    const step = () => optimizer.applyGradients({ a: tf.ones([2]), b: tf.ones([2]) })
    const groups = () => optimizer.layers.map(({ group }) => group)
    step()
    expect(groups()).toEqual([null, null])
    optimizer.groups = [{ match: /b/ }]
    expect(groups()).toEqual([null, 0])
    step()
    optimizer.groups = []
    expect(groups()).toEqual([null, null])
  })

  it('call each function once a step', () => {
    variables({ a: [2], b: [2], c: [2] })
    const rate = vi.fn((_: number, base: number) => base)
    const optimizer = new Whole({ groups: [{ match: true, rate }] })
    for (let i = 0; i < 2; i++) optimizer.applyGradients({ a: tf.ones([2]), b: tf.ones([2]), c: tf.ones([2]) })
    expect(rate.mock.calls).toEqual([
      [1, 0.1],
      [2, 0.1]
    ])
  })

  it('that matched nothing by the first step are told, once, with the names that there are', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    variables({ 'd/kernel': [2], 'd/bias': [2] })
    const optimizer = new Whole({ groups: [{ match: /embeding/ }, { match: /kernel/ }, { match: ['d/kernel'] }] })
    const step = () => optimizer.applyGradients({ 'd/kernel': tf.ones([2]), 'd/bias': tf.ones([2]) })
    optimizer.applyGradients({})
    expect(warn).not.toHaveBeenCalled()
    step()
    step()
    expect(warn.mock.calls).toEqual([
      [
        'Whole: groups[0], groups[2] matched no layer (the first group that matches wins). The layers are d/kernel, d/bias.'
      ]
    ])
    optimizer.groups = [{ match: /bias/ }]
    step()
    expect(warn).toHaveBeenCalledTimes(1)
    optimizer.groups = [{ match: /x/ }]
    step()
    expect(warn).toHaveBeenCalledTimes(2)
  })

  it('are not told while a layer that was saved has yet to appear', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    variables({ 'd/kernel': [2], 'd/bias': [2] })
    const groups = [{ match: /kernel/ }]
    const first = new Whole({ groups })
    first.applyGradients({ 'd/kernel': tf.ones([2]), 'd/bias': tf.ones([2]) })
    const resumed = new Whole({ groups })
    await resumed.setWeights(await first.getWeights())
    resumed.applyGradients({ 'd/bias': tf.ones([2]) })
    resumed.applyGradients({ 'd/kernel': tf.ones([2]) })
    expect(warn).not.toHaveBeenCalled()
  })
})

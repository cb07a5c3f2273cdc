import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { schedule } from '../../src/runtime/index.js'
import { save } from '../support/saving.js'
import { LAMB, warmupPolynomial } from './support/lamb.js'
import { gradientsFor, load, smallModel, train, variables, weightsOf } from './support/models.js'
import { Whole, type WholeOptions } from './support/whole.js'

tf.serialization.registerClass(LAMB)
tf.serialization.registerClass(Whole)

const values = (x: tf.Tensor) => [...x.dataSync()]
const entries = async (optimizer: tf.Optimizer) =>
  (await optimizer.getWeights()).map(({ name, tensor }) => [name, tensor.dtype, tensor.shape, values(tensor)])

let warn: ReturnType<typeof vi.spyOn>
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(() => {
  tf.disposeVariables()
  vi.restoreAllMocks()
})

function compiled(optimizer: tf.Optimizer, names: readonly [string?, string?] = []): tf.Sequential {
  const model = smallModel(names)
  model.compile({ optimizer, loss: 'meanSquaredError' })
  return model
}

describe('model.save and tf.loadLayersModel', () => {
  it.each<[string, () => tf.Optimizer]>([
    ['LAMB', () => new LAMB({ learningRate: warmupPolynomial({ peak: 0.05, warmup: 3, total: 30 }) })],
    [
      'one of everything',
      () => new Whole({ rate: 0.01, decayed: /kernel/i, groups: [{ match: ['first/bias'], rate: 0.02 }] })
    ]
  ])('train on as if nothing had happened: %s', async (_, make) => {
    const whole = compiled(make(), ['first'])
    await train(whole, 7)

    const first = compiled(make(), ['first'])
    await train(first, 3)
    const again = await load(await save(first))
    expect(again.optimizer.getConfig()).toEqual(first.optimizer.getConfig())
    await train(again, 4)
    expect(weightsOf(again)).toEqual(weightsOf(whole))
    expect((again.optimizer as Whole).iterations).toBe(14)
    expect((await entries(again.optimizer)).map(([, ...rest]) => rest)).toEqual(
      (await entries(whole.optimizer)).map(([, ...rest]) => rest)
    )
    expect(warn).not.toHaveBeenCalled()
  })

  it('save again what they loaded, trained or not', async () => {
    const model = compiled(new Whole({ rate: 0.01 }))
    await train(model, 2)
    const saved = await save(model)
    const again = await save(await load(saved))
    expect(again.weightSpecs!.map(({ name }) => name.replace(/_1\b/, ''))).toEqual(
      saved.weightSpecs!.map(({ name }) => name)
    )
    expect(again.weightData).toEqual(saved.weightData)
  })

  it('load a checkpoint of the step count alone', async () => {
    const model = compiled(new Whole({ rate: 0.01 }))
    const again = await load(await save(model))
    expect(again.optimizer.iterations).toBe(0)
    await train(again, 1)
    await train(model, 1)
    expect(weightsOf(again)).toEqual(weightsOf(model))
  })

  it('keep the state of layers that are frozen meanwhile', async () => {
    const whole = compiled(new Whole({ rate: 0.01 }))
    const part = compiled(new Whole({ rate: 0.01 }))
    const freeze = (model: tf.LayersModel, frozen: boolean) => {
      model.layers[0]!.trainable = !frozen
      model.compile({ optimizer: model.optimizer, loss: 'meanSquaredError' })
    }
    await train(whole, 2)
    await train(part, 2)
    freeze(whole, true)
    await train(whole, 2)
    freeze(whole, false)
    await train(whole, 2)

    // Frozen when saved, saved again while still frozen, then thawed.
    let model = part as tf.LayersModel
    freeze(model, true)
    model = await load(await save(model))
    freeze(model, true)
    await train(model, 2)
    model = await load(await save(model))
    freeze(model, false)
    await train(model, 2)
    expect(weightsOf(model)).toEqual(weightsOf(whole))
    expect((model.optimizer as Whole).layers.map(({ index, shape }) => [index, shape])).toEqual([
      [0, [3, 4]],
      [1, [4]],
      [2, [4, 2]],
      [3, [2]]
    ])
  })
})

describe('getWeights', () => {
  it('gives the step count, then slot by slot, by layer', async () => {
    const of = variables({ 'a/k_1': [2], b: [1, 1] })
    const optimizer = new Whole()
    expect(await entries(optimizer)).toEqual([['iter', 'int32', [], [0]]])
    optimizer.applyGradients(gradientsFor(of))
    const names = [
      'a/k/m',
      'b/m',
      'a/k/z',
      'b/z',
      'a/k/norm',
      'b/norm',
      'a/k/age+power',
      'b/age+power',
      'model/total',
      'model/product'
    ]
    const found = await entries(optimizer)
    expect(found.map(([name]) => name)).toEqual(['iter', ...names])
    expect(found.map(([, dtype, shape]) => `${dtype} ${shape}`)).toEqual([
      'int32 ',
      'float32 2',
      'float32 1,1',
      'float32 2',
      'float32 1,1',
      'float32 1',
      'float32 1',
      'int32 2,2',
      'int32 2,2',
      'float32 1',
      'int32 1,2'
    ])
    const bits = Int32Array.from(found[7]![3] as number[])
    expect([...new Float64Array(bits.buffer)]).toEqual([1, (1 / 3 + 1) * 0.7 + 0.1])
    expect((await optimizer.saveIterations()).tensor.dataSync()[0]).toBe(1)
  })

  it('gives numbers of the host again where somebody disposed them', async () => {
    const of = variables({ a: [2] })
    const optimizer = new Whole()
    optimizer.applyGradients(gradientsFor(of))
    const before = await entries(optimizer)
    for (const { tensor } of await optimizer.getWeights()) if (tensor.dtype === 'int32') tensor.dispose()
    expect(await entries(optimizer)).toEqual(before)
  })

  it('gives the same tensors until a step', async () => {
    const of = variables({ a: [2] })
    const optimizer = new Whole()
    optimizer.applyGradients(gradientsFor(of))
    const ids = async () => (await optimizer.getWeights()).map(({ tensor }) => tensor.id)
    expect(await ids()).toEqual(await ids())
  })
})

describe('setWeights', () => {
  /** State of two layers, copied out of an optimizer that took three steps. */
  async function checkpoint(names: readonly [string, string] = ['a', 'b']) {
    const of = variables({ [names[0]]: [2, 2], [names[1]]: [3] })
    const optimizer = new Whole()
    for (let i = 1; i <= 3; i++) optimizer.applyGradients(gradientsFor(of, i))
    const weights = (await optimizer.getWeights()).map(({ name, tensor }) => ({ name, tensor: tensor.clone() }))
    tf.disposeVariables()
    return weights
  }
  const layersOf = async (optimizer: Whole) =>
    (await optimizer.getWeights()).filter(({ name }) => name.endsWith('/m')).map(({ name }) => name)

  it('says what the platform says where weights can not be read', async () => {
    const weights = await checkpoint()
    const aborted = new DOMException('the device is lost', 'AbortError')
    for (const { tensor } of weights) vi.spyOn(tensor, 'data').mockRejectedValue(aborted)
    const failing = new Whole().setWeights(weights)
    await expect(failing).rejects.toMatchObject({ message: 'Whole: the device is lost', cause: aborted })
  })

  it('goes on where another stood', async () => {
    const run = async (change: (optimizer: Whole) => Promise<Whole>) => {
      const of = variables({ a: [2, 2], b: [3] })
      let optimizer = new Whole()
      for (let i = 1; i <= 3; i++) optimizer.applyGradients(gradientsFor(of, i))
      optimizer = await change(optimizer)
      for (let i = 4; i <= 6; i++) optimizer.applyGradients(gradientsFor(of, i))
      const result = [values(of.a!), values(of.b!), await entries(optimizer)]
      tf.disposeVariables()
      return result
    }
    const plain = await run(async (optimizer) => optimizer)
    expect(
      await run(async (optimizer) => {
        const next = new Whole()
        await next.setWeights(await optimizer.getWeights())
        optimizer.dispose()
        return next
      })
    ).toEqual(plain)
    expect(
      await run(async (optimizer) => {
        const kept = (await optimizer.getWeights()).map(({ name, tensor }) => ({ name, tensor: tensor.clone() }))
        optimizer.applyGradients({})
        await optimizer.setWeights(kept)
        return optimizer
      })
    ).toEqual(plain)
  })

  it('copies: what it was given may be disposed or written', async () => {
    const weights = await checkpoint()
    const array = weights[1]!.tensor.dataSync() as Float32Array
    const optimizer = new Whole()
    await optimizer.setWeights(weights)
    const before = [...array]
    array.fill(9)
    expect((await entries(optimizer))[1]![3]).toEqual(before)
    tf.dispose(weights.map(({ tensor }) => tensor))
    expect((await entries(optimizer))[1]![3]).toEqual(before)
  })

  it('binds by name, whatever the order', async () => {
    const optimizer = new Whole()
    await optimizer.setWeights(await checkpoint())
    const of = variables({ b: [3], a: [2, 2] })
    optimizer.applyGradients({ b: gradientsFor(of).b! })
    expect(await layersOf(optimizer)).toEqual(['a/m', 'b/m'])
    optimizer.applyGradients(gradientsFor(of))
    expect(optimizer.layers.map(({ name, index }) => [name, index])).toEqual([
      ['a', 0],
      ['b', 1]
    ])
    expect(optimizer.iterations).toBe(5)
  })

  it('binds by position where the names are others', async () => {
    const optimizer = new Whole()
    await optimizer.setWeights(await checkpoint(['dense_Dense1/kernel', 'dense_Dense1/bias']))
    const of = variables({ 'dense_Dense3/kernel': [2, 2], 'dense_Dense3/bias': [3] })
    optimizer.applyGradients(gradientsFor(of))
    let power = 1 / 3 + 1
    for (let i = 0; i < 4; i++) power = power * 0.7 + 0.1
    const host = (await entries(optimizer)).find(([name]) => name === 'dense_Dense3/bias/age+power')!
    expect([...new Float64Array(Int32Array.from(host[3] as number[]).buffer)]).toEqual([4, power])
  })

  it('binds by position where names only seem to fit', async () => {
    // A rebuilt model: what was layer 2 is now called as layer 3 was.
    const of = variables({ 'd2/k': [2], 'd3/k': [2] })
    const first = new Whole()
    first.applyGradients({ 'd2/k': tf.tensor([1, 2]), 'd3/k': tf.tensor([3, 4]) })
    const weights = (await first.getWeights()).map(({ name, tensor }) => ({ name, tensor: tensor.clone() }))
    for (const v of Object.values(of)) v.dispose()
    variables({ 'd1/k': [2], 'd2/k': [2] })
    const optimizer = new Whole()
    await optimizer.setWeights(weights)
    optimizer.applyGradients({ 'd1/k': tf.zeros([2]), 'd2/k': tf.zeros([2]) })
    const m = (await entries(optimizer)).filter(([name]) => String(name).endsWith('/m'))
    const close = (x: number) => Math.fround(0.9 * Math.fround(x))
    expect(m.map(([name, , , data]) => [name, data])).toEqual([
      ['d1/k/m', [close(1), close(2)]],
      ['d2/k/m', [close(3), close(4)]]
    ])
  })

  it('starts a new layer afresh beside those it knows', async () => {
    const optimizer = new Whole()
    await optimizer.setWeights(await checkpoint())
    const of = variables({ a: [2, 2], b: [3], c: [1] })
    optimizer.applyGradients(gradientsFor(of))
    expect(optimizer.layers.map(({ name, index }) => [name, index])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2]
    ])
  })

  it('refuses at the step, listing both sides, what fits neither by name nor by position', async () => {
    const optimizer = new Whole()
    await optimizer.setWeights(await checkpoint())
    const of = variables({ x: [2, 2], y: [4] })
    const before = values(of.x!)
    expect(() => optimizer.applyGradients(gradientsFor(of))).toThrow(
      'Whole: the saved state does not fit the layers, neither by name nor by position. Saved: a [2,2], b [3]. Layers: x [2,2], y [4].'
    )
    expect(values(of.x!)).toEqual(before)
    expect(optimizer.iterations).toBe(3)
    expect(await layersOf(optimizer)).toEqual(['a/m', 'b/m'])
    expect(() => optimizer.applyGradients({ x: tf.ones([2, 2]) })).toThrow('Saved: a [2,2], b [3]. Layers: x [2,2].')
    const { a } = variables({ a: [2, 2] })
    expect(() => optimizer.applyGradients({ a: tf.ones([2, 2]), y: tf.ones([4]) })).toThrow(
      'Saved: a [2,2], b [3]. Layers: a [2,2], y [4].'
    )
    optimizer.applyGradients({ a: tf.ones([2, 2]) })
    expect(optimizer.layers).toHaveLength(1)
    a!.dispose()
  })

  describe('refuses at once, and leaves everything as it was', () => {
    const scalar = (x: number) => ({ name: 'iter', tensor: tf.scalar(x, Number.isInteger(x) ? 'int32' : 'float32') })
    type Weights = { name: string; tensor: tf.Tensor }[]
    const swap = (weights: Weights, name: string, tensor: tf.Tensor) =>
      weights.map((w) => (w.name === name ? { name, tensor } : w))
    it.each<[string, (weights: Weights) => unknown, string]>([
      ['no array', () => null, 'Whole: setWeights takes what getWeights gave, an array; got null.'],
      ['nothing', () => [], 'its first entry must be the step count, "iter"'],
      ['no step count', (w) => w.slice(1), 'its first entry must be the step count, "iter"'],
      [
        'a negative step',
        (w) => [scalar(-1), ...w.slice(1)],
        'the saved step count must be a whole number, 0 or more; got -1.'
      ],
      ['half a step', (w) => [scalar(0.5), ...w.slice(1)], 'got 0.5.'],
      ['no step', (w) => [scalar(Number.NaN), ...w.slice(1)], 'got NaN.'],
      ['no tensor', (w) => [...w, { name: 'x' }], 'entry 11 is something else'],
      ['nothing in it', (w) => [...w, null], 'entry 11 is something else'],
      ['missing entry', (w) => w.filter(({ name }) => name !== 'b/z'), 'the saved entry "b/z" is missing.'],
      [
        'missing model entry',
        (w) => w.filter(({ name }) => name !== 'model/product'),
        'the saved entry "model/product" is missing.'
      ],
      [
        'entry of another optimizer',
        (w) => [...w, { name: 'a/v', tensor: tf.ones([2, 2]) }],
        'the saved entry "a/v" is not of this optimizer, which saves iter, <layer>/m, <layer>/z, <layer>/norm, <layer>/age+power, model/total, model/product.'
      ],
      ['entry twice', (w) => [...w, w[1]], 'the saved entry "a/m" is there twice.'],
      [
        'slots of two shapes',
        (w) => swap(w, 'a/z', tf.ones([4])),
        'the saved entry "a/z" must be float32 [2,2]; it is float32 [4].'
      ],
      [
        'another type',
        (w) => swap(w, 'b/norm', tf.ones([1], 'int32')),
        'the saved entry "b/norm" must be float32 [1]; it is int32 [1].'
      ],
      ['other host state', (w) => swap(w, 'b/age+power', tf.ones([1, 2], 'int32')), 'must be int32 [2,2]'],
      [
        'layers of other shapes',
        (w) => ['b/m', 'b/z'].reduce((all, name) => swap(all, name, tf.ones([4])), w),
        'the saved state does not fit the layers'
      ],
      [
        'a disposed tensor',
        (w) => {
          w[3]!.tensor.dispose()
          return w
        },
        'the saved tensor "a/z" was disposed.'
      ]
    ])('%s', async (_, change, text) => {
      const weights = await checkpoint()
      const of = variables({ a: [2, 2], b: [3] })
      const optimizer = new Whole()
      optimizer.applyGradients(gradientsFor(of))
      const given = change(weights) as Weights
      const before = await entries(optimizer)
      const { numTensors } = tf.memory()
      await expect(optimizer.setWeights(given)).rejects.toThrow(text)
      expect(await entries(optimizer)).toEqual(before)
      expect(tf.memory().numTensors).toBe(numTensors)
    })
  })

  it('reads what tf.train.adam saved, whose slots have the same names', async () => {
    const of = variables({ a: [2] })
    const adam = tf.train.adam()
    adam.minimize(() => tf.sum(of.a!) as tf.Scalar)
    const lamb = new LAMB()
    await lamb.setWeights(await adam.getWeights())
    expect((await entries(lamb)).map(([name]) => name)).toEqual(['iter', 'a/m', 'a/v'])
    lamb.applyGradients({ a: tf.ones([2]) })
    expect(lamb.iterations).toBe(2)
    of.a!.dispose()
  })
})

describe('config', () => {
  /** Through JSON and what tfjs's loader does to it. */
  const through = (config: object): Record<string, unknown> => {
    const camel = (s: string) => s.replace(/_+(\w|$)/g, (_, c) => c.toUpperCase())
    const convert = (x: unknown): unknown => {
      if (typeof x === 'string') return camel(x)
      if (Array.isArray(x)) return x.map(convert)
      if (typeof x !== 'object' || x === null) return x
      return Object.fromEntries(
        Object.entries(x).map(([k, v]) => (k === 'name' && typeof v === 'string' ? [k, v] : [camel(k), convert(v)]))
      )
    }
    return { ...(convert(JSON.parse(JSON.stringify(config))) as object), customObjects: {} }
  }
  const reload = (optimizer: Whole) =>
    Whole.fromConfig(Whole, through(optimizer.getConfig()) as tf.serialization.ConfigDict)

  it('holds every hyperparameter, and survives the loader', () => {
    const options: WholeOptions = {
      rate: Infinity,
      bias: -0,
      nesterov: true,
      decayed: /layer_norm\/x/i,
      inPlace: false,
      groups: [
        { match: ['dense_Dense1/kernel', 'a"b'], rate: 1e-300, decayed: false },
        { match: /_b_/u, nesterov: false, rate: warmupPolynomial({ peak: Infinity, warmup: -0 }) }
      ]
    }
    const first = new Whole(options)
    const config = first.getConfig()
    expect(config).toEqual({
      rate: { name: 'Infinity', kind: 'number' },
      mode: 2,
      bias: { name: '-0', kind: 'number' },
      cap: 1,
      nesterov: true,
      decayed: { name: '/layer_norm\\/x/i', kind: 'regexp' },
      inPlace: false,
      groups: [
        { match: { name: '["dense_Dense1/kernel","a\\"b"]', kind: 'names' }, rate: 1e-300, decayed: false },
        {
          match: { name: '/_b_/u', kind: 'regexp' },
          nesterov: false,
          rate: {
            name: 'warmupPolynomial',
            kind: 'schedule',
            args: [{ name: 'Infinity', kind: 'number' }, { name: '-0', kind: 'number' }, 10000, 1]
          }
        }
      ]
    })
    expect(through(config)).toEqual({ ...config, customObjects: {} })
    const second = reload(first)
    expect(second.getConfig()).toEqual(config)
    expect(second.bias).toBe(-0)
    expect(second.decayed).toEqual(options.decayed)
    expect(second.groups.map((group) => group.match)).toEqual(options.groups!.map((group) => group.match))
    expect(warn).not.toHaveBeenCalled()
  })

  it('does not change the config that it is given', () => {
    const config = through(new Whole().getConfig())
    const before = structuredClone(config)
    Whole.fromConfig(Whole, config as tf.serialization.ConfigDict)
    expect(config).toEqual(before)
  })

  it.each([null, undefined, 'adam', [], 3])('is not %j', (config) => {
    const from = () => Whole.fromConfig(Whole, config as never)
    expect(from).toThrow(/^Whole\.fromConfig takes what getConfig gave, an object; not .+\.$/)
  })

  it('refuses what the constructor refuses', () => {
    expect(() => Whole.fromConfig(Whole, { rate: -1 })).toThrow('Whole: rate must be')
    expect(() => Whole.fromConfig(Whole, { rate: null })).toThrow('Whole: rate must be')
    expect(() => Whole.fromConfig(Whole, { momentum: 1 })).toThrow('Whole: there is no option "momentum"')
    expect(() => Whole.fromConfig(Whole, { groups: 3 })).toThrow('Whole: groups must be an array')
  })

  it('brings schedules back as they were', () => {
    const { optimizer } = { optimizer: new Whole({ rate: warmupPolynomial({ peak: 2, warmup: 4 }) }) }
    const second = reload(optimizer)
    expect(second.rate).toBe(0.5)
    expect(second.getConfig()).toEqual(optimizer.getConfig())
  })

  it('brings a schedule back when its file is imported before the first step; else the step says so', () => {
    const config = { rate: { name: 'lateSchedule', kind: 'schedule', args: [3] } }
    const optimizer = Whole.fromConfig(Whole, config)
    expect(() => optimizer.applyGradients({})).toThrow(
      'Whole: rate was the schedule "lateSchedule" when this optimizer was saved, and no imported file has it. ' +
        'Import that file, or set it before training: optimizer.rate = ….'
    )
    expect(optimizer.getConfig().rate).toEqual(config.rate)
    schedule('lateSchedule', { factor: 1 }, (t, { factor }) => t * factor)
    expect(optimizer.rate).toBe(3)
    schedule('lateSchedule', { factor: 1 }, (t, { factor }) => t * factor)
    expect(optimizer.rate).toBe(3)
    schedule('lateSchedule', { factor: 1 }, (t, { factor }) => t + factor)
    expect(() => optimizer.rate).toThrow('two imported files define different schedules of that name')
    schedule('wider', { factor: 1, other: 2 }, (t, { factor, other }) => t + factor + other)
    const changed = Whole.fromConfig(Whole, { rate: { name: 'wider', kind: 'schedule', args: [3] } })
    expect(() => changed.rate).toThrow(
      'rate was the schedule "wider" of 1 arguments when this optimizer was saved; now it takes 2 (factor, other).'
    )
  })

  it('can not save a function: warns once, and the first step after loading says which and what to do', async () => {
    const optimizer = new Whole({
      rate: (t) => 0.1 / t,
      decayed: () => true,
      groups: [{ match: ({ rank }) => rank > 1, rate: 0.3 }]
    })
    const model = compiled(optimizer)
    await train(model, 1)
    const saved = await save(model)
    await save(model)
    expect(warn.mock.calls).toEqual([
      [
        "Whole: functions can't be saved: rate, decayed, groups[0].match. A model saved with this optimizer will predict, " +
          'but to train it on they must be set again. (Schedules of .opt files, patterns and lists of names are saved.)'
      ]
    ])
    const again = await load(saved)
    const x = tf.ones([1, 3])
    expect(values(again.predict(x) as tf.Tensor)).toEqual(values(model.predict(x) as tf.Tensor))
    const before = weightsOf(again)
    const second = again.optimizer as Whole
    const state = await entries(second)
    await expect(train(again, 1)).rejects.toThrow(
      "Whole: rate was a plain function when this optimizer was saved, and functions can't be saved. Set it again before training: optimizer.rate = …."
    )
    expect(weightsOf(again)).toEqual(before)
    expect(await entries(second)).toEqual(state)
    expect(second.getConfig()).toEqual(optimizer.getConfig())
    second.rate = (t) => 0.1 / t
    await expect(train(again, 1)).rejects.toThrow('Whole: groups[0].match was a plain function')
    second.groups = optimizer.groups
    await expect(train(again, 1)).rejects.toThrow('Whole: decayed was a plain function')
    expect(weightsOf(again)).toEqual(before)
    second.decayed = true
    await train(again, 1)
    await train(model, 1)
    expect(weightsOf(again)).toEqual(weightsOf(model))
  })

  it('has a class name of its own', () => {
    expect(new LAMB().getClassName()).toBe('OptcLAMB')
  })
})

/** The tensorflow driver where random cases do not reach: layers of several blocks, training kernels, who holds what. */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { afterEach, expect, it } from 'vitest'
import { tables } from '../../src/reference/index.js'
import { SIZES } from '../../src/runtime/tensorflow-units.js'
import type { Case } from '../../src/testing/case.js'
import { compareCase } from '../../src/testing/compare.js'
import { type Compiled, type CompiledClass, runCase } from '../../src/testing/session.js'
import { subjectOf } from '../../src/testing/subject.js'
import { describeTensorFlow } from '../support/tensorflow.js'

interface Binding {
  getNumOfTensors(): number
  createTensor(shape: number[], dtype: number, values: Float32Array): number
  tensorDataSync(id: number): Float32Array
  executeOp(name: string, attributes: unknown, inputs: number[], outputs: number): unknown
}
const backend = (): { binding: Binding } => tf.backend() as unknown as { binding: Binding }

/** Runs `f` with some of the binding's functions replaced. */
async function withBinding(change: (plain: Binding) => object, f: () => unknown): Promise<void> {
  const plain = backend().binding
  backend().binding = Object.create(plain, Object.getOwnPropertyDescriptors(change(plain))) as Binding
  try {
    await f()
  } finally {
    backend().binding = plain
  }
}

const sourceOf = (name: string): string => readFileSync(`optimizers/${name}.opt`, 'utf8')
const subject = (name: string) => subjectOf(sourceOf(name), { targets: ['tensorflow'], path: `${name}.opt` })
const classOf = async (name: string): Promise<CompiledClass> => (await subject(name)).Optimizer

const wave = (n: number, f: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(f * (i + 1)))

/** One layer of two blocks and a tail, one that fills a block, small ones of several ranks and one size, more than a block holds. */
const SHAPES = [[3, 5], [3, 43], [17], [64], [], [2, 2, 2], [500], [3, 5], [3, 5], [3, 5], [3, 5], [2, 2, 2], [5, 3]]

function caseOf(hypers: Case['hypers'], shapes: readonly (readonly number[])[] = SHAPES): Case {
  const layers = shapes.map((shape, i) => {
    const n = tf.util.sizeFromShape([...shape])
    return {
      name: `layer${i}`,
      shape,
      weight: wave(n, i + 1),
      gradients: [wave(n, 3 + i), wave(n, 0.7 + i)],
      group: {}
    }
  })
  return { layers, hypers, falling: [], masks: {}, inPlace: true, steps: 2, reload: 0 }
}

/** The names of TensorFlow's operations that `f` runs. */
async function operationsOf(f: () => unknown): Promise<Set<string>> {
  const names = new Set<string>()
  const change = ({ executeOp }: Binding): object => ({
    executeOp(...args: Parameters<Binding['executeOp']>) {
      names.add(args[0])
      return executeOp(...args)
    }
  })
  await withBinding(change, f)
  return names
}

describeTensorFlow('the tensorflow driver', () => {
  SIZES.cpu = { small: 64, block: 64 }

  afterEach(() => tf.disposeVariables())

  it.each([
    ['sqrt', Math.sqrt, tf.sqrt, 0, 1e6],
    ['rsqrt', (x: number) => 1 / Math.sqrt(x), tf.rsqrt, 0, 1e6],
    ['exp', Math.exp, tf.exp, -80, 80],
    ['log', Math.log, tf.log, 0, 2],
    ['log', Math.log, tf.log, 0, 1e6],
    ['tanh', Math.tanh, tf.tanh, -10, 10],
    ['tanh', Math.tanh, tf.tanh, -0.1, 0.1]
  ] as const)('%s loses no more than the table of roundings says', (name, exact, op, low, high) => {
    const x = tf.randomUniform([100_000], low, high, 'float32', 1)
    const y = tf.tidy(() => op(x))
    const [xs, ys] = [x.dataSync(), y.dataSync()]
    tf.dispose([x, y])
    const loss = tables.eigen.device.functions[name]
    const over = [...xs].filter((at, i) => Math.abs(ys[i]! - exact(at)) > loss(at, exact(at)))
    expect(over).toEqual([])
  })

  it.each([
    ['sgd', { learningRate: 0.1 }, 'ResourceApplyGradientDescent'],
    ['momentum', { learningRate: 0.1, momentum: 0.9 }, 'ResourceApplyMomentum'],
    ['momentum', { learningRate: 0.1, momentum: 0.9, nesterov: true }, 'ResourceApplyMomentum'],
    ['adagrad', { learningRate: 0.1, epsilon: 0.01 }, 'ResourceApplyAdagradV2'],
    ['rmsprop-tf', { decay: 0.875, epsilon: 0.01 }, 'ResourceApplyRMSProp'],
    ['rmsprop', { decay: 0.9, epsilon: 0.01 }, 'ResourceApplyAdagradV2'],
    ['adam', { beta1: 0.875, beta2: 0.9375, epsilon: 0.01 }, 'ResourceApplyAdam'],
    ['adam', { beta1: 0.9, beta2: 0.999, epsilon: 0.01 }, 'ResourceApplyKerasMomentum'],
    // The weight begins as what decay leaves of it.
    ['adamw', { learningRate: 0.1, epsilon: 0.01, weightDecay: 0.5 }, 'ResourceApplyAdagradV2'],
    ['lamb', { learningRate: 0.1, epsilon: 0.01 }, 'ResourceApplyKerasMomentum'],
    ['lamb', { learningRate: 0.1, epsilon: 0.01 }, 'ResourceApplyGradientDescent'],
    // A mean of which TensorFlow has none, a norm of the model, and state of layers beside it.
    ['clipped-adamw', { learningRate: 0.1, epsilon: 0.01 }, 'SplitV'],
    ['prodigy', { epsilon: 0.01 }, 'ConcatV2'],
    // Rows and columns, and numbers by the keys of layers that lie in one vector.
    ['came', { learningRate: 0.1, epsilon1: 0.01, epsilon2: 0.01 }, 'Pack'],
    ['sgld', { learningRate: 0.1 }, 'Pack']
  ])('%s with %j, on layers of several blocks', async (name, hypers, operation) => {
    const { reference, Optimizer, signature } = await subject(name)
    const rest = signature.hypers.map((h) => [h.name, h.init] as const)
    const given = caseOf({ ...Object.fromEntries(rest), ...hypers })
    const before = backend().binding.getNumOfTensors()
    const operations = await operationsOf(async () => {
      const { records, leaked } = await runCase(Optimizer, reference, given)
      expect(records.map((r) => r.kernel)).toEqual(['tensorflow', 'tensorflow'])
      expect(leaked).toBe(0)
      const { differences, compared, undetermined } = compareCase(reference, given, records, tables.eigen)
      expect(differences.slice(0, 3)).toEqual([])
      expect(undetermined).toBeLessThan(compared / 100)
    })
    expect(operations).toContain(operation)
    expect(backend().binding.getNumOfTensors()).toBe(before)
  })

  it('takes vectors on a GPU, where training kernels are no quicker', async () => {
    const { reference, Optimizer, signature } = await subject('lamb')
    const given = caseOf({ ...Object.fromEntries(signature.hypers.map((h) => [h.name, h.init])), learningRate: 0.1 })
    const sizes = { ...SIZES.gpu }
    Object.assign(SIZES.gpu, SIZES.cpu)
    Object.assign(tf.backend(), { isUsingGpuDevice: true })
    try {
      const operations = await operationsOf(async () => {
        const { records } = await runCase(Optimizer, reference, given)
        expect(records.map((r) => r.kernel)).toEqual(['tensorflow', 'tensorflow'])
        expect(compareCase(reference, given, records, tables.eigen).differences).toEqual([])
      })
      expect([...operations].filter((name) => name.startsWith('ResourceApply'))).toEqual([])
    } finally {
      Object.assign(tf.backend(), { isUsingGpuDevice: false })
      Object.assign(SIZES.gpu, sizes)
    }
  })

  it('takes no more operations for many small layers of two shapes than for four', async () => {
    const LAMB = await classOf('lamb')
    const countOf = async (many: number): Promise<number> => {
      const optimizer = new LAMB({})
      const shapes = Array.from({ length: many }, (_, i) => (i % 2 ? [3] : [1, 2]))
      const variables = shapes.map((shape, i) => tf.tidy(() => tf.variable(tf.ones(shape), true, `w${i}`)))
      const gradients = Object.fromEntries(shapes.map((shape, i) => [`w${i}`, tf.ones(shape)]))
      optimizer.applyGradients(gradients)
      let count = 0
      const counting = ({ executeOp }: Binding): object => ({
        executeOp(...args: Parameters<Binding['executeOp']>) {
          count++
          return executeOp(...args)
        }
      })
      await withBinding(counting, () => optimizer.applyGradients(gradients))
      optimizer.dispose()
      tf.dispose([variables, gradients])
      return count
    }
    expect(await countOf(20)).toBe(await countOf(4))
  })

  it('ResourceApplyAdam is left alone where it forms 1 − β wrongly', async () => {
    const Adam = await classOf('adam')
    const run = (options: Record<string, unknown>) =>
      operationsOf(() => {
        const w = tf.variable(tf.zeros([4]), true, 'w')
        const optimizer = new Adam(options)
        tf.tidy(() => optimizer.applyGradients({ w: tf.ones([4]) }))
        optimizer.dispose()
        w.dispose()
      })
    for (const [beta1, beta2, matched] of [
      [0.875, 0.75, true],
      [0.5, 0.5, true],
      [0.9, 0.75, false],
      [0.875, 0.999, false],
      // 1 − β is exact, but the roundings of g − m are more than those of β·m.
      [0.25, 0.75, false]
    ] as const) {
      const operations = await run({ beta1, beta2 })
      expect([beta1, beta2, operations.has('ResourceApplyAdam')]).toEqual([beta1, beta2, matched])
    }
  })

  it('and would be out of the bound there', async () => {
    const { reference, Optimizer, signature } = await subject('adam')
    const hypers = { ...Object.fromEntries(signature.hypers.map((h) => [h.name, h.init])), epsilon: 0.01 }
    const given = caseOf(hypers, [[64]])
    // Means, as ResourceApplyAdam would form them.
    const change = ({ executeOp, createTensor, tensorDataSync }: Binding): object => ({
      executeOp(name: string, attributes: unknown, inputs: number[], outputs: number) {
        if (name !== 'ResourceApplyKerasMomentum') return executeOp(name, attributes, inputs, outputs)
        const [beta] = tensorDataSync(inputs[4]!)
        const rate = createTensor([], 1, new Float32Array([beta! - 1]))
        return executeOp(name, attributes, [...inputs.slice(0, 2), rate, ...inputs.slice(3)], outputs)
      }
    })
    await withBinding(change, async () => {
      const { records } = await runCase(Optimizer, reference, given)
      expect(compareCase(reference, given, records, tables.eigen).differences.length).toBeGreaterThan(0)
    })
  })

  it.each([[4], [300]])('changes no tensor that somebody else holds: %i weights', async (n) => {
    for (const name of ['adam', 'lamb', 'sgd']) {
      for (const inPlace of [true, false]) {
        const optimizer = new (await classOf(name))({ inPlace })
        const mine = new Float32Array(n).fill(1)
        const given = tf.tensor1d(mine)
        const w = tf.variable(given, true, 'w')
        const gradient = tf.ones([n])
        const kept: tf.Tensor[] = [given]
        for (let step = 0; step < 3; step++) {
          optimizer.applyGradients({ w: gradient })
          kept.push(w.clone(), tf.reshape(w, [2, n / 2]))
          for (const { tensor } of await optimizer.getWeights()) kept.push(tensor.clone())
        }
        const seen = kept.map((x) => x.dataSync()[n - 1]!)
        for (let step = 0; step < 2; step++) optimizer.applyGradients({ w: gradient })
        expect(kept.map((x) => x.dataSync()[n - 1]!)).toEqual(seen)
        expect(seen[1]).toBe(seen[2])
        expect([mine[0], mine[n - 1]]).toEqual([1, 1])
        expect([...gradient.dataSync()].every((x) => x === 1)).toBe(true)
        expect(w.dataSync()[0]).toBeLessThan(seen[1]!)
        optimizer.dispose()
        tf.dispose([w, gradient, ...kept])
      }
    }
  })

  it.each([
    ['one value that two slots take is kept for both', 'w := w - a - b; a := 2 * g; b := a'],
    ['and what a slot held, for another', 'w := w - a - b; b := a; a := g'],
    ['each layer observes its own', 'w := w - g - a - b; a := g; b := g; observe ‖w‖ as now; observe max(g) as most']
  ])('%s', async (_, body) => {
    const source = `optimizer Slots { state a = 0; state b = 0; step(w, g) { ${body} } }`
    const { reference, Optimizer } = await subjectOf(source, { targets: ['tensorflow'] })
    const given = caseOf({})
    const { records } = await runCase(Optimizer, reference, given)
    const { differences, undetermined } = compareCase(reference, given, records, tables.eigen)
    expect([differences, undetermined]).toEqual([[], 0])
  })

  it('an ε next to nothing is not less to a training kernel, which would divide 0 by 0', async () => {
    const optimizer = new (await classOf('adam'))({ epsilon: 1e-37 })
    const [w, g] = [tf.variable(tf.ones([4]), true, 'w'), tf.zeros([4])]
    optimizer.applyGradients({ w: g })
    expect([...w.dataSync()]).toEqual([1, 1, 1, 1])
    optimizer.dispose()
    tf.dispose([w, g])
  })

  it('cube roots of zeros, infinities and numbers', async () => {
    const source = 'optimizer Root { step(w, g) { w := cbrt(g) } }'
    const { Optimizer } = await subjectOf(source, { targets: ['tensorflow'] })
    const optimizer = new Optimizer({})
    const given = [0, -0, Infinity, -Infinity, 27, -8]
    const w = tf.variable(tf.ones([given.length]), true, 'w')
    const g = tf.tensor1d(given)
    optimizer.applyGradients({ w: g })
    const found = [...w.dataSync()]
    expect(found.slice(0, 4)).toEqual([0, -0, Infinity, -Infinity])
    expect(found[4]).toBeCloseTo(3, 5)
    expect(found[5]).toBeCloseTo(-2, 5)
    optimizer.dispose()
    tf.dispose([w, g])
  })

  it.each([
    [0, -0],
    [-0, 0]
  ])('a constant 0 has its sign: %d and %d', async (a, b) => {
    const source = `optimizer Zeros {
      hyper a = 1
      hyper b = 1
      state p = 0
      step(w, g) { w := if p < -1 then p else g * b; p := g * a }
    }`
    const { Optimizer } = await subjectOf(source, { targets: ['tensorflow'] })
    const optimizer = new Optimizer({ a, b })
    const [w, g] = [tf.variable(tf.ones([1]), true, 'w'), tf.ones([1])]
    optimizer.applyGradients({ w: g })
    const saved = await optimizer.getWeights()
    const p = saved.find(({ name }) => name === 'w/p')!.tensor
    expect([p.dataSync()[0], w.dataSync()[0]]).toEqual([a, b])
    optimizer.dispose()
    tf.dispose([w, g])
  })

  it('no sum of more than 32 numbers is made in float32', async () => {
    const shapes = new Map<number, { readonly shape: readonly number[]; readonly dtype: number }>()
    const lengths: number[] = []
    const watched = ({ executeOp, createTensor, tensorDataSync }: Binding): object => ({
      createTensor(...[shape, dtype, values]: Parameters<Binding['createTensor']>) {
        const id = createTensor(shape, dtype, values)
        shapes.set(id, { shape, dtype })
        return id
      },
      executeOp(...[name, attributes, inputs, outputs]: Parameters<Binding['executeOp']>) {
        const made = executeOp(name, attributes, inputs, outputs) as { id: number; shape: number[]; dtype: number }[]
        for (const { id, ...tensor } of made) shapes.set(id, tensor)
        const from = shapes.get(inputs[0]!)
        if (name === 'Sum' && from?.dtype === 1)
          lengths.push(...[...tensorDataSync(inputs[1]!)].map((i) => from.shape[i]!))
        return made
      }
    })
    // In lines along rows, along columns, and of whole layers.
    const source = 'optimizer Sums { step(w, g) { w := w + sum(g) + sum(g over rows) + sum(g over cols) } }'
    const { Optimizer } = await subjectOf(source, { targets: ['tensorflow'] })
    const optimizer = new Optimizer({})
    const w = tf.variable(tf.ones([96, 8]), true, 'w')
    const g = tf.ones([96, 8])
    await withBinding(watched, () => optimizer.applyGradients({ w: g }))
    expect(Math.max(...lengths)).toBe(32)
    expect([...w.dataSync()].every((x) => x === 1 + 768 + 8 + 96)).toBe(true)
    optimizer.dispose()
    tf.dispose([w, g])
  })

  it.each([true, false])('what training kernels write is handed over only in place: %s', async (inPlace) => {
    const optimizer = new (await classOf('sgd'))({ inPlace })
    const w = tf.tidy(() => tf.variable(tf.ones([4]), true, 'w'))
    const g = tf.ones([4])
    const { tensorMap } = tf.backend() as unknown as { tensorMap: { get(id: object): { id: number } } }
    const places = new Set<number>()
    let handedOver: boolean | null = null
    const watched = ({ executeOp }: Binding): object => ({
      executeOp(...args: Parameters<Binding['executeOp']>) {
        const made = executeOp(...args)
        if (args[0] === 'VarHandleOp') places.add((made as { id: number }[])[0]!.id)
        if (args[0] === 'ResourceApplyGradientDescent') handedOver = tensorMap.get(w.dataId).id < 0
        return made
      }
    })
    await withBinding(watched, () => optimizer.applyGradients({ w: g }))
    expect(handedOver).toBe(inPlace)
    // Between steps they hold nothing: the next would have to copy it.
    const { binding } = backend()
    const float = [{ name: 'dtype', type: (binding as unknown as { TF_ATTR_TYPE: number }).TF_ATTR_TYPE, value: 1 }]
    const held = [...places].map(
      (id) => (binding.executeOp('ReadVariableOp', float, [id], 1) as { shape: number[] }[])[0]!
    )
    expect(held.map((x) => x.shape)).toEqual([[]])
    optimizer.dispose()
    tf.dispose([w, g])
  })

  /** The most tensors that there are at once in a step, besides those from before, with layers that are by themselves. */
  async function mostOf(Optimizer: CompiledClass, layers: number): Promise<number> {
    const shape = [96]
    const names = Array.from({ length: layers }, (_, i) => `w${i}`)
    const variables = names.map((name) => tf.tidy(() => tf.variable(tf.ones(shape), true, name)))
    const gradients = Object.fromEntries(names.map((name) => [name, tf.ones(shape)]))
    const optimizer = new Optimizer({})
    optimizer.applyGradients(gradients)
    const before = backend().binding.getNumOfTensors()
    let most = 0
    const counting = ({ executeOp }: Binding): object => ({
      executeOp(...args: Parameters<Binding['executeOp']>) {
        most = Math.max(most, backend().binding.getNumOfTensors() - before)
        return executeOp(...args)
      }
    })
    await withBinding(counting, () => optimizer.applyGradients(gradients))
    optimizer.dispose()
    tf.dispose([variables, gradients])
    return most
  }

  it('what a large layer took on the way is free when the next begins', async () => {
    const LAMB = await classOf('lamb')
    // Of each layer that has been, the ratio that is observed.
    expect((await mostOf(LAMB, 12)) - (await mostOf(LAMB, 6))).toBe(6)
  })

  it('what an operation makes is free when the next has read it', async () => {
    const chain = async (length: number): Promise<CompiledClass> => {
      const body = `${'tanh('.repeat(length)}g${')'.repeat(length)}`
      const source = `optimizer Chain { step(w, g) { w := w - ${body} } }`
      return (await subjectOf(source, { targets: ['tensorflow'] })).Optimizer
    }
    expect(await mostOf(await chain(12), 1)).toBe(await mostOf(await chain(3), 1))
  })

  it('state that was loaded and is stored unread is what the step makes of it', async () => {
    const source = 'optimizer Last { state last = 0; step(w, g) { last := g; w := w - last } }'
    const { Optimizer } = await subjectOf(source, { targets: ['tensorflow'] })
    const optimizer = new Optimizer({})
    const [w, g] = [tf.variable(tf.zeros([3]), true, 'w'), tf.ones([3])]
    optimizer.applyGradients({ w: g })
    const saved = (await optimizer.getWeights()).map(({ name, tensor }) => ({
      name,
      tensor: name === 'w/last' ? tf.tensor1d([7, 7, 7]) : tensor
    }))
    await optimizer.setWeights(saved)
    optimizer.applyGradients({ w: g })
    const last = (await optimizer.getWeights()).find(({ name }) => name === 'w/last')!.tensor
    expect([...last.dataSync(), ...w.dataSync()]).toEqual([1, 1, 1, -2, -2, -2])
    optimizer.dispose()
    tf.dispose([w, g, ...saved.map((s) => s.tensor)])
  })

  it('a weight that was assigned from outside is what the next step begins with', async () => {
    const optimizer = new (await classOf('sgd'))({ learningRate: 1 })
    const w = tf.variable(tf.zeros([300]), true, 'w')
    const gradient = tf.ones([300])
    optimizer.applyGradients({ w: gradient })
    const fresh = tf.fill([300], 5)
    w.assign(fresh)
    optimizer.applyGradients({ w: gradient })
    expect([w.dataSync()[299], fresh.dataSync()[299]]).toEqual([4, 5])
    optimizer.dispose()
    tf.dispose([w, gradient, fresh])
  })

  it('holds on to nothing, in hundreds of steps', async () => {
    const start = backend().binding.getNumOfTensors()
    const optimizer = new (await classOf('lamb'))({})
    const [w, b] = tf.tidy(() => [tf.variable(tf.ones([3, 4]), true, 'w'), tf.variable(tf.ones([4]), true, 'b')])
    const gradients = { w: tf.ones([3, 4]), b: tf.ones([4]) }
    const held: (readonly number[])[] = []
    for (let step = 1; step <= 300; step++) {
      optimizer.applyGradients(gradients)
      if (step % 150 === 0) held.push([backend().binding.getNumOfTensors(), tf.memory().numTensors])
    }
    expect(held[1]).toEqual(held[0])
    optimizer.dispose()
    tf.dispose([w, b, gradients])
    expect(backend().binding.getNumOfTensors()).toBe(start)
  })

  it('says what it lacks, and ops run', async () => {
    const { Optimizer } = await subjectOf(sourceOf('sgd'), { targets: ['tensorflow', 'ops'] })
    const optimizer = new Optimizer({}) as Compiled & { readonly plan: { readonly reason: string | null } }
    const w = tf.variable(tf.scalar(1), true, 'w')
    await withBinding(
      () => ({ tensorDataSync: undefined }),
      () => optimizer.applyGradients({ w: tf.scalar(1) })
    )
    expect(optimizer.kernel).toBe('ops')
    expect(optimizer.plan.reason).toBe('This TensorFlow.js tensorflow backend has no binding.tensorDataSync().')
    expect(w.dataSync()[0]).toBeCloseTo(0.99, 6)
    optimizer.dispose()
  })
})

import '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { LAMB, warmupPolynomial } from './support/lamb.js'
import { Whole, wholeProgram } from './support/whole.js'

/** Options as somebody without types might write them. */
const lamb = (options: unknown) => () => new LAMB(options as object)
const whole = (options: unknown) => () => new Whole(options as object)

describe('options', () => {
  it('takes the defaults', () => {
    const optimizer = new LAMB()
    expect([optimizer.learningRate, optimizer.beta1, optimizer.weightDecay]).toEqual([0.001, 0.9, 0.01])
    expect([optimizer.inPlace, optimizer.groups, optimizer.layers, optimizer.iterations]).toEqual([true, [], [], 0])
    expect(optimizer.kernel).toBe(null)
    expect(optimizer.plan).toEqual({
      bytesPerWeight: 40,
      bytesCompulsory: 28,
      provedLeast: true,
      passes: 2,
      reason: null
    })
    expect(new LAMB({ learningRate: undefined } as object).learningRate).toBe(0.001)
  })

  it('names an unknown option, the one that was probably meant, and those there are', () => {
    expect(lamb({ learningrate: 1 })).toThrow(
      'LAMB: there is no option "learningrate"; did you mean "learningRate"? The options are learningRate, beta1, beta2, ' +
        'epsilon, weightDecay, adapt, groups, inPlace.'
    )
    expect(lamb({ momentum: 1 })).toThrow('LAMB: there is no option "momentum". The options are')
    expect(lamb({ constructor: 1 })).toThrow('there is no option "constructor"')
    expect(lamb(JSON.parse('{"__proto__": 1}'))).toThrow('there is no option "__proto__"')
  })

  it('takes nothing but an object', () => {
    expect(lamb(0.001)).toThrow('LAMB: options must be an object, { learningRate: … }; got 0.001.')
    expect(lamb(null)).toThrow('got null')
    expect(lamb([])).toThrow('got an array')
  })

  it.each([
    [-1, '-1'],
    [0, '0'],
    [Infinity, 'Infinity'],
    [Number.NaN, 'NaN'],
    ['0.1', '"0.1"'],
    [true, 'true'],
    [null, 'null'],
    [{}, 'an object']
  ])('says range and value of a wrong number: %s', (value, shown) => {
    const text = `LAMB: learningRate must be a number in (0, inf), or a function (t, base: number) => number; got ${shown}.`
    expect(lamb({ learningRate: value })).toThrow(text)
    const optimizer = new LAMB()
    expect(() => {
      optimizer.learningRate = value as number
    }).toThrow(text)
    expect(optimizer.learningRate).toBe(0.001)
  })

  it('knows closed and open ends, sets, free numbers and bools', () => {
    expect(lamb({ beta1: 0 })).not.toThrow()
    expect(lamb({ beta1: 1 })).toThrow('beta1 must be a number in [0, 1)')
    expect(whole({ rate: Infinity })).not.toThrow()
    expect(whole({ rate: 0 })).toThrow('rate must be a number in (0, inf]')
    expect(whole({ mode: 4 })).not.toThrow()
    expect(whole({ mode: 3 })).toThrow('Whole: mode must be one of 1, 2, 4, or a function')
    expect(whole({ bias: -7 })).not.toThrow()
    expect(whole({ bias: -Infinity })).toThrow('bias must be a finite number')
    expect(whole({ nesterov: true })).not.toThrow()
    expect(whole({ nesterov: 1 })).toThrow(
      'nesterov must be true or false, or a function (t, base: boolean) => boolean; got 1.'
    )
    expect(whole({ inPlace: 0 })).toThrow('Whole: inPlace must be true or false; got 0.')
  })

  it('takes masks as booleans, patterns, lists of names and functions', () => {
    for (const adapt of [true, /kernel/, ['a', 'b'], [], () => true]) expect(lamb({ adapt })).not.toThrow()
    for (const adapt of ['kernel', 1, [1], null, {}]) {
      expect(lamb({ adapt })).toThrow(
        'LAMB: adapt must be true, false, a RegExp, an array of layer names or a function'
      )
    }
    const optimizer = new LAMB({ adapt: false })
    optimizer.adapt = /kernel/
    expect(optimizer.adapt).toEqual(/kernel/)
    expect(() => {
      optimizer.adapt = 'kernel' as never
    }).toThrow('adapt must be')
    expect(optimizer.adapt).toEqual(/kernel/)
  })

  it('checks groups as options are checked, and says where', () => {
    expect(whole({ groups: {} })).toThrow('Whole: groups must be an array of { match, … }; got an object.')
    expect(whole({ groups: [1] })).toThrow('groups[0] must be an object { match, … }; got 1.')
    expect(whole({ groups: [{ rate: 1 }] })).toThrow('groups[0] needs match')
    expect(whole({ groups: [{ match: 'x' }] })).toThrow('groups[0].match must be true, false, a RegExp')
    expect(whole({ groups: [{ match: true }, { match: /x/, rate: -1 }] })).toThrow(
      'groups[1].rate must be a number in (0, inf], or a function (t, base: number) => number; got -1.'
    )
    expect(whole({ groups: [{ match: true, decayed: 3 }] })).toThrow('groups[0].decayed must be true, false')
    expect(whole({ groups: [{ match: true, nesterof: true }] })).toThrow(
      'groups[0] has an unknown option "nesterof"; did you mean "nesterov"? A group takes match, rate, mode, bias, nesterov, decayed.'
    )
    expect(whole({ groups: [{ match: true, cap: 2 }] })).toThrow(
      "groups[0].cap can't be set in a group: it takes part in a value of the whole model."
    )
  })

  it('gives groups back as they were set, and no way to change them but to assign', () => {
    const optimizer = new Whole({ groups: [{ match: /a/g, rate: 0.2, decayed: ['b'] }] })
    expect(optimizer.groups).toEqual([{ match: /a/, rate: 0.2, decayed: ['b'] }])
    expect(() => {
      optimizer.groups[0]!.rate = -1
    }).toThrow(TypeError)
    expect(() => {
      optimizer.groups = [{ match: true, rate: -1 }]
    }).toThrow('groups[0].rate')
    expect(optimizer.groups).toHaveLength(1)
    optimizer.groups = []
    expect(optimizer.groups).toEqual([])
  })

  it('reads a hyperparameter at the next step', () => {
    const optimizer = new LAMB({ learningRate: (t, base) => t * base, beta1: (_, base) => base / 2 })
    expect([optimizer.learningRate, optimizer.beta1]).toEqual([0.001, 0.45])
    optimizer.applyGradients({})
    expect(optimizer.learningRate).toBe(0.002)
    optimizer.learningRate *= 0.5
    optimizer.applyGradients({})
    expect(optimizer.learningRate).toBe(0.001)
    optimizer.learningRate = () => -1
    expect(() => optimizer.learningRate).toThrow(
      'LAMB: learningRate must be a number in (0, inf); at step 3 its function gave -1.'
    )
  })

  it('refuses a file of another format', () => {
    class Old extends Whole {}
    expect(() => new Old()).not.toThrow()
    const format = { ...wholeProgram, format: 0 }
    expect(() => Reflect.construct(Object.getPrototypeOf(Whole), [format, [], {}], Whole)).toThrow(
      'Whole was compiled for format 0 of the runtime, and this is 1. Compile it again'
    )
  })
})

describe('schedules', () => {
  it('are made with named arguments, checked', () => {
    expect(warmupPolynomial({ peak: 1, warmup: 10 })(5, 0)).toBe(0.5)
    expect(warmupPolynomial()(1000, 0)).toBe(0.001)
    expect(() => warmupPolynomial({ warmpu: 1 } as object)).toThrow(
      'warmupPolynomial has no argument "warmpu"; did you mean "warmup"? It takes peak, warmup, total, power.'
    )
    expect(() => warmupPolynomial({ peak: '1' } as object)).toThrow('warmupPolynomial: peak must be a number; got "1".')
    expect(() => warmupPolynomial({ peak: Number.NaN })).toThrow('got NaN')
  })
})

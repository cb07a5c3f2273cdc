import { describe, expect, test } from 'vitest'
import type { Program } from '../../../src/compiler/check/program.js'
import { checked, errors, programIn, shipped } from './support.js'

const slots = (p: Program): string[] => p.slots.map((s) => `${s.name}: ${s.over} on the ${s.place}`)
const levels = (p: Program): string[] => p.names.map(({ name, node }) => `${name}: ${node.level} on the ${node.place}`)
const fixedForAll = (p: Program): string[] => p.hypers.filter((h) => !h.groupable).map((h) => h.name)

describe('the shipped optimizers', () => {
  test('Adam: bias corrections are the host’s, once a step', () => {
    const adam = programIn(shipped('adam'))
    expect(slots(adam)).toEqual(['m: element on the device', 'v: element on the device'])
    expect(levels(adam)).toEqual(['m', 'v', 'm̂', 'v̂', 'w'].map((n) => `${n}: element on the device`))
    expect(adam.hypers.map((h) => [h.name, h.symbol, h.init, h.groupable])).toEqual([
      ['learningRate', 'lr', 0.001, true],
      ['beta1', 'β1', 0.9, true],
      ['beta2', 'β2', 0.999, true],
      ['epsilon', 'ε', 1e-7, true]
    ])
    expect(adam.hypers[1]!.range).toEqual({ kind: 'interval', low: 0, lowOpen: false, high: 1, highOpen: true })
    expect(adam.symbols).toEqual({ weight: 'w', gradient: 'g', step: 't' })
    const correction = adam.names.find((n) => n.name === 'm̂')!.node.args[1]!
    expect([correction.op, correction.level, correction.place]).toEqual(['sub', 'step', 'host'])
  })

  test('LAMB: one ratio a layer, made on the device and observed', () => {
    const lamb = programIn(shipped('lamb'))
    expect(slots(lamb)).toEqual(['m: element on the device', 'v: element on the device'])
    expect(levels(lamb)).toContain('ratio: layer on the device')
    expect(lamb.masks.map((m) => [m.name, m.predicate.level, m.predicate.place])).toEqual([['adapt', 'layer', 'host']])
    expect(lamb.masks[0]!.doc).toContain('trust ratio')
    expect(lamb.observations.map((o) => [o.name, o.value.level])).toEqual([['trustRatio', 'layer']])
    expect(lamb.doc).toContain('arXiv:1904.00962')
    expect(fixedForAll(lamb)).toEqual([])
  })

  test('LARS: what to decay is known on the host, the rate is not', () => {
    const lars = programIn(shipped('lars'))
    expect(levels(lars)).toEqual([
      'decay: layer on the host',
      'scaled: layer on the device',
      'rate: layer on the device',
      'v: element on the device',
      'w: element on the device'
    ])
  })

  test('Momentum: a flag is a hyperparameter of true or false', () => {
    const momentum = programIn(shipped('momentum'))
    expect(momentum.hypers[2]).toMatchObject({ name: 'nesterov', kind: 'bool', init: false, range: null })
  })

  test('ClippedAdamW: the bound of the global norm can’t be set in a group', () => {
    const clipped = programIn(shipped('clipped-adamw'))
    expect(fixedForAll(clipped)).toEqual(['maxNorm'])
    expect(slots(clipped)).toEqual(['m: element on the device', 'v: element on the device'])
    const { schedules } = checked(shipped('clipped-adamw')).checked
    expect(schedules.map((s) => [s.name, s.params])).toEqual([
      [
        'warmupPolynomial',
        [
          { name: 'peak', init: 0.001 },
          { name: 'warmup', init: 1000 },
          { name: 'total', init: 10000 },
          { name: 'power', init: 1 }
        ]
      ]
    ])
    expect(schedules[0]!.body).toMatchObject({ level: 'step', place: 'host' })
  })

  test('AdaGrad: the accumulator starts at a hyperparameter', () => {
    const adagrad = programIn(shipped('adagrad'))
    expect(slots(adagrad)).toEqual(['s: element on the device'])
    expect(adagrad.slots[0]!.init).toMatchObject({ op: 'hyper', name: 'initialAccumulator' })
  })

  test.each(['sgd', 'momentum', 'adam', 'adagrad', 'lars', 'lamb', 'clipped-adamw', 'std'])(
    '%s has no errors',
    (name) => {
      expect(errors(shipped(name))).toBe('')
    }
  )
})

import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { expect, test } from 'vitest'
import { describeVerdict, drawCase, judge, judgeCase, NotCompiled, subjectOf } from '../../src/testing/index.js'

const of = (step: string): ReturnType<typeof subjectOf> =>
  subjectOf(`optimizer O { hyper learningRate as lr = 0.1 in (0, inf) step(w, g) { ${step} } }`, { targets: ['ops'] })

test('a program of which nothing can be determined is no pass', async () => {
  // Which side of 0 the rounding errors fall on.
  expect(await judge(await of('w := if (0.1 + g) - g > 0.1 then w else w - lr'), 1)).toBe(null)
})

test('a case in which no layer takes part tells nothing', async () => {
  const subject = await of('w := w - lr * g')
  const drawn = Array.from({ length: 200 }, (_, seed) => seed).find((seed) =>
    drawCase(seed, subject.signature).layers.every((l) => l.weight.length === 0)
  )!
  const verdict = await judgeCase(subject, drawn)
  expect(verdict.comparison.compared).toBe(0)
  expect((await judge(subject, drawn))!.seed).not.toBe(drawn)
})

test('state of the device starts rounded, also where no layer ever takes part', async () => {
  const source = `optimizer O {
    state s over model = 0.1
    step(w, g) { s := s + ‖g over model‖  w := w - s * g }
  }`
  const subject = await subjectOf(source, { targets: ['ops'] })
  const idle = Array.from({ length: 200 }, (_, seed) => seed).find((seed) =>
    drawCase(seed, subject.signature).layers.every((l) => l.weight.length === 0)
  )!
  const { comparison, kernel } = await judgeCase(subject, idle)
  expect(kernel).toBe('none')
  expect(comparison).toMatchObject({ differences: [] })
  expect(comparison.compared).toBeGreaterThan(0)
})

test('hyperparameters are drawn from their ranges', () => {
  const range = { kind: 'interval', low: 1, lowOpen: true, high: Infinity, highOpen: true } as const
  const grow = { name: 'grow', init: 1.2, range, groupable: true }
  for (let seed = 0; seed < 100; seed++) {
    const { hypers, falling } = drawCase(seed, { hypers: [grow], masks: [], constants: [] })
    expect(hypers.grow).toBeGreaterThan(1)
    expect(falling).toEqual([])
  }
})

test('one that leaks is told', async () => {
  const subject = await of('w := w - lr * g')
  class Leaking extends subject.Optimizer {
    override applyGradients(gradients: Parameters<tf.Optimizer['applyGradients']>[0]): void {
      super.applyGradients(gradients)
      tf.scalar(1)
    }
  }
  const verdict = (await judge({ ...subject, Optimizer: Leaking }, 3))!
  expect(verdict.leaked).toBe(verdict.case.steps)
  expect(describeVerdict(verdict)).toContain(`leaked ${verdict.leaked} tensors`)
})

test('a difference says where, by how much, and what was computed on the way', async () => {
  const right = await of('u = lr * g  w := w - u')
  const wrong = await of('u = lr * g  w := w - 1.001 * u')
  const verdict = (await judge({ ...wrong, reference: right.reference }, 6))!
  expect(describeVerdict(verdict)).toMatch(/step 1, .*weight.*: .*, expected .* ± .*\n {4}u = /)
  expect(await judge({ ...wrong, reference: right.reference }, 6)).toEqual(verdict)
})

test('what the compiler says of a program that is wrong', async () => {
  await expect(of('w := w - lr * h')).rejects.toThrow(NotCompiled)
})

/** Whether an optimizer optimizes: two functions that are easy and hard, from its own defaults. */
import * as tf from '@tensorflow/tfjs-core'
import type { Subject } from './harness.js'

interface Task {
  readonly name: string
  readonly start: readonly number[]
  /** Value, and gradient. */
  readonly at: (x: readonly number[]) => readonly [value: number, gradient: number[]]
  /** Solved below this share of the value at the start. */
  readonly solved: number
}

const TASKS: readonly Task[] = [
  {
    name: 'a quadratic',
    start: [1, -2, 1.5, -0.5],
    at: (x) => {
      const curvatures = [1, 0.3, 3, 10]
      const minimum = [0.5, -1, 2, 0.25]
      const away = x.map((v, i) => v - minimum[i]!)
      return [away.reduce((sum, d, i) => sum + (curvatures[i]! * d * d) / 2, 0), away.map((d, i) => curvatures[i]! * d)]
    },
    solved: 0.01
  },
  {
    name: "Rosenbrock's valley",
    start: [-1.2, 1],
    at: ([x = 0, y = 0]) => [
      (1 - x) ** 2 + 100 * (y - x * x) ** 2,
      [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    ],
    solved: 0.01
  }
]

/** The default rate is meant for large models; so others of its kind are tried after it. */
const FACTORS = [1, 10, 100, 0.1, 0.01]
const STEPS = 3000

export interface Usability {
  readonly task: string
  /** Steps to the solution; null where none of the rates led there. */
  readonly steps: number | null
  /** The rate that led there, or came nearest; null where there is none to set. */
  readonly learningRate: number | null
  /** What is left of the value at the start. */
  readonly left: number
}

/** Tries the default hyperparameters, then other rates. On the current backend; cpu is the quickest for so little. */
export async function usable(subject: Subject): Promise<readonly Usability[]> {
  const rate = subject.signature.hypers.find((h) => h.name === 'learningRate' && typeof h.init === 'number')
  const inRange = (x: number): boolean =>
    rate?.range?.kind !== 'interval' || (x > rate.range.low && x <= rate.range.high)
  const rates = rate ? FACTORS.map((factor) => factor * Number(rate.init)).filter(inRange) : [null]
  const found: Usability[] = []
  for (const task of TASKS) {
    let best: Usability | null = null
    for (const learningRate of rates) {
      const tried = await descend(subject, task, learningRate)
      if (!best || tried.left < best.left) best = tried
      if (tried.steps !== null) break
    }
    found.push(best!)
  }
  return found
}

async function descend({ Optimizer }: Subject, task: Task, learningRate: number | null): Promise<Usability> {
  const optimizer = new Optimizer(learningRate === null ? {} : { learningRate })
  const x = tf.variable(tf.tensor1d([...task.start]))
  const [whole] = task.at(task.start)
  let left = 1
  let steps: number | null = null
  let [, gradient] = task.at(task.start)
  for (let step = 1; step <= STEPS; step++) {
    tf.tidy(() => optimizer.applyGradients({ [x.name]: tf.tensor1d(gradient) }))
    // Not dataSync: in Node, WebGPU has none.
    const reached = task.at([...(await x.data())])
    left = reached[0] / whole
    gradient = reached[1]
    if (left <= task.solved) {
      steps = step
      break
    }
    if (!Number.isFinite(left)) {
      left = Infinity
      break
    }
  }
  optimizer.dispose()
  x.dispose()
  return { task: task.name, steps, learningRate, left }
}

/** In words. */
export function describeUsability({ task, steps, learningRate, left }: Usability): string {
  const rate = learningRate === null ? '' : ` with learningRate ${Number(learningRate.toPrecision(3))}`
  if (steps !== null) return `solves ${task} in ${steps} steps${rate}`
  const most = left === Infinity ? 'it goes to infinity' : `${Number((100 * left).toPrecision(2))}% is left`
  return `does not solve ${task} in ${STEPS} steps: ${most}${rate}, the best of the rates tried`
}

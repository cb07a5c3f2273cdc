// `npm run check:tensorflow [-- gpu]`: steps of compiled optimizers on TensorFlow, each held to the reference at the derived
// bound, and the device that took them. With `gpu`, TensorFlow on the CPU is a failure. Exits with 1 when anything fails.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { root } from './build.mjs'
import { openTensorFlow } from './tensorflow.mjs'

const FILES = 'sgd momentum adam lars lamb adagrad rmsprop adafactor adamp came sm3'.split(' ')
const CASES = 12
/** Beside the random cases, whose layers are small: one that fills a kernel's grid, and odd ones. */
const LARGE = [[257, 511], [7, 5, 3], [1001]]

/** "TensorFlow 2.21.0 on NVIDIA H100 80GB HBM3, driver 580.159.04" */
export function deviceOf({ binding, isUsingGpuDevice }) {
  const query = ['--query-gpu=name,driver_version', '--format=csv,noheader']
  const gpu = () => spawnSync('nvidia-smi', query, { encoding: 'utf8' }).stdout?.trim().split('\n')[0]
  const where = isUsingGpuDevice ? gpu()?.replace(', ', ', driver ') || 'a GPU' : 'the CPU'
  return `TensorFlow ${binding.TF_Version} on ${where}`
}

async function main() {
  const missing = await openTensorFlow()
  if (missing !== null) throw new Error(missing)
  const device = deviceOf(tf.backend())
  if (process.argv[2] === 'gpu' && !tf.backend().isUsingGpuDevice) throw new Error(`${device}, not on a GPU`)
  console.log(device)
  const { compareCase, judgeCase, runCase, subjectOf, tables } = await import('../dist/testing/index.js')
  // The layers of a random case are then of several blocks, or share one.
  const { SIZES } = await import('../dist/runtime/tensorflow-units.js')
  const sizes = { ...SIZES }
  const few = { small: 64, block: 64 }

  async function check(file) {
    const source = readFileSync(join(root, 'optimizers', `${file}.opt`), 'utf8')
    const subject = await subjectOf(source, { targets: ['tensorflow'], path: `${file}.opt` })
    const verdicts = []
    Object.assign(SIZES, { cpu: few, gpu: few })
    for (let seed = 1; seed <= CASES; seed++) verdicts.push(await judgeCase(subject, seed))
    Object.assign(SIZES, sizes)
    const { records, leaked } = await runCase(subject.Optimizer, subject.reference, largeCase(subject.signature))
    const comparison = compareCase(subject.reference, largeCase(subject.signature), records, tables.eigen)
    verdicts.push({ kernel: records[0].kernel, leaked, comparison })
    return summary(file, verdicts)
  }

  const results = []
  for (const file of FILES) results.push(await check(file))
  if (results.includes(false)) process.exitCode = 1
}

function largeCase({ hypers }) {
  const wave = (n, f) => Float32Array.from({ length: n }, (_, i) => Math.sin(f * (i + 1)))
  const layers = LARGE.map((shape, i) => {
    const n = tf.util.sizeFromShape(shape)
    return {
      name: `layer${i}`,
      shape,
      weight: wave(n, 1 + i),
      gradients: [wave(n, 3 + i), wave(n, 0.7 + i)],
      group: {}
    }
  })
  const values = Object.fromEntries(hypers.map((h) => [h.name, h.init]))
  return { layers, hypers: values, falling: [], masks: {}, inPlace: true, steps: 2, reload: 0 }
}

/** Prints a line; whether all is well. */
function summary(file, verdicts) {
  const sum = (of) => verdicts.reduce((n, { comparison }) => n + of(comparison), 0)
  const wrong = verdicts.flatMap(({ comparison }) => comparison.differences)
  const kernels = [...new Set(verdicts.map(({ kernel }) => kernel))].filter((kernel) => kernel !== 'none')
  const leaked = verdicts.reduce((n, v) => n + v.leaked, 0)
  const well = wrong.length === 0 && leaked === 0 && kernels.join() === 'tensorflow'
  console.log(
    `${well ? '✓' : '✗'} ${file.padEnd(9)} ${sum((c) => c.compared)} numbers of ${verdicts.length} cases, ` +
      `${sum((c) => c.undetermined)} undetermined, ${wrong.length} out of the bound; kernel ${kernels.join()}` +
      (leaked === 0 ? '' : `; ${leaked} tensors left behind`)
  )
  for (const d of wrong.slice(0, 3)) console.log(`    ${d.where}: ${d.actual}, expected ${d.expected} ± ${d.bound}`)
  return well
}

try {
  await main()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

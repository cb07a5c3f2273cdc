// The webgpu backend, on the system's GPU or on SwiftShader: compiled optimizers beside TensorFlow.js's own, and LAMB beside
// the same formula in plain operations. A step is timed until the device has done it.
import * as tf from '@tensorflow/tfjs'
import { closeWebGpu, openWebGpu } from '../scripts/webgpu.mjs'
import { compiled } from './compiled.mjs'
import { lambInOperations } from './lamb-in-operations.mjs'
import { interleaved, ROUNDS } from './measure.mjs'
import { shapes as resnet50 } from './resnet50.mjs'

const MODELS = {
  '1 tensor of 4M weights': [[2000, 2000]],
  "ResNet-50's 161 tensors, 25.6M weights": resnet50
}
const CASES = {
  Adam: { file: 'adam', stock: () => tf.train.adam(0.001, 0.9, 0.999, 1e-7), beside: 'tf.train.adam' },
  Momentum: { file: 'momentum', stock: () => tf.train.momentum(0.01, 0.9), beside: 'tf.train.momentum' },
  LAMB: { file: 'lamb', stock: lambInOperations, beside: 'tf ops' }
}

/** STORAGE, COPY_SRC and COPY_DST. */
const COPIED = 128 | 4 | 8

export async function bench() {
  const missing = await openWebGpu()
  if (missing !== null) return console.log(`\nwebgpu backend: skipped, ${missing}`)
  const { device, adapterInfo } = tf.backend()
  const name = device.adapterInfo?.description || device.adapterInfo?.vendor || adapterInfo?.vendor || 'unnamed device'
  console.log(`\nwebgpu backend (${name}), a step: medians of ${ROUNDS} interleaved runs`)
  for (const [label, shapes] of Object.entries(MODELS)) {
    console.log(`\n  ${label}`)
    const gradients = shapes.map((shape, i) => tf.randomUniform(shape, -1, 1, 'float32', i))
    for (const [name, how] of Object.entries(CASES)) await compare(name, how, shapes, gradients)
    tf.dispose(gradients)
  }
  closeWebGpu()
}

async function compare(name, { file, stock, beside }, shapes, gradients) {
  const { Optimizer, plan } = await compiled(file, 'webgpu')
  const theirs = contender(stock(), shapes, gradients)
  const ours = contender(new Optimizer(), shapes, gradients)
  const copies = copiesOf(shapes)
  const times = await interleaved({
    theirs: theirs.step,
    ours: ours.step,
    kernel: copies.byKernel,
    plain: copies.plain
  })
  if (ours.optimizer.kernel !== 'webgpu') throw new Error(`the kernel that ran is ${ours.optimizer.kernel}`)
  const bytes = shapes.reduce((sum, shape) => {
    const variant = plan.variants[plan.conditions.length > 0 && shape.length > 1 ? plan.variants.length - 1 : 0]
    return sum + variant.bytesPerWeight * tf.util.sizeFromShape(shape)
  }, 0)
  const share = (copy) => `${((100 * copy * bytes) / copies.bytes / times.ours).toFixed(0)}%`.padStart(4)
  console.log(
    `    ${name.padEnd(9)} ${beside.padEnd(18)} ${times.theirs.toFixed(0).padStart(6)} ms · ` +
      `WGSL ${times.ours.toFixed(1).padStart(7)} ms ${`${(times.theirs / times.ours).toFixed(1)}x`.padStart(7)}, ` +
      `${share(times.kernel)} of a copy by a kernel, ${share(times.plain)} of the device's own copy`
  )
  for (const one of [theirs, ours, copies]) one.dispose()
}

function contender(optimizer, shapes, gradients) {
  const variables = shapes.map((shape, i) => tf.tidy(() => tf.variable(tf.randomUniform(shape, -1, 1, 'float32', i))))
  const named = Object.fromEntries(variables.map((v, i) => [v.name, gradients[i]]))
  return {
    optimizer,
    step: async () => {
      tf.tidy(() => optimizer.applyGradients(named))
      await done()
    },
    dispose: () => {
      optimizer.dispose()
      tf.dispose(variables)
    }
  }
}

/** Copies arrays of the shapes' sizes: by the least kernel that there is, and by the command that the device has for it. */
function copiesOf(shapes) {
  const { device } = tf.backend()
  const code = `
    @group(0) @binding(0) var<storage, read> from_: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> to_: array<vec4f>;
    @compute @workgroup_size(64)
    fn copy(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
      let end = min(arrayLength(&from_), (group.x + 1u) * 1024u);
      for (var i = group.x * 1024u + id; i < end; i += 64u) { to_[i] = from_[i]; }
    }`
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'copy' }
  })
  const pairs = shapes.map((shape) => {
    const size = 4 * tf.util.sizeFromShape(shape)
    const [from, to] = [0, 1].map(() => device.createBuffer({ size, usage: COPIED }))
    const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }))
    return { size, from, to, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) }
  })
  const submit = async (encode) => {
    const encoder = device.createCommandEncoder()
    encode(encoder)
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
  }
  return {
    bytes: pairs.reduce((sum, { size }) => sum + 2 * size, 0),
    plain: () =>
      submit((encoder) => {
        for (const { size, from, to } of pairs) encoder.copyBufferToBuffer(from, 0, to, 0, size)
      }),
    byKernel: () =>
      submit((encoder) => {
        const pass = encoder.beginComputePass()
        pass.setPipeline(pipeline)
        for (const { size, group } of pairs) {
          pass.setBindGroup(0, group)
          pass.dispatchWorkgroups(Math.ceil(size / 16 / 1024))
        }
        pass.end()
      }),
    dispose() {
      for (const buffer of pairs.flatMap(({ from, to }) => [from, to])) buffer.destroy()
    }
  }
}

/** Submits what tfjs holds back, and waits for all of it. */
async function done() {
  const backend = tf.backend()
  backend.endComputePassEncoder()
  if (backend.commandEncoder) backend.submitQueue()
  await backend.queue.onSubmittedWorkDone()
}

// The webgpu backend, on the system's GPU or on SwiftShader. A step is timed until the device has done it.
import * as tf from '@tensorflow/tfjs'
import { closeWebGpu, openWebGpu } from '../scripts/webgpu.mjs'
import { compiled } from './compiled.mjs'
import { modelsOf, report } from './report.mjs'
import { sideBySide } from './side-by-side.mjs'

/** STORAGE, COPY_SRC and COPY_DST. */
const COPIED = 128 | 4 | 8

export async function bench(options) {
  const missing = await openWebGpu()
  if (missing !== null) return console.log(`\nwebgpu backend: skipped, ${missing}`)
  const { device, adapterInfo } = tf.backend()
  const name = device.adapterInfo?.description || device.adapterInfo?.vendor || adapterInfo?.vendor || 'unnamed device'
  const most = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  const setup = {
    ways: { WGSL: { classes: await compiled('webgpu'), kernel: 'webgpu' } },
    copiesOf,
    done,
    refuse: (weights) => (4 * weights > most ? { all: `this device binds ${most / 2 ** 20} MiB at most` } : {})
  }
  await report({ backend: 'webgpu', device: name }, options, (tell) => sideBySide(setup, modelsOf(options), tell))
  closeWebGpu()
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
    ways: {
      'a copy by a kernel': () =>
        submit((encoder) => {
          const pass = encoder.beginComputePass()
          pass.setPipeline(pipeline)
          for (const { size, group } of pairs) {
            pass.setBindGroup(0, group)
            pass.dispatchWorkgroups(Math.ceil(size / 16 / 1024))
          }
          pass.end()
        }),
      "the device's own copy": () =>
        submit((encoder) => {
          for (const { size, from, to } of pairs) encoder.copyBufferToBuffer(from, 0, to, 0, size)
        })
    },
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

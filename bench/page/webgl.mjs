// What runs in the browser for the bench of the webgl backend. A step is timed until the GPU has done it: a number that is
// read behind it says so.
import * as tf from '@tensorflow/tfjs'
import { Adam } from '../../node_modules/.cache/optc/bench/adam-webgl.mjs'
import { LAMB } from '../../node_modules/.cache/optc/bench/lamb-webgl.mjs'
import { Momentum } from '../../node_modules/.cache/optc/bench/momentum-webgl.mjs'
import { sizeOf } from '../cases.mjs'
import { sideBySide } from '../side-by-side.mjs'

const COPY = `#version 300 es
precision highp float;
precision highp sampler2D;
uniform sampler2D from;
out vec4 to;
void main() { to = texelFetch(from, ivec2(gl_FragCoord.xy), 0); }`

globalThis.bench = {
  /** Says what renders. */
  async open() {
    await tf.setBackend('webgl')
    const { gl } = tf.backend().gpgpu
    return gl.getParameter(gl.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER)
  },
  async run(bytes, models) {
    const classes = {
      adam: { Optimizer: Adam, bytes: bytes.adam },
      momentum: { Optimizer: Momentum, bytes: bytes.momentum },
      lamb: { Optimizer: LAMB, bytes: bytes.lamb }
    }
    const { gl } = tf.backend().gpgpu
    const most = gl.getParameter(gl.MAX_TEXTURE_SIZE)
    // TensorFlow.js makes tensors with one number a texel, though it packs them later.
    const refuse = (weights) =>
      weights > most ** 2
        ? { all: `textures have ${most} x ${most} texels at most here, ${Math.floor(most ** 2 / 1e6)}M numbers` }
        : {}
    const setup = { ways: { GLSL: { classes, kernel: 'webgl' } }, copiesOf, done, place, refuse }
    await sideBySide(setup, models, globalThis.tell)
  }
}

/** Backward passes leave gradients of matrices packed, those of convolutions' kernels and of biases one number a texel. */
function place(gradient) {
  const backend = tf.backend()
  backend.texData.get(gradient.dataId).isPacked = gradient.rank === 2
  backend.uploadToGPU(gradient.dataId)
}

/** Reads a number of a tensor, once the call that asks has been timed. */
async function done(tensor) {
  const { gl } = tf.backend().gpgpu
  gl.flush()
  await null
  readFrom(gl, tf.backend().texData.get(tensor.dataId).texture.texture)
}

function readFrom(gl, texture) {
  const framebuffer = gl.createFramebuffer()
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.FLOAT, new Float32Array(4))
  gl.deleteFramebuffer(framebuffer)
}

/** Copies textures of four numbers a texel, of the shapes' sizes, by the least draw that there is. */
function copiesOf(shapes) {
  const { gpgpu } = tf.backend()
  const { gl } = gpgpu
  const fragment = gl.createShader(gl.FRAGMENT_SHADER)
  gl.shaderSource(fragment, COPY)
  gl.compileShader(fragment)
  const program = gpgpu.createProgram(fragment)
  gpgpu.buildVao(program)
  const most = gl.getParameter(gl.MAX_TEXTURE_SIZE)
  const textureOf = (width, height) => {
    const texture = gl.createTexture()
    gl.bindTexture(gl.TEXTURE_2D, texture)
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST)
    }
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height)
    return texture
  }
  const pairs = shapes.map((shape) => {
    const texels = Math.ceil(sizeOf([shape]) / 4)
    const width = Math.min(most, Math.ceil(Math.sqrt(texels)))
    const height = Math.ceil(texels / width)
    return { width, height, from: textureOf(width, height), to: textureOf(width, height) }
  })
  const framebuffer = gl.createFramebuffer()
  return {
    bytes: pairs.reduce((sum, { width, height }) => sum + 2 * 16 * width * height, 0),
    ways: {
      async 'a copy by a draw'() {
        gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
        gpgpu.setProgram(program)
        gpgpu.bindVertexArray(program.vao)
        gl.activeTexture(gl.TEXTURE0)
        for (const { width, height, from, to } of pairs) {
          gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, to, 0)
          gl.viewport(0, 0, width, height)
          gl.scissor(0, 0, width, height)
          gl.bindTexture(gl.TEXTURE_2D, from)
          gl.drawElements(gl.TRIANGLES, 6, gl.UNSIGNED_SHORT, 0)
        }
        gl.flush()
        await null
        readFrom(gl, pairs.at(-1).to)
        gl.bindFramebuffer(gl.FRAMEBUFFER, gpgpu.framebuffer)
      }
    },
    dispose() {
      gl.deleteFramebuffer(framebuffer)
      gpgpu.deleteProgram(program)
      for (const texture of pairs.flatMap(({ from, to }) => [from, to])) gl.deleteTexture(texture)
    }
  }
}

/** Numbers that go into records and come out of them on webgl: state of layers and of the model, and what is observed. */
import type * as tf from '@tensorflow/tfjs-core'
import { replaceState } from './tensors.js'
import type { MoveCells } from './webgl.js'
import { type Backend, layoutOf, makeInfo, tensorOf } from './webgl-backend.js'
import { type Device, numbersOf } from './webgl-draw.js'
import { elementOf, inputOf, outputs, shader } from './webgl-glsl.js'

export const webglCells: MoveCells = {
  enter(backend, device, { text, rows }, texture) {
    const { at, state } = text
    if (state.length === 0) return
    for (const [row, { holder }] of rows.entries()) {
      const layout = layoutOf(backend, holder.cells!)
      const fetch = layout.packed ? 'P' : 'U'
      device.draw({
        program: device.program(text, fetch, () => enterShader(at, state.length, fetch)),
        to: [texture],
        area: [at, row, Math.ceil(state.length / 4), 1],
        inputs: {},
        layouts: [layout]
      })
    }
  },
  leave(backend, device, { text, rows }, texture) {
    const { state } = text
    if (state.length === 0) return
    for (const [row, { holder }] of rows.entries()) {
      replaceState(holder, take(backend, device, texture, state, holder.cells!.shape, row))
    }
  },
  observed: (backend, device, { text, rows }, texture) =>
    take(backend, device, texture, text.observed, [rows.length, text.observed.length], 0)
}

/** Numbers at these places, of each row of a record from one on, as a tensor. */
function take(
  backend: Backend,
  device: Device,
  cells: WebGLTexture,
  places: readonly number[],
  shape: readonly number[],
  row: number
): tf.Tensor {
  const fresh = tensorOf(makeInfo(backend, shape))
  const layout = layoutOf(backend, fresh)
  device.draw({
    program: device.program(places, '', () => leaveShader(places)),
    to: [layout.texture],
    area: [0, 0, layout.width, layout.height],
    inputs: { cells, l: numbersOf(layout), where: [row, 0, 0, 0] }
  })
  return fresh
}

/** Puts `count` numbers of state into a record, from texel `at` on. */
function enterShader(at: number, count: number, fetch: 'P' | 'U'): string {
  return shader(
    false,
    [
      inputOf(0) + elementOf(0, fetch),
      `float get(int i) { return i < ${count} ? at0(i) : 0.0; }`,
      ...outputs(1, 'vec4')
    ],
    [`int i = 4 * (Zq.x - ${at});`, 'o0 = vec4(get(i), get(i + 1), get(i + 2), get(i + 3));']
  )
}

/** Takes some numbers out of each row of a record, from row `where.x` on, into an unpacked texture. */
function leaveShader(places: readonly number[]): string {
  const count = places.length
  return shader(
    false,
    ['uniform ivec4 l;', `const int places[${count}] = int[${count}](${places.join(', ')});`, ...outputs(1, 'float')],
    [
      'int i = Zq.y * l.z + Zq.x;',
      `row = where.x + i / ${count};`,
      `int at = places[i % ${count}];`,
      'o0 = cell(at >> 2)[at & 3];'
    ]
  )
}

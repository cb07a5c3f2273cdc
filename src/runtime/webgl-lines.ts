/**
 * Rows, columns and channels on webgl. What has one value of each is a tensor of its own, unpacked; programs read it by the
 * index of an element, and passes over them are passes over such tensors.
 *
 * A sum along an axis is the work of a fragment for each row, column or channel, which takes its elements as rows of a block;
 * of a long one, of a fragment for each block of some 16 by 16, and a second draw brings blocks together, as a block again.
 * In each, runs of 8 are added along its rows, then these, then rows likewise, so that no sum is a long chain.
 */
import * as tf from '@tensorflow/tfjs-core'
import { matricesOf, viewOf } from './matrices.js'
import { slotShape } from './state.js'
import type { Run, RunLines, WebGlPass } from './webgl.js'
import { type Backend, type Layout, layoutOf } from './webgl-backend.js'
import { ATLAS, type Draw, type Input } from './webgl-draw.js'
import { loops, type PassText, type Reduce, STARTS } from './webgl-glsl.js'

/** The least side of a block. */
const SIDE = 16

export const webglLines: RunLines = (pass, one, device, run) => {
  const { layer, gradient } = one.step
  const { shape } = layer.info
  const { over, of, into } = pass.lines!
  // It goes to the GPU as passes over elements read it best.
  layoutOf(tf.backend() as unknown as Backend, gradient, one.at.packed)
  const [batch, colSize, rowSize] = viewOf(matricesOf(shape), over ?? 'element')
  const [, down, across] = matricesOf(shape)
  const inputs: Draw['inputs'] = { axes: [down, across, 0, 0] }
  const runInto = (text: WebGlPass, level: typeof of, more: Run['inputs']): void =>
    run(text, { ...one, shape: slotShape(shape, level!), packedAs: undefined, inputs: { ...inputs, ...more } })
  if (!of) {
    if (pass.stores.length === 0)
      run(pass, { ...one, ...(over && spread(batch * colSize * rowSize, one.tile)), inputs })
    else if (over) runInto(pass, over, {})
    else run(pass, { ...one, inputs })
    return
  }
  const line = {
    row: [1, rowSize, rowSize, 1],
    col: [rowSize, colSize * rowSize, colSize, rowSize],
    channel: [rowSize, 0, batch * colSize, rowSize]
  }[of]
  const length = line[2]!
  const lines = (batch * colSize * rowSize) / length
  // What is summed may be the same for several.
  const alike = slotShape(shape, of)[0]! / lines
  const side = Math.min(length, Math.max(SIDE, Math.ceil(Math.sqrt(Math.sqrt(length)))))
  const blocks = Math.ceil(length / side ** 2)
  const rows = Math.ceil(Math.ceil(length / side) / blocks)
  const texts = textsOf(pass, into!)
  if (blocks * alike === 1) return runInto(texts.whole, of, { Zl: line, Zp: [side, rows, 1, 0] })
  const all = lines * blocks
  const height = Math.ceil(all / ATLAS)
  const width = Math.ceil(all / height)
  const table = (): WebGLTexture => device.texture('part0', ATLAS, height)
  table()
  run(texts.blocks, {
    ...one,
    at: { ...one.at, packed: false, size: 0, width: width * side, height: height * rows },
    block: [side, rows],
    tile: [0, 0, width, height],
    inputs: { ...inputs, Zl: line, Zp: [side, rows, blocks, width] }
  })
  const wide = Math.ceil(Math.sqrt(blocks))
  const meeting: Input = [wide, Math.ceil(blocks / wide), blocks, alike]
  runInto(texts.meet, of, { part0: table(), Zp: meeting, Zw: [width, 0, 0, 0] })
}

/** Numbers of rows, columns or channels, so that each partial sum of the layer's tile is of as many. */
function spread(size: number, [, , across, down]: Run['tile']): Pick<Run, 'at' | 'block'> {
  const each = Math.ceil(size / (across * down))
  const columns = Math.ceil(Math.sqrt(each))
  const width = across * columns
  const height = Math.ceil(size / width)
  const at = { packed: false, shape: [size], size, width, height, rows: height, cols: size, offset: 0 }
  // There is no such texture: what is read is found by index.
  return { at: at as unknown as Layout, block: [columns, Math.ceil(each / columns)] }
}

/** How a pass that reduces to lines is drawn. */
interface Texts {
  /** To a number of each line. */
  readonly whole: WebGlPass
  /** To a number of each block, and these to a number of each line. */
  readonly blocks: WebGlPass
  readonly meet: WebGlPass
}

const known = new WeakMap<WebGlPass, Texts>()

function textsOf(pass: WebGlPass, into: readonly number[]): Texts {
  const texts = known.get(pass) ?? makeTexts(pass, into)
  known.set(pass, texts)
  return texts
}

/**
 * Where a fragment goes along a line. `Zl`: line i begins at element i / x * y + i % x, has z elements, each w behind the one
 * before. `Zp`: the sides of a block, how many blocks a line is, and how many texels with blocks stand side by side.
 */
const WALK = `uniform ivec4 Zl, Zp;
int Zf, Zn;
ivec2 Zo;
void Zbegin(int line, int block, ivec2 origin) {
  Zf = line / Zl.x * Zl.y + line % Zl.x; Zn = block * Zp.x * Zp.y; Zo = origin;
}
void Zwalk(ivec2 p) {
  int e = Zn + (p.y - Zo.y) * Zp.x + p.x - Zo.x;
  V = e < Zl.z; F = Zf + min(e, Zl.z - 1) * Zl.w;
}
`

function makeTexts(pass: WebGlPass, into: readonly number[]): Texts {
  const { reduces, functions = '', head = '', body } = pass
  // All is read by index; that of an element itself is the same.
  const places = { ...Object.fromEntries(pass.loads.map((buffer) => [buffer, 'int'])), ...pass.places }
  const walking = { ...pass, places, functions: WALK + functions }
  const ending = [...reduces.map((_, i) => `to${i} = Z0_${i};`), 'locate(p);']
  const summed = (
    from: string,
    each: readonly string[],
    values: (op: Reduce, i: number) => string
  ): Omit<PassText, 'loads'> => ({
    stores: into,
    reduces: [],
    body: [
      from,
      ...loops(reduces, 'float', 'ivec2(0)', 'V ? Zp.xy : ivec2(0)', each, reduces.map(values)),
      ...ending
    ].join('\n')
  })
  const start = (op: Reduce): string => STARTS[op]
  return {
    whole: {
      ...walking,
      ...summed('Zbegin(F, 0, ivec2(0));', ['Zwalk(p);', body], (op, i) => `pick(V, to${i}, ${start(op)})`)
    },
    blocks: {
      ...walking,
      head: `int Zk = Zq.y * Zp.w + Zq.x;\nZbegin(Zk / Zp.z, Zk % Zp.z, Zq * Zp.xy);\n${head}`,
      body: `Zwalk(p);\n${body}`
    },
    meet: {
      segment: pass.segment,
      loads: [],
      functions: 'uniform sampler2D part0;\nuniform ivec4 Zp, Zw;',
      ...summed(
        'int Zf = F / Zp.w * Zp.z;',
        [
          'int Zn = p.y * Zp.x + p.x, Ze = Zf + min(Zn, Zp.z - 1);',
          'vec4 Zv = texelFetch(part0, ivec2(Ze % Zw.x, Ze / Zw.x), 0);'
        ],
        (op, i) => `pick(Zn < Zp.z, Zv.${'xyzw'[i]}, ${start(op)})`
      )
    }
  }
}

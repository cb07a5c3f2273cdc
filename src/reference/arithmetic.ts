/**
 * What each machine's arithmetic may lose, as data: the tables behind every error bound (docs/numerics.md).
 * An arithmetic describes one place; a table pairs the host with the device of one target.
 */

/** The absolute error of `y = f(x)`. */
export type Loss = (x: number, y: number) => number

export type InexactFunction = 'sqrt' | 'rsqrt' | 'cbrt' | 'exp' | 'log' | 'tanh'

export interface Arithmetic {
  /** Relative error of one rounding: of `+`, `-`, `*`. */
  readonly unit: number
  /** Absolute error of an underflow. */
  readonly tiny: number
  /** What lies beyond is infinite. */
  readonly largest: number
  /** How many roundings a division counts for. */
  readonly division: number
  /** The magnitudes for which a division keeps that promise. */
  readonly divisor: { readonly low: number; readonly high: number }
  /** Subnormal numbers may read as 0, and infinities as anything. */
  readonly loose: boolean
  /** Relative and absolute error of reading a host value. Hosts round to nearest, whatever the device does. */
  readonly read: { readonly unit: number; readonly tiny: number }
  readonly functions: Readonly<Record<InexactFunction, Loss>>
}

/** What is summed of a layer, as matrices: its elements, or what it has one of a row, a column or a channel. */
interface Grid {
  readonly matrices: number
  readonly rows: number
  readonly cols: number
}

/** How many roundings deep a sum may be: of all that a layer has, or all layers; or for each row, column or channel of a layer. */
export interface Depth {
  readonly whole: (layers: readonly Grid[]) => number
  readonly line: (layer: Grid, over: 'rows' | 'cols' | 'channels') => number
}

export interface Table {
  readonly name: string
  readonly host: Arithmetic
  readonly device: Arithmetic
  readonly depth: Depth
}

const FLOAT32 = { largest: 3.4028234663852886e38, unit: 2 ** -24, tiny: 2 ** -149, normal: 2 ** -126 }

/** Relative to the result; a result of 0 is exact. */
const relative =
  (error: number): Loss =>
  (_, y) =>
    error * Math.abs(y)

const everyFunction = (loss: Loss): Record<InexactFunction, Loss> => ({
  sqrt: loss,
  rsqrt: loss,
  cbrt: loss,
  exp: loss,
  log: loss,
  tanh: loss
})

/**
 * Float64 on both sides: the kernel's host code rounds and so does the reference, each within 2⁻⁵³; the rest is room for
 * turning (x, error) into a range. Functions of `Math` are taken to be good to 2 units in the last place.
 */
const host: Arithmetic = {
  unit: 2 ** -51,
  tiny: 2 ** -1074,
  largest: Number.MAX_VALUE,
  division: 1,
  divisor: { low: 0, high: Infinity },
  loose: false,
  read: { unit: 0, tiny: 0 },
  functions: everyFunction(relative(2 ** -50))
}

/**
 * Float32, rounded to nearest, subnormals kept; float64 in between, which JavaScript does, only loses less.
 * A function beyond `sqrt` may be off by one unit in the last place; a reciprocal root is a root and a division.
 */
const nearest: Arithmetic = {
  unit: FLOAT32.unit,
  tiny: FLOAT32.tiny,
  largest: FLOAT32.largest,
  division: 1,
  divisor: { low: 0, high: Infinity },
  loose: false,
  read: { unit: FLOAT32.unit, tiny: FLOAT32.tiny },
  functions: {
    ...everyFunction(relative(2 * FLOAT32.unit)),
    sqrt: relative(FLOAT32.unit)
  }
}

const ULP = 2 ** -23

/**
 * TensorFlow: float32, rounded to nearest, but its threads flush subnormals. Of the other functions nobody promises anything:
 * these are what CUDA documents, or what Eigen was found to lose, and test/runtime/tensorflow.test.ts holds Eigen to them.
 */
const eigen: Arithmetic = {
  ...nearest,
  tiny: FLOAT32.normal,
  loose: true,
  functions: {
    sqrt: relative(FLOAT32.unit),
    rsqrt: relative(2 * ULP),
    cbrt: relative(3 * ULP),
    exp: relative(2 * ULP),
    log: relative(3 * ULP),
    tanh: relative(4 * ULP)
  }
}

/**
 * What WGSL 15.7.4 and GLSL ES 3.20 4.7.1 ("Range and Precision") promise alike: `+ - *` may round either way, subnormals may be
 * flushed, NaN need not be made; `/` 2.5 ULP for |b| in [2^-126, 2^126], `exp` (3 + 2|x|) ULP, `log` 3 ULP or 2^-21 near 1,
 * `inverseSqrt` 2 ULP and `sqrt` 1.0 / that. Neither has a cube root, and of `tanh` GLSL promises nothing and WGSL little:
 * these are functions that the compiler prints (src/compiler/emit/wgsl.ts, glsl.ts), at their worst on such a machine
 * (test/compiler/emit/shader-functions.test.ts). Theirs of `tanh` is a polynomial up to 1/4; a range that begins below 0.24
 * and ends above 1/4 is wider than anything that is lost there.
 */
const shader: Arithmetic = {
  unit: ULP,
  tiny: FLOAT32.normal,
  largest: FLOAT32.largest,
  division: 2.5,
  divisor: { low: 2 ** -126, high: 2 ** 126 },
  loose: true,
  read: { unit: FLOAT32.unit, tiny: FLOAT32.tiny },
  functions: {
    sqrt: relative(4.5 * ULP),
    rsqrt: relative(2 * ULP),
    cbrt: relative(2.5 * ULP),
    exp: (x, y) => (3 + 2 * Math.abs(x)) * ULP * Math.abs(y),
    // An absolute error near 1, where the result crosses 0.
    log: (x, y) => (x >= 0.5 && x <= 2 ? 2 ** -21 : 3 * ULP * Math.abs(y)),
    tanh: (x, y) => (Math.abs(x) < 0.24 ? 1.5 : 22) * ULP * Math.abs(y)
  }
}

const lossless = (a: Arithmetic): Arithmetic => ({
  ...a,
  unit: 0,
  tiny: 0,
  largest: Number.MAX_VALUE,
  read: { unit: 0, tiny: 0 },
  functions: everyFunction(() => 0)
})

const sizeOf = ({ matrices, rows, cols }: Grid): number => matrices * rows * cols
const sizeOfAll = (layers: readonly Grid[]): number => layers.reduce((sum, layer) => sum + sizeOf(layer), 0)

/** Each in its order, or in any. */
const alike = (depth: (n: number) => number): Depth => ({
  whole: (layers) => depth(sizeOfAll(layers)),
  line({ matrices, rows, cols }, over) {
    return depth({ rows: cols, cols: rows, channels: matrices * rows }[over])
  }
})

/** What any target promises: a tree, or what loses no more. */
const inATree = (n: number): number => 32 + 2 * Math.ceil(Math.log2(Math.max(1, n)))

/** The cpu target adds in float64, in any order, and rounds the sum once: n of 2⁻⁵² is n · 2⁻²⁸ of float32's unit. */
const inFloat64 = (n: number): number => 1 + n * 2 ** -28

/** One after the other in blocks, then the blocks: a chain that starts from 0, to which the first is added without loss. */
const inBlocks = (n: number, block: number): number => {
  const blocks = Math.ceil(n / block)
  return n < 1 ? 0 : Math.min(n, block) - 1 + blocks - 1
}

/**
 * What the shader targets promise, which is their kernels' order: each layer's sum, then the layers', which are sums of one.
 * Where that is deeper than a tree (many elements), a tree's depth is promised as well.
 */
const inOrder = (
  layer: (grid: Grid) => number,
  layers: (n: number) => number,
  line: Depth['line'] = alike(inATree).line
): Depth => ({
  whole(grids) {
    const ordered = Math.max(0, ...grids.map(layer)) + (grids.length > 1 ? layers(grids.length) : 0)
    return Math.min(ordered, inATree(sizeOfAll(grids)))
  },
  line
})

const remembered = (depth: (n: number) => number): ((n: number) => number) => {
  const known = new Map<number, number>()
  return (n) => {
    const of = known.get(n) ?? depth(n)
    known.set(n, of)
    return of
  }
}

const INVOCATIONS = 64
const log2 = (n: number): number => Math.ceil(Math.log2(Math.max(1, n)))
const meeting = (n: number): number => log2(Math.min(INVOCATIONS, n))

/** WGSL: partial results in blocks of 16, and these in a tree. */
const joined = (n: number): number => (n < 1 ? 0 : Math.min(n, 16) - 1 + log2(Math.ceil(n / 16)))

/** WGSL: 64 invocations take every 64th, then meet in a tree. */
const collected = (n: number): number => joined(Math.ceil(n / INVOCATIONS)) + meeting(n)

/** WGSL: an invocation adds its elements (at most 16, unless there are millions) in blocks of 16, then four lanes; workgroups likewise. */
const inWorkgroups = (grid: Grid): number => {
  const n = sizeOf(grid)
  const each = Math.max(16, Math.min(256, Math.ceil(n / (INVOCATIONS * 512))), Math.ceil(n / (INVOCATIONS * 65535)))
  const lanes = n < 4 ? 0 : 2
  const parts = Math.ceil(n / (INVOCATIONS * each))
  return inBlocks(Math.min(each, Math.ceil(n / INVOCATIONS)), 16) + lanes + meeting(n) + collected(parts)
}

/**
 * WGSL, where kernels know of rows, columns or channels: a workgroup takes a tile, so wide that it has a row or 64 of its
 * values; each invocation goes down a column in blocks of 16 (16 times, unless there are millions of values), and those of a
 * column meet in a tree. A row's values in a tile are added in blocks of 8.
 */
const inTiles = (grid: Grid) => {
  const { matrices, rows, cols } = grid
  const wide = 2 ** meeting(cols)
  const abreast = INVOCATIONS / wide
  const down = 16 * Math.min(16, Math.max(1, Math.ceil(sizeOf(grid) / (INVOCATIONS * 16 * 512))))
  const blocks = Math.ceil(rows / (down * abreast))
  const stripes = Math.ceil(cols / wide)
  const column = inBlocks(Math.min(down, Math.ceil(rows / abreast)), 16) + log2(Math.min(abreast, rows))
  return {
    whole: column + log2(wide) + collected(matrices * blocks * stripes),
    rows: inBlocks(wide, 8) + joined(stripes),
    cols: column + joined(blocks),
    channels: column + joined(matrices * blocks)
  }
}

/**
 * GLSL: a fragment adds a block of texels, 16 by 16 or a 64th of the texture's side, in runs of 8, and the four lanes of a
 * texel; the blocks' sums are added in runs of 8. How wide a texture is, is TensorFlow.js's matter: the deepest of all widths.
 */
const inFragments = (n: number): number => {
  if (n > 4096) return Infinity
  const side = (texels: number): number => {
    const block = Math.max(16, Math.ceil(texels / 64))
    return inBlocks(Math.min(texels, block), 8) + inBlocks(Math.ceil(texels / block), 8)
  }
  const widths = Array.from({ length: n }, (_, i) => i + 1)
  return Math.max(0, ...widths.map((width) => side(width) + side(Math.ceil(n / width)))) + (n < 2 ? 0 : 2)
}

/**
 * GLSL, of what a layer has one a row, a column or a channel: the partial sums of the layer's own texture, at most 64 by 64 of
 * at most 1024 numbers each, are of as many of these each. The deepest of all such.
 */
const spread = (n: number): number => {
  if (n > 4096) return Infinity
  const sides = Array.from({ length: 64 }, (_, i) => i + 1)
  const depth = (across: number, down: number): number => {
    const each = Math.ceil(n / (across * down))
    const columns = Math.ceil(Math.sqrt(each))
    const width = Math.min(n, across * columns)
    const rows = Math.ceil(n / (across * columns))
    const block = Math.ceil(each / columns)
    const lengths = [Math.min(n, columns), Math.min(rows, block), Math.ceil(width / columns), Math.ceil(rows / block)]
    return each > 1024 ? 0 : lengths.reduce((sum, length) => sum + inBlocks(length, 8), 0)
  }
  return Math.max(...sides.map((across) => Math.max(...sides.map((down) => depth(across, down)))))
}

const fragments = remembered((n) => Math.max(inFragments(n), spread(n)))

/**
 * GLSL, along a row, a column or a channel: blocks as wide as 16 or the fourth root of what there is to add, and no taller, in
 * runs of 8 along their rows, and rows likewise; and the blocks' sums as a block again.
 */
const inLines = (n: number): number => {
  if (n < 1) return 0
  const side = Math.min(n, Math.max(16, Math.ceil(Math.sqrt(Math.sqrt(n)))))
  const blocks = Math.ceil(n / side ** 2)
  const across = Math.ceil(Math.sqrt(blocks))
  const lengths = [side, Math.ceil(Math.ceil(n / side) / blocks), across, Math.ceil(blocks / across)]
  return lengths.reduce((sum, length) => sum + inBlocks(length, 8), 0)
}

const table = (name: string, device: Arithmetic, depth = alike(inATree)): Table => ({ name, host, device, depth })

/**
 * The roundings that each target is allowed. `exact` is plain float64: every bound is 0. `float64` knows that it rounds too, so
 * that two ways to the same number can be told from two numbers; sums are compensated, so the last rounding is all there is.
 */
export const tables = {
  javascript: table('javascript', nearest, alike(inFloat64)),
  wasm: table('wasm', nearest, alike(inFloat64)),
  ops: table('ops', nearest),
  eigen: table('eigen', eigen),
  wgsl: table(
    'wgsl',
    shader,
    inOrder(
      (grid) => Math.max(inWorkgroups(grid), inTiles(grid).whole),
      collected,
      (grid, over) => inTiles(grid)[over]
    )
  ),
  glsl: table(
    'glsl',
    shader,
    inOrder(
      (grid) => fragments(sizeOf(grid)),
      (n) => inBlocks(n, 8),
      alike(inLines).line
    )
  ),
  float64: { name: 'float64', host, device: host, depth: alike(() => 2) },
  exact: { name: 'exact', host: lossless(host), device: lossless(nearest), depth: alike(() => 0) }
} as const satisfies Record<string, Table>

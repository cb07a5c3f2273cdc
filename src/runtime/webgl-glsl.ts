/** The GLSL around what the compiler prints: how textures are read, sums are made, and results are left. */
import type { Fetch } from './webgl-backend.js'

export type Reduce = 'sum' | 'max' | 'min'

/** The largest float32. */
export const LARGEST = '3.4028234663852886e38'
export const STARTS: Readonly<Record<Reduce, string>> = { sum: '0.0', max: `-${LARGEST}`, min: LARGEST }

function join(op: Reduce, a: string, b: string): string {
  return op === 'sum' ? `(${a} + ${b})` : `${op}(${a}, ${b})`
}

/** `where`: a row of a record, or a row to begin at; the number of elements; the size of a texture. */
const PRELUDE = `precision highp float;
precision highp int;
precision highp sampler2D;
float pick(bool c, float a, float b) { return c ? a : b; }
vec4 pick(bvec4 c, vec4 a, vec4 b) { return mix(b, a, c); }
uniform sampler2D cells, cellsOf;
uniform ivec4 where;
int row;
vec4 cell(int at) { return texelFetch(cells, ivec2(at, row), 0); }
vec4 model(int at) { return texelFetch(cellsOf, ivec2(at, 0), 0); }
`

/** `Zq` is the texel that is drawn. */
export function shader(packed: boolean, declarations: readonly string[], main: readonly string[]): string {
  const head = packed ? '#define T vec4\n#define B bvec4\n' : '#define T float\n#define B bool\n'
  const text = [...declarations, 'void main() {', 'ivec2 Zq = ivec2(gl_FragCoord.xy);', ...main, '}'].join('\n')
  // Comments hold the author's text, whose characters a shader may not take.
  return `#version 300 es\n${head}${PRELUDE}${text.replace(/\/\/.*/g, '')}`
}

/** Values of buffer `i`, by element: `l` is rows, columns, the texture's width, and what stands before the first. */
export function elementOf(i: number, fetch: 'P' | 'U'): string {
  if (fetch === 'U') {
    return `float at${i}(int f) { f += l${i}.w; int y = f / l${i}.z; return texelFetch(x${i}, ivec2(f - y * l${i}.z, y), 0).r; }`
  }
  return `float at${i}(int f) {
ivec4 l = l${i};
int n = l.x * l.y, b = f / n, e = f - b * n, r = e / l.y, c = e - r * l.y, w = (l.y + 1) / 2;
int t = b * w * ((l.x + 1) / 2) + r / 2 * w + c / 2, y = t / l.z;
return texelFetch(x${i}, ivec2(t - y * l.z, y), 0)[(r & 1) * 2 + (c & 1)];
}`
}

export function inputOf(i: number): string {
  return `uniform sampler2D x${i};\nuniform ivec4 l${i};\n`
}

/** `in0(p)` … */
function reader(i: number, fetch: Fetch, packed: boolean, place = ''): string {
  const read = (place: string): string => `texelFetch(x${i}, ${place}, 0)`
  const value = (text: string): string => `T in${i}(ivec2 p) { ${text}; }`
  if (fetch === 'D') return value(`return ${read('p')}${packed ? '' : '.r'}`)
  if (fetch === 'A') {
    const places = ['p', 'ivec2(q.x, p.y)', 'ivec2(p.x, q.y)', 'q'].map((place) => `${read(place)}.r`)
    return value(`p *= 2; ivec2 q = min(p + 1, l${i}.zx - 1); return vec4(${places.join(', ')})`)
  }
  const all = packed ? ['x', 'y', 'z', 'w'].map((lane) => `at${i}(${place}(F.${lane}))`) : [`at${i}(${place}(F))`]
  return `${elementOf(i, fetch)}\n${value(`return T(${all.join(', ')})`)}`
}

/**
 * Which elements a texel holds (`F`), and whether there are such (`V`): to the right (`x`), below (`y`). WebGL lets nobody read outside of a
 * texture.
 */
function locator(packed: boolean): string {
  if (!packed) return `int F; B V; void locate(ivec2 p) { F = p.y * l.z + p.x; V = F < where.y; }`
  return `ivec4 F; B V; void locate(ivec2 p) {
int w = (l.y + 1) / 2, n = w * ((l.x + 1) / 2), t = p.y * l.z + p.x, b = t / n, e = t - b * n;
int r = e / w * 2, c = (e - e / w * w) * 2, f = (b * l.x + r) * l.y + c;
bool v = f < where.y, x = c + 1 < l.y, y = r + 1 < l.x;
V = B(v, v && x, v && y, v && x && y);
F = ivec4(f, f + 1, f + l.y, f + l.y + 1);
}`
}

/** How a kernel's inputs and outputs lie. */
export interface Reading {
  readonly packed: boolean
  /** Of each load. */
  readonly fetches: readonly Fetch[]
  /** What holds no element is to be 0, and is no part of a sum. */
  readonly masked: boolean
}

export interface PassText {
  /** Buffers. */
  readonly loads: readonly number[]
  /** Of loads whose place is another than the element's: functions of the index, one of `functions`. */
  readonly places?: Readonly<Record<number, string>>
  readonly stores: readonly number[]
  readonly reduces: readonly Reduce[]
  readonly functions?: string
  readonly head?: string
  readonly body: string
}

/** A pass: what it stores, or its sums over blocks of texels. */
export function passShader(pass: PassText, { packed, fetches, masked }: Reading, scalars: number): string {
  const { loads, places, stores, reduces, functions = '', head = '', body } = pass
  // Functions may want to know it: random numbers are of an element's index.
  const located = masked || functions || fetches.some((fetch) => fetch === 'P' || fetch === 'U')
  const results = [...stores, ...reduces].map((_, i) => `to${i}`)
  const kept = (i: number, otherwise: string): string =>
    masked ? `pick(V, ${results[i]}, T(${otherwise}))` : results[i]!
  const each = [...(located ? ['locate(p);'] : []), body]
  const lanes = (op: Reduce, i: number): string => {
    const [x, y, z, w] = ['x', 'y', 'z', 'w'].map((lane) => `Z0_${i}.${lane}`)
    return packed ? join(op, join(op, x!, y!), join(op, z!, w!)) : `Z0_${i}`
  }
  return shader(
    packed,
    [
      `uniform vec4 s[${(scalars >> 2) + 1}];`,
      // A layout; the first texel of the partial sums, and how large a block each adds.
      'uniform ivec4 l, blocks;',
      ...(located ? [locator(packed)] : []),
      functions,
      ...loads.map((i, at) => inputOf(i) + reader(i, fetches[at]!, packed, places?.[i])),
      `T ${results.join(', ')};`,
      ...outputs(stores.length || Math.ceil(reduces.length / 4), stores.length ? 'T' : 'vec4')
    ],
    [
      'row = where.x;',
      'ivec2 p = Zq;',
      head,
      ...(stores.length
        ? [...each, ...stores.map((_, i) => `o${i} = ${kept(i, '0.0')};`)]
        : [
            'Zq = (Zq - blocks.xy) * blocks.zw;',
            ...loops(
              reduces,
              'T',
              'Zq',
              'min(Zq + blocks.zw, where.zw)',
              each,
              reduces.map((op, i) => kept(i, STARTS[op]))
            ),
            ...leave(reduces.map(lanes))
          ])
    ]
  )
}

export function outputs(count: number, type: string): string[] {
  return Array.from({ length: count }, (_, i) => `layout(location = ${i}) out ${type} o${i};`)
}

/** Numbers, four a target. */
function leave(numbers: readonly string[]): string[] {
  return Array.from({ length: Math.ceil(numbers.length / 4) }, (_, i) => {
    return `o${i} = vec4(${[0, 1, 2, 3].map((k) => numbers[4 * i + k] ?? '0.0').join(', ')});`
  })
}

/**
 * Reduces what `body` makes of each texel `p` of a rectangle to `Z0_0`, `Z0_1`, …: in runs of 8 texels of a row, these along
 * the row, rows in groups of 8, and these. So no sum is a long chain.
 */
export function loops(
  ops: readonly Reduce[],
  type: string,
  from: string,
  to: string,
  body: readonly string[],
  values: readonly string[]
): string[] {
  if (ops.length === 0) return []
  const start = (level: number): string =>
    ops.map((op, i) => `${type} Z${level}_${i} = ${type}(${STARTS[op]});`).join(' ')
  const add = (level: number, value: (i: number) => string): string =>
    ops.map((op, i) => `Z${level}_${i} = ${join(op, `Z${level}_${i}`, value(i))};`).join(' ')
  const up = (level: number): string => add(level, (i) => `Z${level + 1}_${i}`)
  return [
    `ivec2 Za = ${from}, Zb = ${to};`,
    start(0),
    'for (int Zy = Za.y; Zy < Zb.y;) {',
    start(1),
    'for (int Zj = min(Zy + 8, Zb.y); Zy < Zj; Zy++) {',
    start(2),
    'for (int Zx = Za.x; Zx < Zb.x;) {',
    start(3),
    'for (int Zi = min(Zx + 8, Zb.x); Zx < Zi; Zx++) {',
    'ivec2 p = ivec2(Zx, Zy);',
    ...body,
    add(3, (i) => values[i]!),
    `} ${up(2)} } ${up(1)} } ${up(0)} }`
  ]
}

export interface CellText {
  readonly functions?: string
  readonly code: string
}

/**
 * A stage of a record: brings together the partial sums of each row, and adds texels to it. `at`: its first texel; the others
 * are copied.
 */
export function stageShader(
  { functions = '', code }: CellText,
  at: number,
  texels: number,
  reduces: readonly Reduce[]
): string {
  const parts = Array.from({ length: Math.ceil(reduces.length / 4) }, (_, i) => i)
  return shader(
    false,
    [
      ...parts.map((i) => `uniform sampler2D part${i};`),
      `float total[${Math.max(1, reduces.length)}], to[${4 * texels}];`,
      functions,
      ...outputs(1, 'vec4')
    ],
    [
      'row = Zq.y;',
      `int Zk = Zq.x - ${at};`,
      `if (Zk < 0 || Zk >= ${texels}) { o0 = cell(Zq.x); return; }`,
      'ivec4 Zt = ivec4(cell(0));',
      ...loops(
        reduces,
        'float',
        'Zt.xy',
        'Zt.xy + Zt.zw',
        parts.map((i) => `vec4 Zv${i} = texelFetch(part${i}, p, 0);`),
        reduces.map((_, i) => `Zv${i >> 2}.${'xyzw'[i & 3]}`)
      ),
      ...reduces.map((_, i) => `total[${i}] = Z0_${i};`),
      code,
      'o0 = vec4(to[4 * Zk], to[4 * Zk + 1], to[4 * Zk + 2], to[4 * Zk + 3]);'
    ]
  )
}

/** What each row of a record adds to the model's sums: partial sums of one texel, from row `where.x` on. */
export function shareShader({ functions = '', code }: CellText, numbers: number): string {
  return shader(
    false,
    [`float to[${numbers}];`, functions, ...outputs(Math.ceil(numbers / 4), 'vec4')],
    ['row = Zq.y - where.x;', code, ...leave(Array.from({ length: numbers }, (_, i) => `to[${i}]`))]
  )
}

/** Kernel text with one mistake in it, by language: each occurrence of a pattern replaced, one at a time. */

export type Swaps = readonly (readonly [RegExp, string])[]

export interface TextMutation {
  readonly kind: string
  readonly label: string
  readonly text: string
}

export interface Parts {
  /** Only what stands in its matches is mutated, where that is not all. */
  readonly where?: RegExp
  /** What the compiler has once, and prints wherever it is called: a mistake in it is in all copies. */
  readonly copied?: RegExp
}

/** Comments are not mutated. `$1` in a replacement is the pattern's first group, `$2` its second … */
export function textMutationsOf(text: string, swaps: Swaps, { where, copied }: Parts = {}): TextMutation[] {
  const spansOf = (part: RegExp) => [...text.matchAll(part)].map((m) => ({ start: m.index, text: m[0] }))
  const within = (index: number) => (span: { start: number; text: string }) =>
    index >= span.start && index < span.start + span.text.length
  const meant = where && spansOf(where)
  const copies = copied ? spansOf(copied) : []
  /** Where the same stands, this place first; none, where it is a copy of what came before. */
  const placesOf = (index: number): number[] => {
    if (meant && !meant.some(within(index))) return []
    const own = copies.find(within(index))
    if (!own) return [index]
    const same = copies.filter((copy) => copy.text === own.text)
    return same[0] === own ? same.map((copy) => index + copy.start - own.start) : []
  }
  return swaps.flatMap(([from, to]) =>
    [...text.matchAll(new RegExp(from, `${from.flags}g`))].flatMap((match): TextMutation[] => {
      const places = placesOf(match.index)
      if (places.length === 0) return []
      const changed = to.replace(/\$(\d)/g, (_, group) => match[Number(group)] ?? '')
      const line = text
        .slice(text.lastIndexOf('\n', match.index) + 1)
        .split('\n', 1)[0]!
        .trim()
      const kind = `${match[0].trim().replace(/[\w.]*\d+[\w.]*/g, 'n')} → ${changed.trim().replace(/[\w.]*\d+[\w.]*/g, 'n') || 'nothing'}`
      const wrong = places.reduceRight(
        (text, at) => text.slice(0, at) + changed + text.slice(at + match[0].length),
        text
      )
      return [{ kind, label: `${line} [${match[0].trim()} → ${changed.trim()}]`, text: wrong }]
    })
  )
}

/** WebAssembly of the cpu backend. */
export const WAT: Swaps = [
  [/\(f(32x4|64x2)\.add/, '(f$1.sub'],
  [/\(f(32x4|64x2)\.sub/, '(f$1.add'],
  [/\(f(32x4|64x2)\.mul/, '(f$1.add'],
  [/\(f32x4\.div/, '(f32x4.mul'],
  [/\(f32x4\.(sqrt|floor|neg|abs)/, '(f32x4.ceil'],
  [/\(f32x4\.max/, '(f32x4.min'],
  [/\(f32x4\.min/, '(f32x4.max'],
  [/\(f32x4\.(gt|ge)/, '(f32x4.lt'],
  [/\(f32x4\.(lt|le)/, '(f32x4.gt'],
  [/\(v128\.or/, '(v128.and'],
  [/\(v128\.and/, '(v128.or'],
  [/\(call \$(exp|log|tanh|cbrt) /, '(f32x4.neg '],
  [/\(call \$pow /, '(f32x4.add '],
  [/extract_lane [13]/, 'extract_lane 0'],
  [/load offset=8 /, 'load offset=16 '],
  [/v128\.store \((?:[^()]|\([^()]*\))*\) /, 'v128.store (local.get $ws) '],
  [/f32\.const -?inf/, 'f32.const 0'],
  [/v128\.const i32x4 0 1 2 3/, 'v128.const i32x4 -1 0 1 2'],
  [/i8x16\.shuffle 8 9 10 11 12 13 14 15/, 'i8x16.shuffle 0 1 2 3 4 5 6 7']
]

/** JavaScript of the cpu backend. */
export const JAVASCRIPT: Swaps = [
  [/ \+ /, ' - '],
  [/ - /, ' + '],
  [/ \* /, ' + '],
  [/ \/ /, ' * '],
  [/ \+= /, ' -= '],
  [/ \*\* /, ' * '],
  [/ (>|>=) /, ' < '],
  [/ (<|<=) (?!n;)/, ' > '],
  [/ && /, ' || '],
  [/ \|\| /, ' && '],
  [/Math\.(sqrt|cbrt|exp|log|tanh|abs|floor|sign)\(/, '(2 * '],
  [/Math\.max/, 'Math.min'],
  [/Math\.min/, 'Math.max'],
  [/-?Infinity/, '0'],
  [/i < n/, 'i < n - 1'],
  [/i = 0/, 'i = 1'],
  // (All sums start at the same 0.)
  [/(?<!let sum\w* = )c\[(\d+)\]/, 'c[$1 - 1]']
]

/** What a generated class computes on the host. */
export const HOST: Swaps = [
  [/\b(\w+) \*\* /, 'Math.fround($1) ** '],
  [/1 - (\w+)\b(?! \*)/, '1 - Math.fround($1)'],
  [/h\.t\b/, '(h.t + 1)'],
  [/h\.t\b/, '(h.t - 1)'],
  [/h\.age/, '(h.age + 1)'],
  [/h\.size/, '(h.size + 1)'],
  [/ !== 0/, ' === 0'],
  [/out\[(\d+)\] = /, 'out[$1] = 1.001 * '],
  [/1 - /, '1 + '],
  [/ \*\* /, ' * '],
  [/ \/ /, ' * '],
  [/ \? 1 : 0/, ' ? 0 : 1'],
  [/rank > 1/, 'rank > 0'],
  [/\(\) => 0(?![.\d])/, '() => 0.125']
]

/** WGSL, with what it is told of its buffers. */
export const WGSL: Swaps = [
  // Were `start + layer.span` a difference, the first workgroup would do the work of all: as right, and only slower.
  [/ \+ (?!layer\.span)(?![\w.]*\d+u\b)(?=.*\/\/|\w+ = |.*;)/, ' - '],
  [/ - /, ' + '],
  [/ \* /, ' + '],
  [/ \/ /, ' * '],
  [/ > /, ' <= '],
  [/ >= /, ' < '],
  [/ == /, ' != '],
  [/ & /, ' | '],
  [/\b(sqrt|inverseSqrt|abs|sign|floor|exp|log|tanh|cbrt)\(/, '(2.0 * '],
  [/\bmax\(/, 'min('],
  // Of a loop in a loop it is the outer one's: the inner one would stand still before the end, for ever.
  [/; i < end/, '; i + 1u < end'],
  [/i = first/, 'i = first + 64u'],
  [/layer\.s\[(\d+)\]\.x/, 'layer.s[$1].y'],
  [/layer\.s\[(\d+)\]\.y/, 'layer.s[$1].x'],
  [/ (\w)_\[i\] = /, ' _ = '],
  [/\bmin\((?!start)/, 'max('],
  [/stores: \[0, /, 'stores: ['],
  [/select\((\w+), (\w+), /, 'select($2, $1, ']
]

/** Functions that every module has that calls them. */
export const WGSL_FUNCTIONS = /^ *fn (?:pow|cbrt|tanh|noise)_\w+\(.*\n(?:.*\n)*?^ *\}$/gm

/** TensorFlow.js operations. */
export const OPERATIONS: Swaps = [
  [/tf\.add\(/, 'tf.sub('],
  [/tf\.sub\(/, 'tf.add('],
  [/tf\.mul\(/, 'tf.add('],
  [/tf\.div\(/, 'tf.mul('],
  [/tf\.(sqrt|rsqrt|abs|sign|floor|exp|log|tanh|square|neg)\(/, 'tf.mul(2, '],
  [/tf\.maximum\(/, 'tf.minimum('],
  [/tf\.minimum\(/, 'tf.maximum('],
  [/tf\.sum\(/, 'tf.mean('],
  [/tf\.greater\(/, 'tf.lessEqual('],
  [/tf\.greaterEqual\(/, 'tf.less('],
  [/tf\.logicalAnd\(/, 'tf.logicalOr('],
  [/tf\.where\(/, '((c, x, y) => tf.where(c, y, x))('],
  [/s\.h\[(\d)\]/, 's.h[$1 ^ 1]'],
  [/return \[(\w+), (\w+)\]/, 'return [$2, $1]']
]

/** GLSL, with what it is told of its textures. What is defined for four numbers is not called for one, and the reverse. */
export const GLSL: Swaps = [
  [/ \+ /, ' - '],
  [/ - /, ' + '],
  [/ \* (?!vec4\(b\))/, ' + '],
  [/ \/ /, ' * '],
  [/\b(sqrt|inversesqrt|abs|sign|floor|exp|log)\(/, '(2.0 * '],
  [/\b(tanh_|cbrt_)\((?!float|vec4)/, '(2.0 * '],
  [/\bmax\(/, 'min('],
  [/\bmin\(/, 'max('],
  [/\b(gt|ge|lt|le)\(([\w.]+), ([\w.]+(?:\([\d.]+\))?)\)/, '$1($3, $2)'],
  [/\bpick\((.*), ([\w.]+(?:\([\d.]+\))?), ([\w.]+(?:\([\d.]+\))?)\)/, 'pick($1, $3, $2)'],
  [/\bs\[(\d+)\]\.x/, 's[$1].y'],
  [/\bs\[(\d+)\]\.y/, 's[$1].x'],
  [/\bs\[(\d+)\]\.z/, 's[$1].w'],
  [/\bs\[(\d+)\]\.w/, 's[$1].z'],
  [/\b(cell|model)\((\d+)\)\.x/, '$1($2).y'],
  [/\b(cell|model)\((\d+)\)\.[yzw]/, '$1($2).x'],
  [/\btotal\[1\]/, 'total[0]'],
  [/\bto\[(\d+)\] = (?!pick\(\w+,)/, 'to[$1] = 1.001 * '],
  [/\bto(\d) = /, 'to$1 = T(0.999) * '],
  [/\bin[2-9]\(p\)/, 'in1(p)'],
  [/\breduces: \['sum'/, "reduces: ['max'"],
  [/\breduces: \['max'/, "reduces: ['min'"],
  [/\b(observed|state): \[(\d)(\d?)/, '$1: [$2$3 - 1'],
  [/\bstores: \[0, (\d)/, 'stores: [$1, 0']
]

/** Functions that every shader has that calls them. */
export const GLSL_FUNCTIONS = /^ *(?:float|bool|b?vec4) \w+\([^)]*\) \{(?:.*\}$|\n(?:.*\n)*?^ *\}$)/gm

/** TensorFlow's operations. */
export const TENSORFLOW: Swaps = [
  [/'AddV2'/, "'Sub'"],
  [/'Sub'/, "'AddV2'"],
  [/'Mul'/, "'AddV2'"],
  [/'RealDiv'/, "'Mul'"],
  [/'(Sqrt|Rsqrt|Abs|Sign|Floor|Exp|Log|Tanh)'/, "'Square'"],
  [/'Square'/, "'Abs'"],
  [/'Neg'/, "'Abs'"],
  [/'Maximum'/, "'Minimum'"],
  [/'Minimum'/, "'Maximum'"],
  [/'Greater'/, "'LessEqual'"],
  [/'GreaterEqual'/, "'Less'"],
  [/'Less'/, "'GreaterEqual'"],
  [/'LessEqual'/, "'Greater'"],
  [/'Equal'/, "'NotEqual'"],
  [/'LogicalAnd'/, "'LogicalOr'"],
  [/'LogicalOr'/, "'LogicalAnd'"],
  [/s\.(op|once)\('SelectV2', /, "((c, x, y) => s.$1('SelectV2', c, y, x))("],
  [/s\.h\[(\d+)\]/, 's.h[$1 ^ 1]'],
  [/\breduces: \['sum'/, "reduces: ['max'"],
  [/\breturn \[(\w+), (\w+)/, 'return [$2, $1']
]

/** TensorFlow's training kernels, with the operations beside them: what stands between the brackets of `inPlace`. */
export const IN_PLACE = /^( +)inPlace: \[\{[\s\S]*?^\1\}\],?\n/gm
export const TRAINING: Swaps = [
  ...TENSORFLOW.filter(([from]) => !from.source.includes('s\\.h')),
  // Others would be refused, and operations take their place.
  [/(?<=scalars: \(s\) => \[)(-?)s\.h\[(\d+)\]/, '$11.001 * s.h[$2]'],
  [/s\.h\[(\d+)\](?=! \/)/, '(1.001 * s.h[$1])'],
  [/\bc\[(\d)\]/, 'c[$1 ^ 1]'],
  [/k\.at\(1\)/, 'k.at(0)'],
  [/k\.at\(([2-9])\)/, 'k.at(1)'],
  [/('KerasMomentum', \[-1), 3\]/, '$1, 2]'],
  [/update_slots: false/, 'update_slots: true']
]

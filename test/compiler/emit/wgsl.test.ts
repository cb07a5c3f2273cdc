/** WGSL expressions on the device, one operation at a time, against the roundings that the reference allows a shader. */
import { expect, it } from 'vitest'
import type { Graph } from '../../../src/compiler/check/graph.js'
import type { Node, Unary } from '../../../src/compiler/check/program.js'
import { webgpu } from '../../../src/compiler/emit/webgpu.js'
import { type InexactFunction, tables } from '../../../src/reference/arithmetic.js'
import { disposeLayer, driverOf, gradientOf, layerOf, stepOf, watchDevice } from '../../runtime/support/webgpu.js'
import { elementPlan, namedPlan } from '../../support/plans.js'
import { describeWebGpu } from '../../support/webgpu.js'

const shader = tables.wgsl.device

/** The value of an expression of x and y on the device, for each pair; four at a time and one at a time. */
async function compute(make: (g: Graph, x: Node, y: Node) => Node, xs: number[], ys: number[] = xs): Promise<number[]> {
  const driver = driverOf(elementPlan(make))
  const odd = xs.length % 4 === 0 ? 3 : 4 - (xs.length % 4)
  const results = []
  for (const padding of [odd, 4 - (xs.length % 4)]) {
    const pad = (values: number[]): number[] => [...values, ...new Array(padding).fill(1)]
    const layer = layerOf(pad(xs), [xs.length + padding])
    const gradient = gradientOf(layer, pad(ys))
    stepOf(driver, [[layer, gradient]], [])
    results.push([...(await layer.variable.data())].slice(0, xs.length))
    disposeLayer(layer)
    gradient.dispose()
  }
  driver.dispose()
  expect(results[0]).toEqual(results[1])
  return results[0]!
}

const magnitudes = [1e-30, 1e-7, 0.01, 0.249, 0.25, 0.5, 0.999, 1, 1.001, 2, 3.7, 8, 19, 21, 80].map(Math.fround)
const both = [...magnitudes, 0, ...magnitudes.map((x) => -x)]
const huge = [1e37, 3e38].map(Math.fround)

describeWebGpu('WGSL', () => {
  watchDevice()

  const INEXACT: readonly [InexactFunction, (x: number) => number, number[]][] = [
    ['sqrt', Math.sqrt, [0, ...magnitudes, ...huge]],
    ['rsqrt', (x) => 1 / Math.sqrt(x), [...magnitudes, ...huge]],
    ['cbrt', Math.cbrt, [...both, ...huge, ...huge.map((x) => -x), 2 ** -126]],
    ['exp', Math.exp, both],
    ['log', Math.log, [...magnitudes, ...huge]],
    ['tanh', Math.tanh, [...both, ...huge, ...huge.map((x) => -x)]]
  ]
  it.each(INEXACT)('%s loses no more than it may', async (name, f, xs) => {
    const got = await compute((g, x) => g.unary(name, x), xs)
    for (const [i, x] of xs.entries()) {
      expect(Math.abs(got[i]! - f(x)), `${name}(${x})`).toBeLessThanOrEqual(
        shader.functions[name](x, f(x)) + shader.tiny
      )
    }
  })

  it('tanh is odd, keeps small values and ends at 1', async () => {
    const got = await compute((g, x) => g.unary('tanh', x), [1e-3, -1e-3, 1e-20, 100, -100, 0])
    expect(got[0]).toBe(-got[1]!)
    expect(Math.abs(got[0]! / Math.tanh(Math.fround(1e-3)) - 1)).toBeLessThan(4 * shader.unit)
    expect(got.slice(2)).toEqual([Math.fround(1e-20), 1, -1, 0])
  })

  it('pow is exp(y · log x), and whole at 0', async () => {
    const xs = magnitudes
    const ys = xs.map((_, i) => [0.5, 1.7, -0.3, 0][i % 4]!)
    const got = await compute((g, x, y) => g.binary('pow', x, y), xs, ys)
    for (const [i, x] of xs.entries()) {
      const through = Math.fround(ys[i]!) * Math.log(x)
      const off = Math.abs(ys[i]!) * shader.functions.log(x, Math.log(x)) + shader.unit * Math.abs(through)
      const value = Math.exp(through)
      const bound = value * (Math.expm1(off) + shader.functions.exp(through, 1) * Math.exp(off))
      expect(Math.abs(got[i]! - value), `${x} ^ ${ys[i]}`).toBeLessThanOrEqual(bound + shader.tiny)
    }
    expect(await compute((g, x, y) => g.binary('pow', x, y), [0, 0], [0.5, 0])).toEqual([0, 1])
  })

  const EXACT: readonly [Unary, (x: number) => number][] = [
    ['neg', (x) => -x],
    ['abs', Math.abs],
    ['sign', Math.sign],
    ['floor', Math.floor]
  ]
  it.each(EXACT)('%s is exact', async (name, f) => {
    const xs = [...both, 1.5, -1.5, 2 ** 30].filter((x) => x !== 0)
    expect(await compute((g, x) => g.unary(name, x), xs)).toEqual(xs.map(f))
  })

  const xs = [1, 2, 3, -4, 0, 7]
  const ys = [3, 2, 1, 5, 0, -7]
  it.each([
    ['lt', (x: number, y: number) => x < y],
    ['le', (x: number, y: number) => x <= y],
    ['gt', (x: number, y: number) => x > y],
    ['ge', (x: number, y: number) => x >= y],
    ['eq', (x: number, y: number) => x === y],
    ['ne', (x: number, y: number) => x !== y]
  ] as const)('%s chooses', async (op, f) => {
    const got = await compute((g, x, y) => g.select(g.binary(op, x, y), g.const(10), x), xs, ys)
    expect(got).toEqual(xs.map((x, i) => (f(x, ys[i]!) ? 10 : x)))
  })

  it('conditions of elements mix with one that is the same for all', async () => {
    const cases: [(g: Graph, p: Node, q: Node) => Node, (p: boolean, q: boolean) => boolean][] = [
      [(g, p, q) => g.binary('and', p, q), (p, q) => p && q],
      [(g, p, q) => g.binary('or', g.unary('not', q), p), (p, q) => !q || p],
      [(g, p, q) => g.unary('not', g.binary('and', g.unary('not', p), q)), (p, q) => !(!p && q)]
    ]
    for (const [make, expected] of cases) {
      const got = await compute(
        (g, x, y) =>
          g.select(make(g, g.binary('lt', x, y), g.binary('lt', g.const(1), g.const(2))), g.const(1), g.const(0)),
        xs,
        ys
      )
      expect(got).toEqual(xs.map((x, i) => Number(expected(x < ys[i]!, true))))
    }
  })

  it('the branch that is not taken does no harm', async () => {
    const safe = (g: Graph, x: Node, y: Node): Node =>
      g.select(g.binary('ne', y, g.const(0)), g.binary('div', x, y), g.const(-1))
    expect(await compute(safe, [1, 6, 0], [0, 2, 0])).toEqual([-1, 3, -1])
    const root = (g: Graph, x: Node): Node => g.select(g.binary('gt', x, g.const(0)), g.unary('sqrt', x), g.const(7))
    expect(await compute(root, [-4, 4, 0])).toEqual([7, 2, 7])
  })

  it('groups operations as the tree does', async () => {
    const cases: [(g: Graph, x: Node, y: Node) => Node, (x: number, y: number) => number][] = [
      [(g, x, y) => g.binary('sub', x, g.binary('sub', y, g.const(1))), (x, y) => x - (y - 1)],
      [(g, x, y) => g.binary('sub', g.binary('sub', x, y), g.const(1)), (x, y) => x - y - 1],
      [(g, x, y) => g.binary('mul', g.binary('add', x, y), g.binary('sub', x, y)), (x, y) => (x + y) * (x - y)],
      [(g, x) => g.binary('div', x, g.binary('mul', g.const(2), g.const(4))), (x) => x / 8],
      [(g, x) => g.binary('div', g.binary('div', x, g.const(2)), g.const(4)), (x) => x / 8],
      [(g, x, y) => g.unary('neg', g.binary('add', x, g.unary('neg', y))), (x, y) => -(x - y)],
      [(g, x) => g.binary('sub', x, g.const(-3)), (x) => x + 3],
      [(g, x, y) => g.binary('max', g.const(-2), g.binary('min', x, y)), (x, y) => Math.max(-2, Math.min(x, y))]
    ]
    for (const [make, f] of cases) expect(await compute(make, xs, ys)).toEqual(xs.map((x, i) => f(x, ys[i]!)))
  })

  it('constants beyond float32 are its largest', async () => {
    const largest = 3.4028234663852886e38
    expect(await compute((g, x) => g.binary('min', g.const(Infinity), x), [5])).toEqual([5])
    expect(await compute((g, x) => g.binary('max', g.const(-1e300), x), [-largest])).toEqual([-largest])
  })

  it("an author's names are free of WGSL's", async () => {
    const words =
      `w g layer cells T B id first end i n group half from fn let var all0 bin0 block0 pass0 finish0 sum_lanes pow_T sqrt
      select vec4f f32 array true override workgroup storage uniform read target mod macro common meta self super type auto
      static using with yield void union typename try smooth sample sampler ptr atomic bitcast enable struct switch`.split(
        /\s+/
      )
    const driver = driverOf(namedPlan(words))
    const layer = layerOf([1, 2, 3], [3])
    const gradient = gradientOf(layer, [1, 1, 1])
    stepOf(driver, [[layer, gradient]], [])
    expect([...(await layer.variable.data())]).toEqual([1, 2, 3].map((x) => x + words.length * 2))
    driver.dispose()
    disposeLayer(layer)
    gradient.dispose()
  })
})

it("nothing in an author's names or formulas breaks out of the text", () => {
  const nasty = ['a` + evil + `', `\${evil}`, 'x\u2028evil();\u0085evil()', '*/ evil() /*', '\\`']
  const { declarations } = webgpu.emit(namedPlan(['a', 'b', 'c', 'd', 'e'], nasty), {
    assemble: () => new Uint8Array()
  })
  const value = new Function(
    'evil',
    `${declarations.join('\n').replace(': WebGpuVariant', '')}; return webgpuByHand0.code`
  )(() => {
    throw new Error('ran')
  }) as string
  for (const line of value.split(/[\n\v\f\r\u0085\u2028\u2029]/)) {
    if (line.includes('evil')) expect(line).toMatch(/\/\/.*evil/)
  }
  expect(value).toContain(`\${evil}`)
})

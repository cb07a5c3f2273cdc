/** Cases at the ends of what float32 holds. */
import { type Case, drawCase, mapValues, type Signature, without } from './case.js'
import { randomOf } from './choices.js'

const ENDS: readonly number[] = [
  ...[0, -0, 2 ** -149, 3e-45, 1e-40, -(2 ** -127), 2 ** -126, -1e-38],
  ...[1e-30, -1e-23, 1e-19, 1e19, -1e23, 1e30, -1e38, 3.4028234663852886e38]
]
/** Hyperparameters that float32 holds as a subnormal number, or barely. */
const HYPER_ENDS: readonly number[] = [2 ** -130, 1.5 * 2 ** 127]
const NOT_FINITE: readonly number[] = [NaN, Infinity, -Infinity]

/** Zeros, subnormals, and numbers whose squares leave float32's range, among ordinary ones; or a hyperparameter at an end. */
export function drawExtremes(seed: number, signature: Signature): Case {
  const random = randomOf(seed ^ 0x2545f491)
  const ends = signature.hypers.flatMap(({ name, init, range }) =>
    typeof init === 'boolean' || range?.kind === 'set'
      ? []
      : HYPER_ENDS.filter((x) => x > (range?.low ?? -Infinity) && x < (range?.high ?? Infinity)).map((x) => ({
          name,
          x
        }))
  )
  if (ends.length === 0 || random() < 0.6) return sprinkled(seed, signature, ENDS)
  const { name, x } = ends[Math.floor(random() * ends.length)]!
  const given = drawCase(seed, signature)
  const layers = given.layers.map((layer) => ({ ...layer, group: without(layer.group, name) }))
  return { ...given, layers, hypers: { ...given.hypers, [name]: x }, falling: given.falling.filter((n) => n !== name) }
}

/** Infinities and NaN among ordinary numbers. */
export const drawNotFinite = (seed: number, signature: Signature): Case => sprinkled(seed, signature, NOT_FINITE)

/** The ordinary case of that seed, with one in a few of its numbers replaced. */
function sprinkled(seed: number, signature: Signature, special: readonly number[]): Case {
  const random = randomOf(seed ^ 0x5bd1e995)
  const rarely = (values: Float32Array): Float32Array => {
    const share = values.length < 8 ? 0.5 : 4 / values.length
    return values.map((x) => (random() < share ? special[Math.floor(random() * special.length)]! : x))
  }
  const given = drawCase(seed, signature)
  return {
    ...given,
    layers: given.layers.map((layer) => {
      const changed = mapValues(layer, rarely)
      return random() < 0.3 ? changed : { ...changed, weight: layer.weight }
    })
  }
}

/** Cases as fast-check draws and shrinks them. */
import fc from 'fast-check'
import type { Case, Signature } from './case.js'
import { simplerCases } from './simplify.js'

export type Draw = (seed: number, signature: Signature) => Case

/** Cases that `draw` makes of seeds. What shrinks is the case itself, so that it stays one of its kind. */
export function cases(draw: Draw, signature: Signature): fc.Arbitrary<Case> {
  return new Cases(draw, signature)
}

class Cases extends fc.Arbitrary<Case> {
  readonly #draw: Draw
  readonly #signature: Signature

  constructor(draw: Draw, signature: Signature) {
    super()
    this.#draw = draw
    this.#signature = signature
  }

  override generate(random: fc.Random): fc.Value<Case> {
    return new fc.Value(this.#draw(random.nextInt(), this.#signature), undefined)
  }

  override canShrinkWithoutContext(value: unknown): value is Case {
    return value !== undefined
  }

  override shrink(value: Case): fc.Stream<fc.Value<Case>> {
    const values = function* (signature: Signature): IterableIterator<fc.Value<Case>> {
      for (const simpler of simplerCases(value, signature)) yield new fc.Value(simpler, undefined)
    }
    return fc.stream(values(this.#signature))
  }
}

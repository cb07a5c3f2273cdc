/** The random numbers of a step, as docs/language.md has them: Threefry, two words of 32 bits, 13 rounds. */
import { exactly } from './number.js'
import { count, type Extent, type NumberValue } from './value.js'

/** What a step's random numbers come of. `sites` counts each `noise()` that has been evaluated. */
export interface Random {
  readonly seed: number
  readonly step: number
  sites: number
}

/** Turns of the second word, in each round. */
const TURNS = [13, 15, 26, 6, 17, 29, 16, 24]
const ROUNDS = 13

function threefry(key: readonly [number, number], counter: readonly [number, number]): readonly [number, number] {
  const words = [...key, key[0] ^ key[1] ^ 0x1bd11bda]
  const sum = (a: number, b: number): number => (a + b) >>> 0
  const turn = (a: number, by: number): number => ((a << by) | (a >>> (32 - by))) >>> 0
  let [x, y] = [sum(counter[0], words[0]! >>> 0), sum(counter[1], words[1]! >>> 0)]
  for (let round = 0; round < ROUNDS; round++) {
    x = sum(x, y)
    y = (turn(y, TURNS[round % TURNS.length]!) ^ x) >>> 0
    const times = (round + 1) / 4
    if (!Number.isInteger(times)) continue
    x = sum(x, words[times % 3]! >>> 0)
    y = sum(sum(y, words[(times + 1) % 3]! >>> 0), times)
  }
  return [x, y]
}

/** FNV-1a over the bytes of the text in UTF-8. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5n
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n
  return Number(hash)
}

/** What the next `noise()` stands for: a number for each element of each layer. */
export function draw(extent: Extent, random: Random, layers: readonly { readonly name: string }[]): NumberValue {
  const site = random.sites++
  const of = extent.grids.map((grid, i) => {
    const seeded: [number, number] = [random.seed, hashOf(layers[i]!.name)]
    const step = random.step % 2 ** 32
    const key: [number, number] = [threefry(seeded, [step, 0])[0], threefry(seeded, [step, 1])[0]]
    return Array.from({ length: count(grid, 'element') }, (_, j) =>
      exactly(Math.floor(threefry(key, [j, site])[0] / 256) / 2 ** 24)
    )
  })
  return { kind: 'number', level: 'element', place: 'device', of }
}

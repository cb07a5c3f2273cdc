/** A binary heap: the least first. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  push(item: T): void {
    const items = this.#items
    let i = items.push(item) - 1
    for (let up = (i - 1) >> 1; i > 0 && this.#compare(item, items[up]!) < 0; up = (i - 1) >> 1) {
      items[i] = items[up]!
      i = up
    }
    items[i] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const least = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return least
    let i = 0
    for (let down = 1; down < items.length; down = 2 * i + 1) {
      if (down + 1 < items.length && this.#compare(items[down + 1]!, items[down]!) < 0) down++
      if (this.#compare(items[down]!, last) >= 0) break
      items[i] = items[down]!
      i = down
    }
    items[i] = last
    return least
  }
}

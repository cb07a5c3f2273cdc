/**
 * One allowed execution of an optimizer on a machine that does its worst within docs/numerics.md: at every operation it may
 * round either way that the target may, regroup chains, fuse, collect host factors, compute a value twice and differently,
 * sum in any tree. It runs the typed program; the reference, which it is there to catch, walks the syntax tree.
 */
import type { Level, Node, Program } from '../../src/compiler/check/program.js'
import { type Depth, gridOf, viewOf } from '../../src/reference/index.js'
import { keyOf, noise } from '../../src/runtime/noise.js'
import { type Case, hypersAt } from '../../src/testing/case.js'
import type { Snapshot, StepRecord } from '../../src/testing/session.js'
import type { Machine, Random } from './machine.js'
import { sumInTree } from './machine.js'

type Value = number | boolean

/** What a layer holds between steps. */
interface Held {
  weight: Float32Array
  age: number
  /** By slot: one a weight, or one. */
  slots: Record<string, Float32Array | Float64Array> | null
}

export function executeCase(
  program: Program,
  given: Case,
  machine: Machine,
  depth: Depth,
  random: Random
): StepRecord[] {
  const held = given.layers.map((l): Held => ({ weight: Float32Array.from(l.weight), age: 0, slots: null }))
  let model: Record<string, number> | null = null
  const snapshot = (): Snapshot => ({
    layers: held.map(({ weight, slots }) => ({ weight, slots })),
    modelState: model
  })
  return Array.from({ length: given.steps }, (_, i): StepRecord => {
    const before = snapshot()
    const present = given.layers.flatMap((l, at) => (l.gradients[i] && l.weight.length > 0 ? [at] : []))
    for (const at of present) held[at]!.age++
    const step = new Step(program, given, i, present, held, model, machine, depth, random)
    const observations: Record<string, Record<string, number>> = {}
    const next = present.map((at, k) => {
      observations[given.layers[at]!.name] = Object.fromEntries(
        program.observations.map((o) => [o.name, step.scalar(o.value, k)])
      )
      return step.after(k)
    })
    const modelAfter = step.modelAfter()
    for (const [k, at] of present.entries()) Object.assign(held[at]!, next[k])
    model = modelAfter
    return { before, after: snapshot(), observations, kernel: 'machine' }
  })
}

/** How often a value that is there already is computed once more. */
const AGAIN = 1 / 16

class Step {
  readonly #program: Program
  readonly #given: Case
  readonly #t: number
  readonly #present: readonly number[]
  readonly #held: readonly Held[]
  readonly #model: Readonly<Record<string, number>>
  readonly #slots: readonly Readonly<Record<string, ArrayLike<number>>>[]
  readonly #machine: Machine
  readonly #depth: Depth
  readonly #random: Random
  readonly #hypers: Readonly<Record<string, Value>>
  /** By layer, node and element. The model is one more layer. */
  readonly #known: readonly Map<number, Value>[]
  readonly #exactly: readonly Map<number, Value>[]

  constructor(
    program: Program,
    given: Case,
    step: number,
    present: readonly number[],
    held: readonly Held[],
    model: Readonly<Record<string, number>> | null,
    machine: Machine,
    depth: Depth,
    random: Random
  ) {
    this.#program = program
    this.#given = given
    this.#t = step + 1
    this.#present = present
    this.#held = present.map((at) => held[at]!)
    this.#machine = machine
    this.#depth = depth
    this.#random = random
    const defaults = Object.fromEntries(program.hypers.map((h) => [h.name, h.init]))
    this.#hypers = { ...defaults, ...hypersAt(given, step + 1) }
    this.#known = [...present, -1].map(() => new Map())
    this.#exactly = [...present, -1].map(() => new Map())
    // Start values read no state, so they can be had before there is any.
    this.#model = {}
    this.#slots = present.map(() => ({}))
    this.#model =
      model ?? Object.fromEntries(this.#starting('model').map((s) => [s.name, this.#start(s, present.length)]))
    this.#slots = this.#held.map(({ slots }, k) => {
      if (slots) return slots
      const layer = this.#starting('layer').map((s) => [s.name, Float64Array.of(this.#start(s, k))] as const)
      const arrays = (['element', 'row', 'col', 'channel'] as const).flatMap((over) =>
        this.#starting(over).map((s) => [s.name, this.#column(s.init, over, k)] as const)
      )
      return Object.fromEntries([...layer, ...arrays])
    })
    for (const known of this.#known) known.clear()
  }

  #starting(over: string): Program['slots'][number][] {
    return this.#program.slots.filter((s) => s.over === over)
  }

  #start({ init, place }: Program['slots'][number], k: number): number {
    const x = this.#exact(init, k) as number
    return place === 'device' ? Math.fround(x) : x
  }

  /** What the layer holds after the step. */
  after(k: number): Pick<Held, 'weight' | 'slots'> {
    const slots = this.#program.slots.flatMap(({ name, over, next }): [string, Float32Array | Float64Array][] => {
      if (over === 'model') return []
      return [[name, over === 'layer' ? Float64Array.of(this.scalar(next, k)) : this.#column(next, over, k)]]
    })
    return { weight: this.#column(this.#program.weight, 'element', k), slots: Object.fromEntries(slots) }
  }

  #column(node: Node, level: Level, k: number): Float32Array {
    return Float32Array.from(this.#entries(level, k), (i) => this.#number(node, k, i))
  }

  /** Rows and columns of the layer's matrices: a vector is one column. */
  #matrix(k: number): { readonly rows: number; readonly cols: number } {
    const { shape } = this.#given.layers[this.#present[k]!]!
    if (shape.length < 2) return { rows: shape[0] ?? 1, cols: 1 }
    return { rows: shape[shape.length - 2]!, cols: shape[shape.length - 1]! }
  }

  /** The first element that shares the value of this one. */
  #place(level: Level, k: number, i: number): number {
    if (level === 'element') return i
    if (level !== 'row' && level !== 'col' && level !== 'channel') return 0
    const { rows, cols } = this.#matrix(k)
    if (level === 'channel') return i % cols
    return level === 'row' ? i - (i % cols) : i - (i % (rows * cols)) + (i % cols)
  }

  /** One element for each value that the level has in the layer. */
  #entries(level: Level, k: number): number[] {
    return [...this.#held[k]!.weight.keys()].filter((i) => this.#place(level, k, i) === i)
  }

  modelAfter(): Record<string, number> {
    const learns = this.#present.length > 0
    return Object.fromEntries(
      this.#starting('model').map((s) => [
        s.name,
        learns ? this.#stored(s.next, s.place, this.#present.length) : this.#model[s.name]!
      ])
    )
  }

  /** A value of a layer as it is kept: float64 on the host, float32 on the device. */
  scalar(node: Node, k: number): number {
    return this.#stored(node, node.place, k)
  }

  #stored(node: Node, place: string, k: number): number {
    const x = (node.place === 'host' ? this.#exact(node, k) : this.#read(node, k, 0)) as number
    return place === 'device' ? Math.fround(x) : x
  }

  /** A host value: float64. */
  #exact(node: Node, k: number): Value {
    const known = this.#exactly[k]!.get(node.id)
    if (known !== undefined) return known
    const made = this.#host(node, k)
    this.#exactly[k]!.set(node.id, made)
    return made
  }

  #host(node: Node, k: number): Value {
    const layer = this.#given.layers[this.#present[k] ?? -1]
    switch (node.op) {
      case 'const':
        return node.value
      case 'hyper':
        return layer?.group[node.name] ?? this.#hypers[node.name]!
      case 'step':
        return this.#t
      case 'mask':
        return (
          (layer!.group[node.name] as boolean | undefined) ??
          this.#given.masks[node.name] ??
          this.#exact(this.#program.masks.find((m) => m.name === node.name)!.predicate, k)
        )
      case 'match':
        return new RegExp(node.pattern, node.flags).test(layer!.name)
      case 'fact': {
        const count = (level: Level, l: number): number => this.#entries(level, l).length
        const inAll = (level: Level): number => this.#held.reduce((sum, _, l) => sum + count(level, l), 0)
        if (node.name === 'modelSize') return inAll('element')
        if (node.name === 'modelRows') return inAll('row')
        if (node.name === 'modelCols') return inAll('col')
        if (node.name === 'modelChannels') return inAll('channel')
        if (node.name === 'modelLayers') return this.#held.length
        if (node.name === 'age') return this.#held[k]!.age
        if (node.name === 'rank') return layer!.shape.length
        if (node.name === 'size') return count('element', k)
        if (node.name === 'rows') return count('row', k)
        if (node.name === 'cols') return count('col', k)
        if (node.name === 'matrices') return count('element', k) / (this.#matrix(k).rows * this.#matrix(k).cols)
        return node.name === 'rowSize' ? this.#matrix(k).cols : this.#matrix(k).rows
      }
      case 'slot':
        return this.#model[node.name] ?? this.#slots[k]![node.name]![0]!
      default: {
        const of = (i: number): Value => this.#exact(node.args[i]!, k)
        if (node.op === 'select') return of(0) ? of(1) : of(2)
        return exact(node.op, of)
      }
    }
  }

  /** As the device sees it: a host value is rounded where it is read. */
  #read(node: Node, k: number, i: number): Value {
    if (node.place === 'host') {
      const x = this.#exact(node, k)
      return typeof x === 'boolean' ? x : this.#machine.load(Math.fround(x))
    }
    const at = this.#place(node.level, k, i)
    const owner = node.level === 'model' ? this.#present.length : k
    const key = node.id * 4096 + at
    const known = this.#known[owner]!.get(key)
    if (known !== undefined && this.#random() >= AGAIN) return known
    const made = this.#device(node, owner, at)
    this.#known[owner]!.set(key, made)
    return made
  }

  #device(node: Node, k: number, i: number): Value {
    const { load, apply, power, root } = this.#machine
    const of = (arg: number): number => this.#read(node.args[arg]!, k, i) as number
    switch (node.op) {
      case 'weight':
        return load(this.#held[k]!.weight[i]!)
      case 'gradient':
        return load(this.#given.layers[this.#present[k]!]!.gradients[this.#t - 1]![i]!)
      case 'slot':
        return load(this.#model[node.name] ?? this.#slots[k]![node.name]![this.#entries(node.level, k).indexOf(i)]!)
      case 'noise': {
        const { seed = 0, layers } = this.#given
        return noise(...keyOf(seed, layers[this.#present[k]!]!.name, this.#t), i, node.site)
      }
      case 'select':
        return this.#read(node.args[0]!, k, i) ? this.#read(node.args[1]!, k, i) : this.#read(node.args[2]!, k, i)
      case 'add':
      case 'sub':
      case 'neg':
        return this.#sum(node, k, i)
      case 'mul':
      case 'div':
        return this.#product([node], k, i)
      case 'sqrt':
        return root(of(0))
      case 'rsqrt':
      case 'cbrt':
      case 'exp':
      case 'log':
      case 'tanh':
        return apply(node.op, of(0))
      case 'pow': {
        const [x, y] = node.args as readonly [Node, Node]
        if (y.level !== 'const') return power(of(0), of(1))
        const n = this.#exact(y, k) as number
        if (n === 0.5) return root(of(0))
        if (n === -0.5) return apply('rsqrt', of(0))
        if (!Number.isInteger(n)) return power(of(0), of(1))
        if (n === 0) return 1
        const raised = this.#product(new Array<Node>(Math.abs(n)).fill(x), k, i)
        return n > 0 ? raised : this.#machine.divide(1, raised)
      }
      case 'sum':
      case 'max':
      case 'min':
        if ('over' in node) return this.#reduce(node, k, i)
        return exact(node.op, of)
      default:
        return exact(node.op, (arg) => (typeof of(arg) === 'number' ? of(arg) : this.#read(node.args[arg]!, k, i)))
    }
  }

  #reduce(node: Extract<Node, { over: string }>, k: number, i: number): number {
    const x = node.args[0]!
    const owners = node.over === 'model' ? this.#present.map((_, l) => l) : [k]
    // A product may go into the sum as it is.
    const term = (l: number, i: number): number =>
      node.op === 'sum' && x.op === 'mul' && this.#random() < 0.5 ? this.#unrounded(x, l, i) : this.#number(x, l, i)
    // Of a row or a column, what stands in it, each value once: along it an element for each.
    const { over } = node
    const within = (l: number): number[] =>
      over === 'row' || over === 'col' || over === 'channel'
        ? this.#entries(over === 'channel' && x.level === 'col' ? 'col' : 'element', l).filter(
            (j) => this.#place(over, l, j) === i
          )
        : this.#entries(x.level, l)
    const owned = owners.map((l) => within(l).map((j) => term(l, j)))
    const values = owned.flat()
    if (node.op !== 'sum') return exact(node.op, (i) => values[i]!, values.length) as number
    const { round, float64Sums } = this.#machine
    if (!float64Sums) {
      const views = owners.map((l) => viewOf(gridOf(this.#given.layers[this.#present[l]!]!.shape), x.level))
      const lines = { row: 'rows', col: 'cols', channel: 'channels' } as const
      const along = over !== 'layer' && over !== 'model'
      const depth = along ? this.#depth.line(views[0]!, lines[over]) : this.#depth.whole(views)
      return round(sumInTree(shuffled(values, this.#random), depth, this.#machine, this.#random))
    }
    return round(shuffled(values, this.#random).reduce((a, b) => a + b, 0))
  }

  #number(node: Node, k: number, i: number): number {
    return this.#read(node, k, i) as number
  }

  /** A product as a fused operation has it. In one operation a value is the same both times. */
  #unrounded(product: Node, k: number, i: number): number {
    const [p, q] = product.args as readonly [Node, Node]
    const x = this.#number(p, k, i)
    return x * (p === q ? x : this.#number(q, k, i))
  }

  /** A chain is taken apart, but now and then it ends at a value that is there. */
  #ends(node: Node, ...ops: readonly string[]): boolean {
    return node.place === 'host' || !ops.includes(node.op) || this.#random() < 0.25
  }

  #sum(root: Node, k: number, i: number): number {
    const { round } = this.#machine
    const values: { x: number; fused: boolean }[] = []
    const flatten = (node: Node, sign: number, first: boolean): void => {
      if (!first && this.#ends(node, 'add', 'sub', 'neg')) {
        const fused = node.place === 'device' && node.op === 'mul' && this.#random() < 0.5
        const x = fused ? this.#unrounded(node, k, i) : this.#number(node, k, i)
        values.push({ x: sign * x, fused })
        return
      }
      const [p, q] = node.args as readonly [Node, Node]
      flatten(p, node.op === 'neg' ? -sign : sign, false)
      if (q) flatten(q, node.op === 'sub' ? -sign : sign, false)
    }
    flatten(root, 1, true)
    while (values.length > 1) {
      const [p, q] = [take(values, this.#random), take(values, this.#random)]
      const left = q.fused && p.fused ? round(p.x) : p.x
      values.push({ x: round(left + q.x), fused: false })
    }
    const [only] = values as [{ x: number; fused: boolean }]
    return only.fused ? round(only.x) : only.x
  }

  /** Of these factors, taken apart. */
  #product(roots: readonly Node[], k: number, i: number): number {
    const { round, divide, load } = this.#machine
    const host: { x: number; up: boolean }[] = []
    const values: { x: number; up: boolean }[] = []
    // x · x is never negative: a factor is the same wherever it stands in a chain.
    const read = new Map<Node, number>()
    const factor = (node: Node): number => {
      const x = read.get(node) ?? this.#number(node, k, i)
      read.set(node, x)
      return x
    }
    const flatten = (node: Node, up: boolean, first: boolean): void => {
      if (node.place === 'host') host.push({ x: this.#exact(node, k) as number, up })
      else if (first ? node.op !== 'mul' && node.op !== 'div' : this.#ends(node, 'mul', 'div')) {
        values.push({ x: factor(node), up })
      } else {
        flatten(node.args[0]!, up, false)
        flatten(node.args[1]!, node.op === 'mul' ? up : !up, false)
      }
    }
    for (const root of roots) flatten(root, true, true)
    if (host.length > 0 && this.#random() < 0.5) {
      values.push({ x: load(Math.fround(host.reduce((x, f) => (f.up ? x * f.x : x / f.x), 1))), up: true })
    } else {
      for (const { x, up } of host) {
        const inverted = !up && this.#random() < 0.5
        values.push({ x: load(Math.fround(inverted ? 1 / x : x)), up: up || inverted })
      }
    }
    while (values.length > 1) {
      const [p, q] = [take(values, this.#random), take(values, this.#random)]
      if (p.up === q.up) values.push({ x: round(p.x * q.x), up: p.up })
      else values.push({ x: p.up ? divide(p.x, q.x) : divide(q.x, p.x), up: true })
    }
    const [only] = values as [{ x: number; up: boolean }]
    return only.up ? only.x : divide(1, only.x)
  }
}

function take<T>(list: T[], random: Random): T {
  return list.splice(Math.floor(random() * list.length), 1)[0]!
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const rest = [...list]
  return list.map(() => take(rest, random))
}

/** What needs no rounding, or is float64's own. `count` operands, of those that take any number. */
function exact(op: string, of: (i: number) => Value, count = 2): Value {
  const x = (): number => of(0) as number
  const y = (): number => of(1) as number
  const all = (): number[] => Array.from({ length: count }, (_, i) => of(i) as number)
  switch (op) {
    case 'neg':
      return -x()
    case 'abs':
      return Math.abs(x())
    case 'sign':
      return Math.sign(x())
    case 'floor':
      return Math.floor(x())
    case 'sqrt':
      return Math.sqrt(x())
    case 'rsqrt':
      return 1 / Math.sqrt(x())
    case 'cbrt':
      return Math.cbrt(x())
    case 'exp':
      return Math.exp(x())
    case 'log':
      return Math.log(x())
    case 'tanh':
      return Math.tanh(x())
    case 'add':
      return x() + y()
    case 'sub':
      return x() - y()
    case 'mul':
      return x() * y()
    case 'div':
      return x() / y()
    case 'pow':
      return x() ** y()
    case 'max':
      return Math.max(...all())
    case 'min':
      return Math.min(...all())
    case 'lt':
      return x() < y()
    case 'le':
      return x() <= y()
    case 'gt':
      return x() > y()
    case 'ge':
      return x() >= y()
    case 'eq':
      return x() === y()
    case 'ne':
      return x() !== y()
    case 'not':
      return !of(0)
    case 'and':
      return (of(0) as boolean) && of(1)
    case 'or':
      return (of(0) as boolean) || of(1)
    default:
      throw new Error(op)
  }
}

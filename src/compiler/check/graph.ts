/**
 * Builds nodes: hash-consed, with level, place and kind inferred. A graph belongs to one optimizer.
 *
 * The level of an operation is the join of its operands'; its place is the device if any operand's is; a reduction
 * lowers the level to what it ranges over, and lives on the device.
 */
import { axesOf, joinAxes, type Over } from './axes.js'
import type { Binary, Fact, Kind, Level, Node, Op, Place, Reduce, Unary } from './program.js'

const ORDER: readonly Level[] = ['const', 'config', 'step', 'model', 'layer']

/** The least level that both fit in. */
export function join(a: Level, b: Level): Level {
  if (a === b) return a
  if (axesOf(a).length > 0 || axesOf(b).length > 0) return joinAxes(a, b)
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b
}

/** Whether a value of level `a` may stand where `b` is wanted. */
export function fits(a: Level, b: Level): boolean {
  return join(a, b) === b
}

const COMPARISONS = new Set<string>(['lt', 'le', 'gt', 'ge', 'eq', 'ne'])
const LOGIC = new Set<string>(['and', 'or', 'not'])

export interface SlotPlace {
  readonly level: Level
  readonly place: Place
}

export class Graph {
  readonly nodes: Node[] = []
  readonly #interned = new Map<string, Node>()
  #sites = 0

  const(value: number | boolean): Node {
    return this.#leaf({ op: 'const', value }, typeof value === 'boolean' ? 'bool' : 'number', 'const', 'host')
  }
  hyper(name: string, kind: Kind): Node {
    return this.#leaf({ op: 'hyper', name }, kind, 'config', 'host')
  }
  step(): Node {
    return this.#leaf({ op: 'step' }, 'number', 'step', 'host')
  }
  fact(name: Fact): Node {
    return this.#leaf({ op: 'fact', name }, 'number', name.startsWith('model') ? 'model' : 'layer', 'host')
  }
  match(pattern: string, flags: string): Node {
    return this.#leaf({ op: 'match', pattern, flags }, 'bool', 'layer', 'host')
  }
  mask(name: string): Node {
    return this.#leaf({ op: 'mask', name }, 'bool', 'layer', 'host')
  }
  weight(): Node {
    return this.#leaf({ op: 'weight' }, 'number', 'element', 'device')
  }
  gradient(): Node {
    return this.#leaf({ op: 'gradient' }, 'number', 'element', 'device')
  }
  slot(name: string, at: SlotPlace): Node {
    return this.#leaf({ op: 'slot', name }, 'number', at.level, at.place)
  }
  get isRandom(): boolean {
    return this.#sites > 0
  }
  /** A random number, another at each call. */
  noise(): Node {
    const key = ([0, 1, 2, 3] as const).map((word) => this.#leaf({ op: 'key', word }, 'number', 'layer', 'host'))
    return this.#noise(this.#sites++, key)
  }
  unary(op: Unary, x: Node): Node {
    return this.#apply({ op }, [x], op === 'not' ? 'bool' : 'number')
  }
  binary(op: Binary, x: Node, y: Node): Node {
    return this.#apply({ op }, [x, y], COMPARISONS.has(op) || LOGIC.has(op) ? 'bool' : 'number')
  }
  select(condition: Node, then: Node, otherwise: Node): Node {
    return this.#apply({ op: 'select' }, [condition, then, otherwise], then.kind)
  }
  reduce(op: Reduce, over: Over, x: Node): Node {
    return this.#intern({ op, over }, [x], 'number', over, 'device')
  }

  /** The same operation on other operands. */
  rebuild(node: Node, args: readonly Node[]): Node {
    if (args.length === 0) return this.#leaf(node, node.kind, node.level, node.place)
    if ('over' in node) return this.reduce(node.op, node.over, args[0]!)
    if (node.op === 'noise') return this.#noise(node.site, args)
    return this.#apply(node, args, node.kind)
  }

  #noise(site: number, key: readonly Node[]): Node {
    return this.#intern({ op: 'noise', site }, key, 'number', 'element', 'device')
  }

  #leaf(op: Op, kind: Kind, level: Level, place: Place): Node {
    return this.#intern(op, [], kind, level, place)
  }

  #apply(op: Op, args: readonly Node[], kind: Kind): Node {
    let level: Level = 'const'
    let place: Place = 'host'
    for (const a of args) {
      level = join(level, a.level)
      if (a.place === 'device') place = 'device'
    }
    return this.#intern(op, args, kind, level, place)
  }

  #intern(op: Op, args: readonly Node[], kind: Kind, level: Level, place: Place): Node {
    const attributes = attributesOf(op)
    let key = `${op.op}|${level}|${place}`
    for (const { id } of args) key += `|${id}`
    for (const [k, v] of attributes) key += `|${k}=${show(v)}`
    const known = this.#interned.get(key)
    if (known) return known
    const node = {
      op: op.op,
      ...Object.fromEntries(attributes),
      id: this.nodes.length,
      args,
      kind,
      level,
      place
    } as Node
    this.nodes.push(node)
    this.#interned.set(key, node)
    return node
  }
}

const ATTRIBUTES = ['value', 'name', 'grouped', 'pattern', 'flags', 'over', 'word', 'site'] as const

function attributesOf(op: Op): [string, unknown][] {
  const record = op as unknown as Record<string, unknown>
  return ATTRIBUTES.filter((k) => record[k] !== undefined).map((k) => [k, record[k]])
}

/** Keeps −0 apart from 0, and strings apart from what they might spell. */
function show(v: unknown): string {
  return Object.is(v, -0) ? '-0' : typeof v === 'string' ? JSON.stringify(v) : String(v)
}

/** Reductions: norm, mean, rms and dot are written with sums. */
import { problems } from '../messages.generated.js'
import type { Over, Span } from '../syntax/ast.js'
import type { Node, Reduce } from './program.js'
import { type Frame, report, textOf } from './scope.js'
import { combine, type Maybe, PER, type Value } from './value.js'
import { mayReduce } from './where.js'

/** `args` are numbers, or null where they are wrong; `at` is the whole reduction, `operand` what it ranges over. */
export function reduce(
  name: string,
  args: readonly Maybe[],
  over: Over | null,
  frame: Frame,
  at: Span,
  operand: Span
): Maybe {
  if (over === 'rows' || over === 'cols') {
    report(frame, problems.rowsAndColumns, at, { what: 'A reduction' })
    return null
  }
  const values = args.filter((v) => v !== null)
  if (values.length < args.length || !mayReduce(frame, textOf(frame, at), at)) return null
  const [x, y = x] = values as [Value, Value?]
  const { graph } = frame
  const reduced =
    name === 'dot' || name === 'norm' || name === 'rms' ? combine(graph.binary('mul', x.node, y.node), [x, y]) : x
  const range = over ?? 'layer'
  if (!varies(reduced, range)) {
    report(frame, problems.nothingToReduce, operand, {
      value: textOf(frame, operand),
      per: PER[reduced.level],
      ...(range === 'layer'
        ? { result: 'the layer', wanted: 'one value per weight' }
        : { result: 'the model', wanted: 'one value per weight or per layer' })
    })
    return null
  }
  const node = compute(name, reduced, range, frame)
  return { node, level: range, place: 'device' }
}

const varies = (x: Value, over: 'layer' | 'model'): boolean =>
  over === 'layer' ? ['element', 'row', 'col'].includes(x.level) : ['element', 'layer', 'row', 'col'].includes(x.level)

function compute(name: string, x: Value, over: 'layer' | 'model', frame: Frame): Node {
  const { graph } = frame
  if (name === 'max' || name === 'min') return gather(name, x, over, frame)
  const sum = gather('sum', x, over, frame)
  if (name === 'sum' || name === 'dot') return sum
  if (name === 'norm') return graph.unary('sqrt', sum)
  const mean = graph.binary('div', sum, count(x, over, frame))
  return name === 'rms' ? graph.unary('sqrt', mean) : mean
}

/** How many values are reduced. A step in which no layer takes part has none: their mean is 0, not 0 / 0. */
function count(x: Value, over: 'layer' | 'model', { graph }: Frame): Node {
  if (over === 'layer') return graph.fact('size')
  return graph.binary('max', graph.fact(x.level === 'layer' ? 'modelLayers' : 'modelSize'), graph.const(1))
}

/** A value that is per weight to its author, but the same in all of them (`m := 0`), needs no pass over the weights. */
function gather(op: Reduce, x: Value, over: 'layer' | 'model', { graph }: Frame): Node {
  const { node } = x
  if (over === 'layer') {
    if (node.level === 'element') return graph.reduce(op, 'layer', node)
    return op === 'sum' ? graph.binary('mul', node, graph.fact('size')) : node
  }
  if (node.level === x.level) return graph.reduce(op, 'model', node)
  if (op !== 'sum') return node.level === 'layer' ? graph.reduce(op, 'model', node) : node
  if (node.level === 'layer') return graph.reduce('sum', 'model', graph.binary('mul', node, graph.fact('size')))
  return graph.binary('mul', node, graph.fact(x.level === 'layer' ? 'modelLayers' : 'modelSize'))
}

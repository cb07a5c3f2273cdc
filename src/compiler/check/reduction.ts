/** Reductions: norm, mean, rms and dot are written with sums. How many values there are to reduce is a fact of the layer. */
import { problems } from '../messages.generated.js'
import type * as ast from '../syntax/ast.js'
import { countFact, type Over, reduceAs, variesBelow } from './axes.js'
import type { Graph } from './graph.js'
import type { Node, Reduce } from './program.js'
import { type Frame, report, textOf } from './scope.js'
import { asValue, combine, levelOver, type Maybe, PER, type Value } from './value.js'
import { mayReduce } from './where.js'

/** `args` are numbers, or null where they are wrong; `at` is the whole reduction, `operand` what it ranges over. */
export function reduce(
  name: string,
  args: readonly Maybe[],
  over: ast.Over | null,
  frame: Frame,
  at: ast.Span,
  operand: ast.Span
): Maybe {
  const values = args.filter((v) => v !== null)
  if (values.length < args.length || !mayReduce(frame, textOf(frame, at), at)) return null
  const [x, y = x] = values as [Value, Value?]
  const { graph } = frame
  const reduced =
    name === 'dot' || name === 'norm' || name === 'rms' ? combine(graph.binary('mul', x.node, y.node), [x, y]) : x
  const range = levelOver(over ?? 'layer')
  if (!variesBelow(reduced.level, range)) {
    const value = textOf(frame, operand)
    report(frame, problems.nothingToReduce, operand, { value, per: PER[reduced.level], ...REDUCED[range] })
    return null
  }
  if (name === 'count') return asValue(graph.fact(countFact(reduced.level, range)!))
  return { node: compute(name, reduced, range, frame), level: range, place: 'device' }
}

/** As messages say it. */
const REDUCED: Readonly<Record<Over, { readonly result: string; readonly wanted: string }>> = {
  row: { result: 'rows', wanted: 'one value per weight, per column or per channel' },
  col: { result: 'columns', wanted: 'one value per weight or per row' },
  channel: { result: 'channels', wanted: 'one value per weight, per row or per column' },
  layer: { result: 'the layer', wanted: 'one value per weight' },
  model: { result: 'the model', wanted: 'one value per weight or per layer' }
}

function compute(name: string, x: Value, over: Over, { graph }: Frame): Node {
  const gather = (op: Reduce): Node =>
    reduceAs(op, over, x.level, x.node, {
      reduce: (o, range, node) => graph.reduce(o, range, node),
      times: (node, fact) => graph.binary('mul', node, graph.fact(fact))
    })
  if (name === 'max' || name === 'min') return gather(name)
  const sum = gather('sum')
  if (name === 'sum' || name === 'dot') return sum
  if (name === 'norm') return graph.unary('sqrt', sum)
  const mean = graph.binary('div', sum, count(x, over, graph))
  return name === 'rms' ? graph.unary('sqrt', mean) : mean
}

/** How many values are reduced. A step in which no layer takes part has none: their mean is 0, not 0 / 0. */
function count(x: Value, over: Over, graph: Graph): Node {
  const all = graph.fact(countFact(x.level, over)!)
  return over === 'model' ? graph.binary('max', all, graph.const(1)) : all
}

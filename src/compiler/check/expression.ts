/** Expressions become nodes; operands of the wrong kind are reported where they stand. */
import { problems } from '../messages.generated.js'
import type { BinaryExpr, BinaryOp, Expr, IfExpr, MatchExpr } from '../syntax/ast.js'
import { LAYER_NAME } from './builtins.js'
import { call } from './call.js'
import { nested } from './inline.js'
import type { Binary, Kind } from './program.js'
import { reduce } from './reduction.js'
import { resolve } from './resolve.js'
import { type Frame, report, textOf } from './scope.js'
import { asValue, combine, type Maybe } from './value.js'

/** A value of either kind; null where it is wrong, which has then been reported. */
export function evaluate(e: Expr, frame: Frame): Maybe {
  return nested(frame, () => {
    const { graph } = frame
    switch (e.kind) {
      case 'number':
      case 'bool':
        return asValue(graph.const(e.value))
      case 'name':
        return resolve(e, frame)
      case 'unary': {
        const operator = e.op === 'not' ? 'not' : e.op === '-' ? 'neg' : 'sqrt'
        const x = evaluateAs(e.op === 'not' ? 'bool' : 'number', e.arg, frame, `\`${e.op}\``)
        return x && combine(graph.unary(operator, x.node), [x])
      }
      case 'binary':
        return binary(e, frame)
      case 'match':
        return match(e, frame)
      case 'if':
        return select(e, frame)
      case 'call':
        return call(e, frame)
      case 'norm': {
        const x = evaluateAs('number', e.arg, frame, '`‖…‖`')
        return reduce('norm', [x], e.over, frame, e, e.arg)
      }
      case 'error':
        return null
    }
  })
}

/** A value of the kind that `context` needs: "`+`", "the mask `adapt`". */
export function evaluateAs(kind: Kind, e: Expr, frame: Frame, context: string): Maybe {
  const x = evaluate(e, frame)
  if (x === null || x.node.kind === kind) return x
  const value = textOf(frame, e)
  report(frame, kind === 'number' ? problems.notANumber : problems.notABool, e, { value, context })
  return null
}

const OPERATORS: Readonly<Record<Exclude<BinaryOp, '==' | '!='>, { readonly op: Binary; readonly of: Kind }>> = {
  '+': { op: 'add', of: 'number' },
  '-': { op: 'sub', of: 'number' },
  '*': { op: 'mul', of: 'number' },
  '/': { op: 'div', of: 'number' },
  '^': { op: 'pow', of: 'number' },
  '<': { op: 'lt', of: 'number' },
  '<=': { op: 'le', of: 'number' },
  '>': { op: 'gt', of: 'number' },
  '>=': { op: 'ge', of: 'number' },
  and: { op: 'and', of: 'bool' },
  or: { op: 'or', of: 'bool' }
}

function binary(e: BinaryExpr, frame: Frame): Maybe {
  if (e.op === '==' || e.op === '!=') return equality(e, frame)
  const { op, of } = OPERATORS[e.op]
  const x = evaluateAs(of, e.left, frame, `\`${e.op}\``)
  const y = evaluateAs(of, e.right, frame, `\`${e.op}\``)
  return x && y && combine(frame.graph.binary(op, x.node, y.node), [x, y])
}

/** Both sides are numbers; of two bools one is told how to do without. */
function equality(e: BinaryExpr, frame: Frame): Maybe {
  const [x, y] = [evaluate(e.left, frame), evaluate(e.right, frame)]
  const bool = [e.left, e.right].find((_, i) => [x, y][i]?.node.kind === 'bool')
  if (bool) report(frame, problems.boolsCompared, e, { op: e.op, value: textOf(frame, bool) })
  if (bool || !x || !y) return null
  return combine(frame.graph.binary(e.op === '==' ? 'eq' : 'ne', x.node, y.node), [x, y])
}

function match(e: MatchExpr, frame: Frame): Maybe {
  if (e.subject.kind !== 'name' || e.subject.text !== LAYER_NAME) {
    if (e.subject.kind !== 'error') report(frame, problems.matchSubject, e.subject, { value: textOf(frame, e.subject) })
    return null
  }
  if (frame.where === 'mask') return asValue(frame.graph.match(e.pattern, e.flags))
  report(frame, problems.nameOutsideMask, e.subject, {})
  return null
}

const KINDS: Readonly<Record<Kind, string>> = { number: 'a number', bool: 'true or false' }

function select(e: IfExpr, frame: Frame): Maybe {
  const condition = evaluateAs('bool', e.condition, frame, '`if`')
  const then = evaluate(e.then, frame)
  const otherwise = evaluate(e.otherwise, frame)
  if (then && otherwise && then.node.kind !== otherwise.node.kind) {
    report(frame, problems.branchesDiffer, e.otherwise, {
      first: textOf(frame, e.then),
      firstKind: KINDS[then.node.kind],
      second: textOf(frame, e.otherwise),
      secondKind: KINDS[otherwise.node.kind]
    })
    return null
  }
  if (!condition || !then || !otherwise) return null
  return combine(frame.graph.select(condition.node, then.node, otherwise.node), [condition, then, otherwise])
}

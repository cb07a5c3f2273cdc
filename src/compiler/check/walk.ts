/** What stands in a declaration, gone through without recursion. */
import type { Declaration, Expr, Name, Statement } from '../syntax/ast.js'
import { childrenOf } from '../syntax/walk.js'

const ofStatement = (s: Statement): readonly Expr[] => (s.kind === 'use' ? s.args.map((a) => a.value) : [s.value])

function rootsOf(d: Declaration): readonly Expr[] {
  switch (d.kind) {
    case 'fn':
    case 'schedule':
      return [d.body]
    case 'transform':
      return [...d.masks.map((m) => m.predicate), ...d.states.map((s) => s.init), ...d.body.flatMap(ofStatement)]
    case 'optimizer':
      return [
        ...d.hypers.map((h) => h.init),
        ...d.masks.map((m) => m.predicate),
        ...d.states.map((s) => s.init),
        ...[...d.uses, ...d.steps.flatMap((s) => s.body)].flatMap(ofStatement),
        ...d.laws.flatMap((l) => [...l.replacements.map((r) => r.value), ...(l.condition ? [l.condition] : [])])
      ]
  }
}

/** Every expression of a declaration. */
export function* expressionsOf(d: Declaration): Generator<Expr> {
  const waiting = [...rootsOf(d)]
  for (let e = waiting.pop(); e !== undefined; e = waiting.pop()) {
    yield e
    waiting.push(...childrenOf(e))
  }
}

/** Whether the parser had to recover inside it: then what seems to be missing may just not have been understood. */
export function hasSyntaxError(d: Declaration): boolean {
  for (const e of expressionsOf(d)) if (e.kind === 'error') return true
  return false
}

/** The functions, schedules and transforms that it names, in source order. */
export function calledBy(d: Declaration): readonly Name[] {
  const names: Name[] = []
  for (const e of expressionsOf(d)) if (e.kind === 'call') names.push(e.callee)
  if (d.kind === 'transform') for (const s of d.body) if (s.kind === 'use') names.push(s.transform)
  return names.sort((a, b) => a.start - b.start)
}

/** What an expression means: a walk over the syntax tree, nothing else. */
import type { Argument, Declaration, Expr, NameExpr, Over, Param } from '../compiler/syntax/ast.js'
import type { Module } from '../compiler/syntax/modules.js'
import * as f from './functions.js'
import { draw, type Random } from './noise.js'
import { add, divide, exactly, multiply, type Num, negate, subtract } from './number.js'
import { reduce } from './reduction.js'
import { and, type Comparison, choose, chooseTruth, compare, not, or, truth } from './truth.js'
import { type BoolValue, bool, type Extent, map, type NumberValue, number, uniform, type Value } from './value.js'

/** Something that has a value and may get another: a local, a slot, the weight. */
export interface Cell {
  value: Value
}

export interface Scope {
  readonly extent: Extent
  readonly module: Module
  /** What every expression of the step may read: `rank`, `size`, `age`, `t`. */
  readonly facts: ReadonlyMap<string, Cell>
  readonly names: Map<string, Cell>
  /** Of the layers: their names, for `name ~ /re/`, and the masks that the caller overrides. */
  readonly layers: readonly { readonly name: string; readonly masks: Readonly<Record<string, boolean>> }[]
  readonly random: Random
}

export const scopeOf = (scope: Scope, module: Module): Scope => ({ ...scope, module, names: new Map() })

export function evaluate(e: Expr, scope: Scope): Value {
  const { extent } = scope
  switch (e.kind) {
    case 'number':
      return uniform(extent, 'const', exactly(e.value))
    case 'bool':
      return constant(extent, e.value)
    case 'name':
      return lookUp(e, scope)
    case 'unary': {
      const x = evaluate(e.arg, scope)
      if (e.op === 'not') return bool(map(extent, [bools(x)], (_, p) => not(p)))
      if (e.op === '√') return number(map(extent, [numbers(x)], f.sqrt))
      return number(map(extent, [numbers(x)], (_, n) => negate(n)))
    }
    case 'binary':
      return binary(e.op, evaluate(e.left, scope), evaluate(e.right, scope), extent)
    case 'match': {
      const pattern = new RegExp(e.pattern, e.flags.replace(/[gy]/g, ''))
      return {
        kind: 'bool',
        level: 'layer',
        place: 'host',
        of: scope.layers.map(({ name }) => [truth(pattern.test(name))])
      }
    }
    case 'if':
      return select(evaluate(e.condition, scope), evaluate(e.then, scope), evaluate(e.otherwise, scope), extent)
    case 'norm':
      return reduce('norm', [numbers(evaluate(e.arg, scope))], e.over, extent)
    case 'call':
      return call(e.callee.text, e.args, e.over, scope)
    case 'error':
      throw new Error('the program has errors')
  }
}

const constant = (extent: Extent, value: boolean): BoolValue => ({
  kind: 'bool',
  level: 'const',
  place: 'host',
  of: extent.grids.map(() => [truth(value)])
})

export function numbers(v: Value): NumberValue {
  if (v.kind !== 'number') throw new Error('a number was wanted, here is a bool')
  return v
}

export function bools(v: Value): BoolValue {
  if (v.kind !== 'bool') throw new Error('a bool was wanted, here is a number')
  return v
}

function lookUp(e: NameExpr, scope: Scope): Value {
  const cell = scope.names.get(e.text) ?? scope.facts.get(e.text)
  if (!cell) throw new Error(`unknown name ${e.text}`)
  return cell.value
}

const COMPARISONS: readonly string[] = ['<', '<=', '>', '>=', '==', '!=']
const ARITHMETIC = { '+': add, '-': subtract, '*': multiply }

function binary(op: string, left: Value, right: Value, extent: Extent): Value {
  if (op === 'and' || op === 'or') {
    return bool(map(extent, [bools(left), bools(right)], (_, p, q) => (op === 'and' ? and(p, q) : or(p, q))))
  }
  const [p, q] = [numbers(left), numbers(right)]
  if (COMPARISONS.includes(op)) return bool(map(extent, [p, q], (_, x, y) => compare(op as Comparison, x, y)))
  if (op === '/')
    return number(map(extent, [p, q], (a, x, y) => divide(a, x, y, p.place !== q.place && q.place === 'host')))
  if (op === '^') return power(p, q, extent)
  return number(map(extent, [p, q], ARITHMETIC[op as keyof typeof ARITHMETIC]))
}

function power(base: NumberValue, exponent: NumberValue, extent: Extent): Value {
  // The exponent of an expanded power is no operand: it is never read by a kernel.
  const isConstant = exponent.level === 'const' && expands(exponent.of[0]![0]!.x)
  if (isConstant) {
    const y = exponent.of[0]![0]!
    return number(map(extent, [base], (a, x) => f.power(a, x, y, true, base.place === 'host')))
  }
  const onHost = base.place === 'host' && exponent.place === 'host'
  return number(map(extent, [base, exponent], (a, x, y) => f.power(a, x, y, false, onHost)))
}

const expands = (y: number): boolean => Number.isInteger(y) || Math.abs(y) === 0.5

function select(condition: Value, then: Value, otherwise: Value, extent: Extent): Value {
  const c = bools(condition)
  if (then.kind === 'number') return number(map(extent, [c, then, numbers(otherwise)], (_, p, x, y) => choose(p, x, y)))
  return bool(map(extent, [c, then, bools(otherwise)], (_, p, x, y) => chooseTruth(p, x, y)))
}

type Elementwise = (a: Extent['table']['device'], ...entries: Num[]) => Num
const FUNCTIONS: Readonly<Record<string, Elementwise>> = {
  sqrt: (a, x) => f.sqrt(a, x!),
  rsqrt: (a, x) => f.rsqrt(a, x!),
  cbrt: (a, x) => f.cbrt(a, x!),
  exp: (a, x) => f.exp(a, x!),
  log: (a, x) => f.log(a, x!),
  tanh: (a, x) => f.tanh(a, x!),
  abs: (_, x) => f.abs(x!),
  sign: (_, x) => f.sign(x!),
  floor: (_, x) => f.floor(x!),
  clamp: (_, x, low, high) => f.clamp(x!, low!, high!),
  max: (_, ...xs) => xs.reduce(f.larger),
  min: (_, ...xs) => xs.reduce(f.smaller)
}
const REDUCTIONS: readonly string[] = ['sum', 'mean', 'count', 'norm', 'rms', 'dot', 'max', 'min']

function call(name: string, args: readonly Argument[], over: Over | null, scope: Scope): Value {
  const { extent } = scope
  const declared = find(scope.module, name)
  if (declared) {
    const { module, declaration } = declared
    if (declaration.kind !== 'fn' && declaration.kind !== 'schedule') throw new Error(`${name} can't be called`)
    return evaluate(declaration.body, bind(declaration.params, args, scope, scopeOf(scope, module)))
  }
  if (name === 'noise') return draw(extent, scope.random, scope.layers)
  const values = args.map((argument) => numbers(evaluate(argument.value, scope)))
  const chooses = (name === 'max' || name === 'min') && values.length > 1
  if (REDUCTIONS.includes(name) && !chooses) return reduce(name, values, over, extent)
  const elementwise = FUNCTIONS[name]
  if (!elementwise) throw new Error(`unknown function ${name}`)
  return number(map(extent, values, elementwise))
}

/** A declaration of this file, or one that it imports. */
export function find(module: Module, name: string): { module: Module; declaration: Declaration } | null {
  const declaration = module.file.declarations.find((d) => d.name.text === name)
  if (declaration) return { module, declaration }
  const imported = module.imports.get(name)
  return imported ? find(imported.module, imported.name) : null
}

/** Parameters get their arguments, which the caller's scope gives a meaning in the order written, or their defaults. */
export function bind(
  params: readonly Param[],
  args: readonly Argument[],
  caller: Scope,
  callee: Scope,
  cellOf: (e: Expr, scope: Scope) => Cell = (e, scope) => ({ value: evaluate(e, scope) })
): Scope {
  const given = args.map((argument) => cellOf(argument.value, caller))
  params.forEach((param, i) => {
    const own = given[args.findIndex((a, k) => (a.name ? a.name.text === param.text : k === i))]
    const cell = own ?? (param.init ? cellOf(param.init, callee) : null)
    if (!cell) throw new Error(`no value for ${param.text}`)
    callee.names.set(param.text, cell)
  })
  return callee
}

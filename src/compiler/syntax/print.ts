/** Syntax tree → text, as `parse` reads it back: the same tree but for spans. Comments that document nothing are not in it. */
import type * as ast from './ast.js'

/** A whole file, in the order: imports, then declarations. */
export function print(file: Pick<ast.File, 'imports' | 'declarations'>): string {
  const imports = file.imports.map(printImport).join('')
  return [...(imports === '' ? [] : [imports]), ...file.declarations.map(printDeclaration)].join('\n')
}

const names = (list: readonly ast.Name[]): string => list.map(({ text }) => text).join(', ')

const printImport = (decl: ast.ImportDecl): string => `import { ${names(decl.names)} } from "${decl.from.text}"\n`

export function printDeclaration(decl: ast.Declaration): string {
  const { name } = decl
  switch (decl.kind) {
    case 'optimizer':
      return `${doc(decl)}optimizer ${name.text} {\n${bodyOf([
        decl.hypers.map(printItem),
        decl.masks.map(printItem),
        decl.states.map(printItem),
        decl.uses.map(printStatement),
        ...decl.steps.map((step) => [`step(${names(step.params)}) {\n${bodyOf([step.body.map(printStatement)])}}`]),
        decl.laws.map(printItem)
      ])}}\n`
    case 'transform': {
      const params = decl.params.length === 0 ? '' : `(${parameters(decl.params)})`
      return `${doc(decl)}transform ${name.text}${params} on (${names(decl.on)}) {\n${bodyOf([
        decl.masks.map(printItem),
        decl.states.map(printItem),
        decl.body.map(printStatement)
      ])}}\n`
    }
    case 'fn':
    case 'schedule':
      return `${doc(decl)}${decl.kind} ${name.text}(${parameters(decl.params)}) = ${printExpression(decl.body)}\n`
  }
}

/** Groups of lines, with an empty line between them. */
function bodyOf(groups: readonly (readonly string[])[]): string {
  return groups
    .filter((group) => group.length > 0)
    .map((group) => group.map((item) => `${item.replace(/^(?=.)/gm, '  ')}\n`).join(''))
    .join('\n')
}

const doc = ({ doc }: { readonly doc: ast.Doc }): string =>
  doc === '' ? '' : doc.replace(/^/gm, '/// ').replace(/ +$/gm, '').concat('\n')

const parameters = (params: readonly ast.Param[]): string =>
  params.map(({ text, init }) => (init === null ? text : `${text} = ${printExpression(init)}`)).join(', ')

const over = (over: ast.Over | null): string => (over === null ? '' : ` over ${over}`)

function printItem(item: ast.HyperDecl | ast.MaskDecl | ast.StateDecl | ast.LawDecl): string {
  switch (item.kind) {
    case 'hyper': {
      const symbol = item.symbol.text === item.external.text ? '' : ` as ${item.symbol.text}`
      const range = item.range === null ? '' : ` in ${printRange(item.range)}`
      return `${doc(item)}hyper ${item.external.text}${symbol} = ${printExpression(item.init)}${range}`
    }
    case 'mask':
      return `${doc(item)}mask ${item.name.text} = ${printExpression(item.predicate)}`
    case 'state':
      return `${doc(item)}state ${item.name.text}${over(item.over)} = ${printExpression(item.init)}`
    case 'law':
      return `${doc(item)}law ${item.name.text}: ${lawText(item)}`
  }
}

/** What a law claims: "g -> 8 * g, lr -> lr / 8". */
export function lawText({ replacements, condition }: Pick<ast.LawDecl, 'replacements' | 'condition'>): string {
  const replaced = replacements.map(({ name, value }) => `${name.text} -> ${printExpression(value)}`)
  return `${replaced.join(', ')}${condition === null ? '' : ` if ${printExpression(condition)}`}`
}

function printRange(range: ast.Range): string {
  if (range.kind === 'set') return `{${range.values.map(printExpression).join(', ')}}`
  const { low, lowOpen, high, highOpen } = range
  return `${lowOpen ? '(' : '['}${printExpression(low)}, ${printExpression(high)}${highOpen ? ')' : ']'}`
}

export function printStatement(statement: ast.Statement): string {
  switch (statement.kind) {
    case 'local':
      return `${statement.name.text} = ${printExpression(statement.value)}`
    case 'update':
      return `${statement.name.text} := ${printExpression(statement.value)}`
    case 'observe':
      return `observe ${printExpression(statement.value)} as ${statement.name.text}`
    case 'use': {
      const { transform, args, on } = statement
      return `use ${transform.text}(${printArguments(args)})${on === null ? '' : ` on (${names(on)})`}`
    }
  }
}

const printArguments = (args: readonly ast.Argument[]): string =>
  args.map(({ name, value }) => `${name === null ? '' : `${name.text} = `}${printExpression(value)}`).join(', ')

/** How tightly an expression holds together, from `if` to what stands alone. */
const LOOSEST = 0
const NOT = 3
const COMPARISON = 4
const NEGATIVE = 7
const POWER = 8
const POSTFIX = 9
const PRIMARY = 10

const OPERATORS: Readonly<Record<ast.BinaryOp, number>> = {
  or: 1,
  and: 2,
  '<': COMPARISON,
  '<=': COMPARISON,
  '>': COMPARISON,
  '>=': COMPARISON,
  '==': COMPARISON,
  '!=': COMPARISON,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '^': POWER
}

function tightness(e: ast.Expr): number {
  switch (e.kind) {
    case 'if':
      return LOOSEST
    case 'binary':
      return OPERATORS[e.op]
    case 'match':
      return COMPARISON
    case 'unary':
      return { not: NOT, '-': NEGATIVE, '√': PRIMARY }[e.op]
    default:
      return PRIMARY
  }
}

/** With the parentheses that it needs and no others. */
export function printExpression(e: ast.Expr): string {
  switch (e.kind) {
    case 'number':
      return e.value === Number.POSITIVE_INFINITY ? 'inf' : String(e.value)
    case 'bool':
      return String(e.value)
    case 'name':
      return e.text
    case 'unary':
      return e.op === '√'
        ? `√${within(e.arg, PRIMARY)}`
        : `${e.op === 'not' ? 'not ' : '-'}${within(e.arg, tightness(e))}`
    case 'binary':
      return printBinary(e)
    case 'match':
      return `${within(e.subject, COMPARISON + 1)} ~ /${e.pattern}/${e.flags}`
    case 'if':
      return `if ${printExpression(e.condition)} then ${printExpression(e.then)} else ${printExpression(e.otherwise)}`
    case 'call':
      return `${e.callee.text}(${printArguments(e.args)}${over(e.over)})`
    case 'norm':
      return `‖${printExpression(e.arg)}${over(e.over)}‖`
    case 'error':
      return '…'
  }
}

function printBinary({ op, left, right }: ast.BinaryExpr): string {
  const own = OPERATORS[op]
  if (op === '^') {
    // What follows a root is not read as a power of it.
    const base = left.kind === 'unary' ? `(${printExpression(left)})` : within(left, POSTFIX)
    return `${base}^${within(right, NEGATIVE)}`
  }
  return `${within(left, own === COMPARISON ? own + 1 : own)} ${op} ${within(right, own + 1)}`
}

/** In parentheses, where it would fall apart without them. */
function within(e: ast.Expr, least: number): string {
  return tightness(e) < least ? `(${printExpression(e)})` : printExpression(e)
}

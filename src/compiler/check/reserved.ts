/** Names that callers write, and what they would collide with there. */
import { problems } from '../messages.generated.js'
import type { Name, OptimizerDecl } from '../syntax/ast.js'
import { type Frame, report } from './scope.js'

/** Taken in a compiled class, in its options, or in every object of JavaScript. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'groups inPlace name className customObjects layers plan kernel iterations observations minimize computeGradients ' +
    'applyGradients getConfig getWeights setWeights getClassName saveIterations extractIterations incrementIterations ' +
    'fromConfig match dispose constructor prototype __proto__ then toString toLocaleString valueOf hasOwnProperty isPrototypeOf ' +
    'propertyIsEnumerable'
  ).split(' ')
)

/** Reports a name that callers can't be given. `what` begins a sentence: "A mask". */
export function mayBeOption(name: Name, what: string, frame: Frame, instead = ''): boolean {
  if (RESERVED.has(name.text)) {
    report(frame, problems.reservedName, name, { what, name: name.text, suggestion: instead })
    return false
  }
  if (!name.text.includes('_')) return true
  report(frame, problems.underscoreInName, name, { what, name: name.text, suggestion: camelCase(name.text) })
  return false
}

/** An optimizer with random numbers has an option of its own. */
export function seedApart({ hypers, masks }: OptimizerDecl, frame: Frame): void {
  if (!frame.graph.isRandom) return
  const suggestion = ': an optimizer that calls `noise()` has an option `seed`'
  const taken = (name: Name): boolean => name.text === 'seed'
  for (const name of hypers.map((h) => h.external).filter(taken))
    report(frame, problems.reservedName, name, { what: 'A hyperparameter', name: name.text, suggestion })
  for (const name of masks.map((m) => m.name).filter(taken))
    report(frame, problems.reservedName, name, { what: 'A mask', name: name.text, suggestion })
}

/** Observations are properties of a plain object. */
export function mayBeObserved(name: Name, frame: Frame): void {
  if (name.text !== '__proto__') return
  report(frame, problems.reservedName, name, { what: 'An observation', name: name.text, suggestion: '' })
}

function camelCase(name: string): string {
  const [first, ...others] = name.split(/_+/).filter((word) => word !== '')
  if (first === undefined) return 'Choose a name without them.'
  const rest = others.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
  return `Write \`${first}${rest.join('')}\`.`
}

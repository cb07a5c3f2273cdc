/** Names that a body does not know, but that are bound where its author may have looked for them. */
import { std } from '../std.generated.js'
import type { OptimizerDecl } from '../syntax/ast.js'
import type { Module } from '../syntax/modules.js'

const DECLARED = /^(?:fn|schedule|transform) (\w+)/gm

/** A hint for a name of the standard library, or of an optimizer of the file; '' if it is neither. */
export function elsewhere(name: string, { file }: Module): string {
  const inStd = [...std.matchAll(DECLARED)].some(([, declared]) => declared === name)
  if (inStd && file.path !== 'std') return `It is in the standard library: \`import { ${name} } from "std"\`.`
  const owner = ownerOf(name, { file })
  return owner
    ? `It belongs to the optimizer \`${owner.name.text}\`: what is outside knows it through a parameter alone.`
    : ''
}

/** The optimizer of the file that binds the name for itself. */
export const ownerOf = (name: string, { file }: Pick<Module, 'file'>): OptimizerDecl | undefined =>
  file.declarations.filter((d) => d.kind === 'optimizer').find((d) => namesIn(d).includes(name))

function namesIn({ hypers, masks, states, steps }: OptimizerDecl): string[] {
  const names = [...hypers.map((h) => h.symbol), ...masks.map((m) => m.name), ...states.map((s) => s.name)]
  return [...names, ...steps.flatMap((step) => step.params)].map((n) => n.text)
}

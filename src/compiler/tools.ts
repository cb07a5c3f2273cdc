/** The printer and the assembler that the command line uses. They are large, so they load when they are asked for. */
import type { Print } from './emit/class-file.js'
import type { Assemble } from './emit/emitter.js'

export interface Tools {
  readonly print: Print
  readonly assemble: Assemble
}

/** Options for `compile`: `compile(source, { ...(await loadTools()), path })`. */
export async function loadTools(): Promise<Tools> {
  const [{ print }, { compile }] = await Promise.all([import('./emit/classes.js'), import('watr')])
  return { print, assemble: (wat) => compile(wat) }
}

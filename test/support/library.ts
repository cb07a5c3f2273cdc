/** The optimizers of optimizers/, by name. */
import { readdirSync, readFileSync } from 'node:fs'
import { link, type Module } from '../../src/compiler/syntax/modules.js'

const folder = new URL('../../optimizers/', import.meta.url)

/** Those whose emitted text is kept in test/golden/ for a person to read: few, and every shape of kernel. */
export const GOLDEN: readonly string[] = [
  'sgd',
  'momentum',
  'adagrad',
  'adam',
  'lars',
  'lamb',
  'clipped-adamw',
  'adafactor'
]

export interface Shipped {
  readonly name: string
  /** Its file in optimizers/. */
  readonly file: string
  readonly source: string
}

/** One a file, in the order of their files. */
export const shipped: ReadonlyMap<string, Shipped> = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.opt') && file !== 'std.opt')
    .sort()
    .map((file) => {
      const source = readFileSync(new URL(file, folder), 'utf8')
      const [, name] = /^optimizer (\w+) \{/m.exec(source)!
      return [name!, { name: name!, file, source }]
    })
)

/** A text that may import from "std" alone, and has no errors. */
export function linked(source: string): Module {
  const { module, diagnostics } = link(source, 'linked.opt', () => null)
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join('\n'))
  return module
}

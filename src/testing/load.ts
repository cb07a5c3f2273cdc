/** Brings printed code to life without a file: its imports are modules that are already loaded. */

const REGISTRY = Symbol.for('optc.testing.modules')
type Namespace = Readonly<Record<string, unknown>>
const registry = new Map<string, Namespace>()
Object.assign(globalThis, { [REGISTRY]: registry })

/**
 * A specifier from which everything in `exports` can be imported. It ends in a comment, so that what a printer appends to
 * a package's name (`/cpu`) changes nothing.
 */
export function specifierOf(name: string, exports: Namespace): string {
  registry.set(name, exports)
  const names = Object.keys(exports).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default')
  const text = `export const { ${names.join(', ')} } = globalThis[Symbol.for('optc.testing.modules')].get('${name}') //`
  return urlOf(text)
}

/** The exports of an ES module given as text. */
export async function load(code: string): Promise<Namespace> {
  return import(/* @vite-ignore */ urlOf(code))
}

/** Stands between quotes of either kind. */
const urlOf = (code: string): string => `data:text/javascript,${encodeURIComponent(code).replaceAll("'", '%27')}`

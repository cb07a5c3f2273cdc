/** What an emitter printed, as the value that it is in a generated file. */
import { transformSync } from 'esbuild'
import type { Emitted } from '../../src/compiler/emit/emitter.js'
import type { Target } from '../../src/runtime/program.js'

export function targetOf(emitted: Emitted, runtime: Readonly<Record<string, unknown>>): Target {
  const source = `${emitted.declarations.join('\n')}\nexport default ${emitted.expression}`
  const { code } = transformSync(source, { loader: 'ts', format: 'cjs' })
  const module = { exports: {} as { default?: Target } }
  new Function('module', ...Object.keys(runtime), code)(module, ...Object.values(runtime))
  return module.exports.default!
}

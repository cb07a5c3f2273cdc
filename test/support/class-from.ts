/** A class from the text of a CommonJS module that finds the runtime and tfjs in its scope. In a page as well as here. */
import * as tf from '@tensorflow/tfjs-core'
import * as runtime from '../../src/runtime/index.js'
import type { CompiledClass } from '../../src/testing/session.js'
import { TESTED } from '../../src/testing/targets.js'

export function classFrom(code: string): CompiledClass {
  const scope = { tf, ...runtime, ...Object.assign({}, ...TESTED.map((t) => t.driver)) }
  const made = { exports: {} as { default?: CompiledClass } }
  new Function('module', ...Object.keys(scope), code)(made, ...Object.values(scope))
  return made.exports.default!
}

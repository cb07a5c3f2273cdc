/** Compiled optimizers brought to life in this process, on the runtime that is loaded here. */
import * as tf from '@tensorflow/tfjs-core'
import * as runtime from '../runtime/index.js'
import { load, specifierOf } from './load.js'
import { TESTED } from './targets.js'

/** Print files with this as `importFrom`, then `importPrinted` runs them. */
export const RUNTIME: string = specifierOf(
  'runtime',
  Object.assign({}, runtime, ...TESTED.map((target) => target.driver))
)

/** The exports of a file that was printed as JavaScript. */
export async function importPrinted(code: string): Promise<Readonly<Record<string, unknown>>> {
  return load(code.replaceAll("'@tensorflow/tfjs-core'", `'${specifierOf('core', tf)}'`))
}

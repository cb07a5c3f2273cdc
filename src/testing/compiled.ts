/** Compiled optimizers brought to life in this process, on the runtime that is loaded here. */
import * as tf from '@tensorflow/tfjs-core'
import * as cpu from '../runtime/cpu.js'
import * as runtime from '../runtime/index.js'
import * as ops from '../runtime/ops.js'
import * as webgpu from '../runtime/webgpu.js'
import { load, specifierOf } from './load.js'

/** Print files with this as `importFrom`, then `importPrinted` runs them. */
export const RUNTIME: string = specifierOf('runtime', { ...runtime, ...cpu, ...ops, ...webgpu })

/** The exports of a file that was printed as JavaScript. */
export async function importPrinted(code: string): Promise<Readonly<Record<string, unknown>>> {
  return load(code.replaceAll("'@tensorflow/tfjs-core'", `'${specifierOf('core', tf)}'`))
}

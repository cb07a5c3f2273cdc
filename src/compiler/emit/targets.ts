/** The targets that there are, in the order in which a generated class tries their drivers. */
import { cpu } from './cpu.js'
import type { Emitter } from './emitter.js'
import { ops } from './ops.js'
import { tensorflow } from './tensorflow.js'
import { wasm } from './wasm.js'
import { webgl } from './webgl.js'
import { webgpu } from './webgpu.js'

export const TARGETS: readonly Emitter[] = [webgpu, webgl, wasm, cpu, tensorflow, ops]

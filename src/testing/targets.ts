/** What tests know of each target: its driver, and what the arithmetic of each kernel that it may run loses. */
import { type Table, tables } from '../reference/index.js'
import * as cpu from '../runtime/cpu.js'
import * as ops from '../runtime/ops.js'
import * as tensorflow from '../runtime/tensorflow.js'
import * as wasm from '../runtime/wasm.js'
import * as webgl from '../runtime/webgl.js'
import * as webglCells from '../runtime/webgl-cells.js'
import * as webglLines from '../runtime/webgl-lines.js'
import * as webgpu from '../runtime/webgpu.js'

interface TestedTarget {
  readonly driver: Readonly<Record<string, unknown>>
  readonly tables: Readonly<Record<string, Table>>
}

export const TESTED: readonly TestedTarget[] = [
  { driver: webgpu, tables: { webgpu: tables.wgsl } },
  { driver: wasm, tables: { wasm: tables.wasm } },
  { driver: { ...webgl, ...webglCells, ...webglLines }, tables: { webgl: tables.glsl } },
  { driver: cpu, tables: { cpu: tables.wasm, 'cpu-js': tables.javascript } },
  { driver: tensorflow, tables: { tensorflow: tables.eigen } },
  { driver: ops, tables: { ops: tables.ops } }
]

/** The table of roundings for the kernel that ran; `ops` runs on whatever backend there is. */
export const TABLE_OF: Readonly<Record<string, Table>> = Object.assign({}, ...TESTED.map((target) => target.tables))

/** tfjs backends on which an element's arithmetic is IEEE float32, the same wherever the element stands. */
export const EXACT_BACKENDS: readonly string[] = ['cpu', 'wasm']

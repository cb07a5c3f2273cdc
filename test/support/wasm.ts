/** TensorFlow.js on its wasm backend, in Node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'

export async function openWasm(): Promise<void> {
  const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')
  setWasmPaths(`${dirname(file)}/`)
  await tf.setBackend('wasm')
}

/** What tfjs's bundle for Node calls the modules that its workers read. */
const MODULES = "var commonjsGlobal = globalThis, require$$0 = require('fs'), require$$1 = require('path')"
const MORE = "require$$3 = require('perf_hooks'), require$$4 = require('os')"

/**
 * The threaded build, whose heap is a shared memory. tfjs starts it in browsers only, for it hands scripts to its workers
 * as object URLs, which workers of Node can't read: here they are files. Returns what ends it.
 */
export async function openThreadedWasm(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'optc-threads-'))
  const { Blob, URL } = globalThis
  const { createObjectURL } = URL
  let scripts = 0
  globalThis.Blob = class {
    readonly path = join(folder, `${scripts++}.js`)
    constructor(parts: string[]) {
      const head = `URL.createObjectURL = (blob) => blob.path\n${MODULES}, ${MORE}\n`
      writeFileSync(this.path, head + parts.join(''))
    }
  } as unknown as typeof Blob
  URL.createObjectURL = (blob) => (blob as unknown as { path: string }).path
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true)
  try {
    await openWasm()
  } finally {
    Object.assign(globalThis, { Blob })
    Object.assign(URL, { createObjectURL })
  }
  return () => {
    tf.removeBackend('wasm')
    rmSync(folder, { recursive: true })
  }
}

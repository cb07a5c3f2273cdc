/** The backends that an optimizer can be tried on here: found from the project in which `optc` is called. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'

export interface Backend {
  readonly name: string
  /** Null for all. */
  readonly targets: readonly string[] | null
  /** Makes it current; why that can't be done, or null. */
  readonly open: () => Promise<string | null>
  readonly close?: () => void
}

const WebAssembly = globalThis.WebAssembly

export const BACKENDS: readonly Backend[] = [
  { name: 'cpu', targets: null, open: () => start('cpu', ['@tensorflow/tfjs-backend-cpu']) },
  {
    name: 'cpu-js',
    targets: null,
    open: async () => {
      const reason = await start('cpu', ['@tensorflow/tfjs-backend-cpu'])
      // As a page does whose policy forbids it.
      Object.assign(globalThis, { WebAssembly: undefined })
      return reason
    },
    close: () => void Object.assign(globalThis, { WebAssembly })
  },
  { name: 'ops', targets: ['ops'], open: () => start('cpu', ['@tensorflow/tfjs-backend-cpu']) },
  { name: 'wasm', targets: null, open: startWasm },
  { name: 'webgpu', targets: null, open: startWebGpu, close: closeWebGpu },
  {
    name: 'tensorflow',
    targets: null,
    open: () => {
      // Without its lines on what the processor can do.
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
      return start('tensorflow', ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'])
    }
  },
  { name: 'webgl', targets: null, open: async () => 'it is in browsers only' }
]

/** Loads the first of these packages that the project has, and makes the backend current. */
async function start(backend: string, packages: readonly string[]): Promise<string | null> {
  const found = packages.map(find).find((path) => path !== null)
  if (!found) return `the project has no ${packages.join(' or ')}`
  try {
    await import(pathToFileURL(found).href)
    if (!(await tf.setBackend(backend))) return `${found} does not start`
    await tf.ready()
    return null
  } catch (error) {
    return `${found} does not start: ${firstLine(error)}`
  }
}

/** From the project, from what it has through @tensorflow/tfjs, or from where optc is. */
function find(name: string): string | null {
  const project = createRequire(join(process.cwd(), 'package.json'))
  const froms = [project, () => createRequire(project.resolve('@tensorflow/tfjs')), createRequire(import.meta.url)]
  for (const from of froms) {
    try {
      return ('resolve' in from ? from : from()).resolve(name)
    } catch {
      // Not there.
    }
  }
  return null
}

async function startWasm(): Promise<string | null> {
  const path = find('@tensorflow/tfjs-backend-wasm')
  if (path) {
    const { setWasmPaths } = createRequire(path)(path) as { setWasmPaths(folder: string): void }
    setWasmPaths(`${dirname(path)}/`)
  }
  return start('wasm', ['@tensorflow/tfjs-backend-wasm'])
}

interface Npm {
  readonly create: (options: readonly string[]) => unknown
  readonly globals: object
}

/** npm's `webgpu` as `navigator.gpu`, then tfjs's backend on it. */
async function startWebGpu(): Promise<string | null> {
  if (globalThis.navigator?.gpu) return start('webgpu', ['@tensorflow/tfjs-backend-webgpu'])
  const path = find('webgpu')
  if (!path) return 'the project has no webgpu, which gives Node an adapter'
  try {
    const { create, globals } = (await import(pathToFileURL(path).href)) as Npm
    Object.assign(globalThis, globals)
    if (!globalThis.navigator) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
    Object.defineProperty(globalThis.navigator, 'gpu', { value: create([]), configurable: true })
    if (!(await navigator.gpu.requestAdapter())) return 'this machine has no WebGPU adapter'
  } catch (error) {
    return `npm's webgpu does not start: ${firstLine(error)}`
  }
  return start('webgpu', ['@tensorflow/tfjs-backend-webgpu'])
}

/** The process runs on while it stands. The backend stays: Dawn aborts when its device goes before it does. */
function closeWebGpu(): void {
  Reflect.deleteProperty(globalThis.navigator, 'gpu')
}

const firstLine = (error: unknown): string => String((error as Error)?.message ?? error).split('\n')[0]!

// The library as the pages about it see it: each file of optimizers/, parsed, with what it imports.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importBundled } from '../import-bundled.mjs'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const read = (path) => readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n')

const sources = importBundled(`
  export { link } from './src/compiler/syntax/modules.js'
  export { lawText } from './src/compiler/syntax/print.js'
  export { reference } from './src/reference/reference.js'
  export { trajectory } from './src/reference/trajectory.js'
`)

export const { lawText } = await sources

/** [{ file, module, optimizer }], one a file, in the order of their files. */
export async function library() {
  const { link } = await sources
  return readdirSync(join(root, 'optimizers'))
    .filter((file) => file.endsWith('.opt') && file !== 'std.opt')
    .sort()
    .map((file) => {
      const { module } = link(read(`optimizers/${file}`), file, () => null)
      return { file, module, optimizer: module.file.declarations.find((d) => d.kind === 'optimizer') }
    })
}

/** What `plot` calls: the reference on two weights, a matrix as far as masks go, until they are far off. */
export async function walker(module, optimizer) {
  const { reference, trajectory } = await sources
  const of = reference(module, optimizer.name.text)
  return (start, gradient, rate, steps) => {
    const learningRate = of.hypers.find((h) => h.name === 'learningRate')
    const hypers = learningRate ? { learningRate: learningRate.init * rate } : {}
    const run = trajectory(of, [{ name: 'dense/kernel', shape: [1, 2], weight: start }], hypers)
    const path = []
    let at = start
    for (let t = 0; t < steps && at.every((x) => Math.abs(x) < 10); t++) {
      at = [...run.step([gradient(at)]).layers[0].weight.value]
      path.push(at)
    }
    return path
  }
}

/** The default of `learningRate`, or null. */
export async function defaultRate(module, optimizer) {
  const { reference } = await sources
  return reference(module, optimizer.name.text).hypers.find((h) => h.name === 'learningRate')?.init ?? null
}

/** The transforms and functions that statements use, and those that these use, each once: [{ module, declaration }]. */
export function helpersOf(module, statements) {
  const found = new Map()
  const enter = (home, name) => {
    const own = home.file.declarations.find((d) => d.name.text === name)
    const imported = home.imports.get(name)
    if (!own && imported) enter(imported.module, imported.name)
    if (!own || found.has(own)) return
    found.set(own, { module: home, declaration: own })
    visit(home, own.kind === 'transform' ? own.body : own.body)
  }
  const visit = (home, node) => {
    if (Array.isArray(node)) for (const each of node) visit(home, each)
    else if (node !== null && typeof node === 'object') {
      if (node.kind === 'use') enter(home, node.transform.text)
      if (node.kind === 'call') enter(home, node.callee.text)
      for (const value of Object.values(node)) visit(home, value)
    }
  }
  visit(module, statements)
  return [...found.values()]
}

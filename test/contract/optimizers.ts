/** What the contract is tried with: one optimizer that has every kind of state, and Adam, which some backends run by other kernels. */
import { readFileSync } from 'node:fs'
import { compile as assemble } from 'watr'
import { compile } from '../../src/compiler/compile.js'
import { print } from '../../src/compiler/emit/classes.js'
import type { KernelName } from '../../src/runtime/program.js'
import { RUNTIME } from '../../src/testing/compiled.js'

export const EVERY_KIND = `optimizer EveryKind {
  hyper learningRate as lr = 0.1 in (0, inf)
  hyper decay = 0.5 in [0, 1)
  hyper signed = false
  state m = 0
  state start = w
  state norms over layer = 0
  state ages over layer = 0
  state total over model = 0
  state ticks over model = 1
  step(w, g, t) {
    m := decay * m + g
    norms := decay * norms + ‖g‖
    ages := ages + age
    total := total + ‖g over model‖
    ticks := ticks + t
    u = (if signed then sign(m) else m) / (1 + norms + total / ticks)
    observe ‖u‖ as moved
    w := w - lr * (u + 0.01 * (w - start) / ages)
  }
}
`

export const SOURCES: Readonly<Record<string, string>> = {
  EveryKind: EVERY_KIND,
  Adam: readFileSync('optimizers/adam.opt', 'utf8')
}

/** One as `optc compile` writes it, for all backends, or without their kernels. */
export function printed(name: string, kernel: KernelName): string {
  return printedFrom(SOURCES[name]!, `${name}.opt`, kernel)
}

/** A file, in the same way. */
export function printedFrom(source: string, path: string, kernel: KernelName): string {
  const targets = kernel === 'ops' ? { targets: ['ops'] } : {}
  return compile(source, { path, emit: 'js', importFrom: RUNTIME, print, assemble, ...targets }).code
}

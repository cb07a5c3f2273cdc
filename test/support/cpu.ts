/** The cpu target's kernels, as values. */

import { expect } from 'vitest'
import { compile as assemble } from 'watr'
import { check } from '../../src/compiler/check/check.js'
import { cpu } from '../../src/compiler/emit/cpu.js'
import type { Emitted } from '../../src/compiler/emit/emitter.js'
import { makePlan } from '../../src/compiler/plan/make-plan.js'
import type { Plan } from '../../src/compiler/plan/plan.js'
import { link } from '../../src/compiler/syntax/modules.js'
import type { CpuKernels } from '../../src/runtime/cpu.js'
import { noise } from '../../src/runtime/noise.js'
import type { Passes } from '../../src/runtime/passes.js'
import { targetOf } from './emitted.js'

export interface CpuText {
  readonly plan: Plan
  readonly emitted: Emitted
  /** What the assembler was given, and what it made of it. */
  readonly wat: string
  readonly module: Uint8Array
}

export function emitCpu(source: string): CpuText {
  const { module: linked, diagnostics } = link(source, 'test.opt', () => null)
  const { checked, diagnostics: more } = check(linked)
  expect([...diagnostics, ...more]).toEqual([])
  const plan = makePlan(checked.optimizers[0]!, cpu.abilities)
  let wat = ''
  let module = new Uint8Array()
  const emitted = cpu.emit(plan, {
    assemble: (text) => {
      wat = text
      module = new Uint8Array(assemble(text))
      return module
    }
  })
  return { plan, emitted, wat, module }
}

/** What the generated file hands to `cpu()`. */
export type CpuArguments = readonly [Passes, CpuKernels]

export function argumentsOf(emitted: Emitted): CpuArguments {
  return targetOf(emitted, { cpu: (...given: unknown[]) => given, cpuNoise: noise }) as unknown as CpuArguments
}

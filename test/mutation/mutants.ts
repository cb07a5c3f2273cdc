/** Mutants of the compiler's work, and whether the harness tells them from what is right. */
import { TARGETS } from '../../src/compiler/emit/targets.js'
import { makePlan } from '../../src/compiler/plan/make-plan.js'
import type { Abilities, Plan } from '../../src/compiler/plan/plan.js'
import { judge, type Subject } from '../../src/testing/harness.js'
import type { CompiledClass } from '../../src/testing/session.js'
import { classOf, textOf } from './build.js'
import { areEquivalent } from './equivalent.js'
import { mutationsOf } from './graphs.js'
import { planMutationsOf } from './plans.js'
import { HOST, JAVASCRIPT, OPERATIONS, type Swaps, textMutationsOf, WAT, WGSL } from './texts.js'

export interface Mutant {
  /** Where the mistake is: `formula`, `plan`, `host`, or the language of kernel text. */
  readonly layer: string
  readonly kind: string
  readonly label: string
  readonly build: () => CompiledClass
  /** Right and wrong, where both are plans: they may be the same in all that can happen. */
  readonly plans?: () => readonly [Plan, Plan]
}

/** The languages of each target's kernel text, and the part of `Text` that is in it. */
const LANGUAGES: Readonly<Record<string, readonly (readonly [name: string, part: 'kernels' | 'wat', swaps: Swaps])[]>> =
  {
    cpu: [['WAT', 'wat', WAT]],
    'cpu-js': [['JavaScript', 'kernels', JAVASCRIPT]],
    webgpu: [['WGSL', 'kernels', WGSL]],
    ops: [['tf operations', 'kernels', OPERATIONS]]
  }

/** Mistakes in formulas and plans are shared out: each is tried on one kernel. */
function share<T>(all: readonly T[], kernel: string): T[] {
  const kernels = Object.keys(LANGUAGES)
  return all.filter((_, i) => i % kernels.length === kernels.indexOf(kernel))
}

/** What is made without a mistake. */
export const unchanged = ({ program }: Subject, kernel: string): CompiledClass =>
  classOf(makePlan(program, abilitiesOf(kernel)))

const abilitiesOf = (kernel: string): Abilities =>
  TARGETS.find((e) => e.target === kernel.replace('-js', ''))!.abilities

/** `kernel` is the driver that is to run: `cpu-js` is the target cpu without WebAssembly. */
export function mutantsOf({ program }: Subject, kernel: string): Mutant[] {
  const abilities = abilitiesOf(kernel)
  const plan = makePlan(program, abilities)
  const text = textOf(plan)
  return [
    ...share(mutationsOf(program), kernel).map(({ kind, label, apply }): Mutant => {
      const wrong = (): Plan => makePlan(apply(program), abilities)
      return { layer: 'formula', kind, label, build: () => classOf(wrong()), plans: () => [plan, wrong()] }
    }),
    ...share(planMutationsOf(plan), kernel).map(({ kind, label, plan: wrong }): Mutant => {
      return { layer: 'plan', kind, label, build: () => classOf(wrong), plans: () => [plan, wrong] }
    }),
    ...textMutationsOf(text.host, HOST).map(({ kind, label, text: host }): Mutant => {
      return { layer: 'host', kind, label, build: () => classOf(plan, (right) => ({ ...right, host })) }
    }),
    ...LANGUAGES[kernel]!.flatMap(([language, part, swaps]) =>
      textMutationsOf(text[part], swaps).map(({ kind, label, text: wrong }): Mutant => {
        return { layer: language, kind, label, build: () => classOf(plan, (right) => ({ ...right, [part]: wrong })) }
      })
    )
  ]
}

export type Fate =
  /** Never came to a class: the compiler's own checks, the assembler or the parser refused it. */
  | { readonly fate: 'stillborn' }
  | { readonly fate: 'killed'; readonly seed: number }
  | { readonly fate: 'equivalent' }
  | { readonly fate: 'survived' }

/** The first of so many seeds whose case tells the class from what is right; null for none. */
export async function seedThatTells(Optimizer: CompiledClass, subject: Subject, seeds: number): Promise<number | null> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      const verdict = await judge({ ...subject, Optimizer }, seed)
      if (verdict && (verdict.comparison.differences.length > 0 || verdict.leaked !== 0)) return seed
    } catch {
      return seed
    }
  }
  return null
}

/** What no case has told by then is likely to be no mistake. */
const SOON = 12

export async function fateOf(mutant: Mutant, subject: Subject, seeds: number): Promise<Fate> {
  let Optimizer: CompiledClass
  try {
    Optimizer = mutant.build()
  } catch {
    return { fate: 'stillborn' }
  }
  const soon = await seedThatTells(Optimizer, subject, SOON)
  if (soon === null && mutant.plans && areEquivalent(...mutant.plans())) return { fate: 'equivalent' }
  const seed = soon ?? (await seedThatTells(Optimizer, subject, seeds, SOON + 1))
  return seed === null ? { fate: 'survived' } : { fate: 'killed', seed }
}

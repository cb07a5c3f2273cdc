/** Mutants of the compiler's work, and whether the harness tells them from what is right. */
import { TARGETS } from '../../src/compiler/emit/targets.js'
import { makePlan } from '../../src/compiler/plan/make-plan.js'
import type { Abilities, Plan } from '../../src/compiler/plan/plan.js'
import { drawExtremes } from '../../src/testing/extremes.js'
import { judge, judgeCase, type RemoteSubject, type Subject } from '../../src/testing/harness.js'
import { classOf, textOf } from './build.js'
import { areEquivalent, endTheSame } from './equivalent.js'
import { mutationsOf } from './graphs.js'
import { planMutationsOf } from './plans.js'
import {
  GLSL,
  GLSL_FUNCTIONS,
  HOST,
  IN_PLACE,
  JAVASCRIPT,
  OPERATIONS,
  type Parts,
  type Swaps,
  TENSORFLOW,
  TRAINING,
  textMutationsOf,
  WAT,
  WGSL,
  WGSL_FUNCTIONS
} from './texts.js'

export interface Mutant {
  /** Where the mistake is: `formula`, `plan`, `host`, or the language of kernel text. */
  readonly layer: string
  readonly kind: string
  readonly label: string
  /** A class, as text. */
  readonly build: () => string
  /** Right and wrong, where both are plans: they may be the same in all that can happen. */
  readonly plans?: () => readonly [Plan, Plan]
}

/** Kernel text in one language, and the part of `Text` that is in it. */
interface Language extends Parts {
  readonly name: string
  readonly part: 'kernels' | 'wat'
  readonly swaps: Swaps
  /** What is left out first, so that the rest runs. */
  readonly without?: RegExp
}

const WASM: Language = { name: 'WAT', part: 'wat', swaps: WAT }
const LANGUAGES: Readonly<Record<string, readonly Language[]>> = {
  cpu: [WASM],
  'cpu-js': [{ name: 'JavaScript', part: 'kernels', swaps: JAVASCRIPT }],
  wasm: [WASM],
  webgpu: [{ name: 'WGSL', part: 'kernels', swaps: WGSL, copied: WGSL_FUNCTIONS }],
  webgl: [{ name: 'GLSL', part: 'kernels', swaps: GLSL, copied: GLSL_FUNCTIONS }],
  // Operations stand for training kernels where these can't be, which is so seldom that they are tried by themselves.
  tensorflow: [
    { name: 'TensorFlow operations', part: 'kernels', swaps: TENSORFLOW, without: IN_PLACE },
    { name: 'training kernels', part: 'kernels', swaps: TRAINING, where: IN_PLACE }
  ],
  ops: [{ name: 'tf operations', part: 'kernels', swaps: OPERATIONS }]
}

/** Mistakes in formulas and plans are shared out: each is tried on one kernel. */
function share<T>(all: readonly T[], kernel: string): T[] {
  const kernels = Object.keys(LANGUAGES)
  return all.filter((_, i) => i % kernels.length === kernels.indexOf(kernel))
}

/** What is made without a mistake. */
export const unchanged = ({ program }: Pick<Subject, 'program'>, kernel: string): string =>
  classOf(makePlan(program, abilitiesOf(kernel)))

const abilitiesOf = (kernel: string): Abilities =>
  TARGETS.find((e) => e.target === kernel.replace('-js', ''))!.abilities

/** `kernel` is the driver that is to run: `cpu-js` is the target cpu without WebAssembly. */
export function mutantsOf({ program }: Pick<Subject, 'program'>, kernel: string): Mutant[] {
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
    ...LANGUAGES[kernel]!.flatMap(({ name: layer, part, swaps, without, ...parts }) => {
      const base = without ? text[part].replace(without, '') : text[part]
      return textMutationsOf(base, swaps, parts).map(({ kind, label, text: wrong }): Mutant => {
        return { layer, kind, label, build: () => classOf(plan, (right) => ({ ...right, [part]: wrong })) }
      })
    })
  ]
}

export type Fate =
  /** Never came to a class: the compiler's own checks, the assembler or the parser refused it. */
  | { readonly fate: 'stillborn' }
  | { readonly fate: 'killed'; readonly seed: number }
  /** Of kernel text, for that reason. */
  | { readonly fate: 'equivalent'; readonly reason?: string }
  | { readonly fate: 'survived' }

type AnySubject = Subject | RemoteSubject

/** Brings the text of a class to life, on the driver that is tested. */
export type Bring = (code: string) => Promise<AnySubject>

/** The first of so many seeds whose case tells the class from what is right; null for none. */
export async function seedThatTells(of: AnySubject, to: number, from = 1): Promise<number | null> {
  for (let seed = from; seed <= to; seed++) {
    try {
      // Some kernels are for hyperparameters at the ends alone.
      const verdicts = [
        await judge(of, seed),
        seed % 3 === 0 ? await judgeCase(of, seed, undefined, drawExtremes) : null
      ]
      if (verdicts.some((v) => v !== null && (v.comparison.differences.length > 0 || v.leaked !== 0))) return seed
    } catch {
      return seed
    }
  }
  return null
}

/** What no case has told by then is likely to be no mistake. */
const SOON = 12
/** Steps of layers in which kernel text that does the same must end with the same bits. */
const INPUTS = Number(process.env.OPTC_MUTANTS_INPUTS ?? 500)

export interface Trial {
  readonly bring: Bring
  readonly right: AnySubject
  /** The text of its class. */
  readonly unchanged: string
  readonly seeds: number
  /** Why such kernel text may do the same; null where nobody can say why. */
  readonly sameBecause: (mutant: Mutant) => string | null
}

export async function fateOf(mutant: Mutant, { bring, right, unchanged, seeds, sameBecause }: Trial): Promise<Fate> {
  let wrong: AnySubject
  try {
    const text = mutant.build()
    // A plan may say how a value is computed that the target has kept from an earlier pass.
    if (text === unchanged) return { fate: 'equivalent', reason: 'the class is the same, to the letter' }
    wrong = await bring(text)
  } catch {
    // Where not even the right one comes to life, nothing is known of the wrong one.
    await bring(unchanged)
    return { fate: 'stillborn' }
  }
  const soon = await seedThatTells(wrong, SOON)
  if (soon !== null) return { fate: 'killed', seed: soon }
  if (mutant.plans && areEquivalent(...mutant.plans())) return { fate: 'equivalent' }
  const reason = sameBecause(mutant)
  if (reason !== null && (await endTheSame(right, wrong, INPUTS))) return { fate: 'equivalent', reason }
  const seed = await seedThatTells(wrong, seeds, SOON + 1)
  return seed === null ? { fate: 'survived' } : { fate: 'killed', seed }
}

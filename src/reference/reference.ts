/**
 * The reference: what one step of an optimizer means, in float64, with a bound on how far a kernel may be from it.
 * It walks the syntax tree, straight from docs/language.md, and shares nothing with the compiler behind the parser.
 */
import type { Module } from '../compiler/syntax/modules.js'
import { type Table, tables } from './arithmetic.js'
import { type Law, lawOf } from './law.js'
import { masksOf, type Slot, slotsOf, stageOf } from './stage.js'
import { begin, finish, initOf, resultOf, type StepInput, type StepResult, type Subject } from './step.js'

export interface Reference {
  readonly name: string
  readonly hypers: readonly { readonly name: string; readonly symbol: string; readonly init: number | boolean }[]
  readonly masks: readonly string[]
  readonly slots: readonly Pick<Slot, 'name' | 'over' | 'place'>[]
  /** What the author claims of it. */
  readonly laws: readonly Law[]
  step(input: StepInput, table?: Table): StepResult
}

/** The optimizer of that name, or the module's first. */
export function reference(module: Module, name?: string): Reference {
  const optimizers = module.file.declarations.filter((d) => d.kind === 'optimizer')
  const optimizer = name === undefined ? optimizers[0] : optimizers.find((o) => o.name.text === name)
  if (!optimizer) throw new Error(`no optimizer ${name ?? ''} in ${module.file.path}`)
  const stage = stageOf(module, optimizer)
  const slots = slotsOf(stage)
  const subject: Subject = { stage, slots }
  settlePlaces(subject)
  return {
    name: optimizer.name.text,
    hypers: optimizer.hypers.map((h) => ({ name: h.external.text, symbol: h.symbol.text, init: initOf(h.init) })),
    masks: masksOf(stage),
    slots,
    laws: optimizer.laws.map((law) => lawOf(law, subject)),
    step: (input, table = tables.exact) => resultOf(subject, finish(subject, begin(subject, input, table)))
  }
}

/** A slot is on the host until a device value updates it: steps a model of one weight until nothing moves any more. */
function settlePlaces(subject: Subject): void {
  const count = (): number => subject.slots.filter((s) => s.place === 'device').length
  for (let before = -1; before !== count(); ) {
    before = count()
    const layer = { name: '', shape: [], weight: [0], gradient: [0], age: 1, slots: null }
    finish(subject, begin(subject, { t: 1, layers: [layer], modelState: null }, tables.exact))
  }
}

/** What an optimizer is made of while its statements are being checked. */

import type { Name } from '../syntax/ast.js'
import type { Mask, NamedValue, Slot } from './program.js'
import type { Cell } from './scope.js'
import type { Maybe } from './value.js'

export interface DraftSlot {
  readonly name: string
  readonly over: Slot['over']
  readonly cell: Cell
  init: Maybe
  readonly doc: string
}

export interface Draft {
  readonly slots: DraftSlot[]
  readonly masks: Mask[]
  /** What callers can set: hyperparameters and masks, by the name that they write. */
  readonly options: Set<string>
  readonly observations: { readonly name: string; readonly at: Name; readonly value: Maybe }[]
  readonly names: NamedValue[]
  /** Slots over the layer or the model that are known to live on the device. */
  readonly onDevice: ReadonlySet<string>
  /** How often each transform has been used. */
  readonly uses: Map<string, number>
}

export const emptyDraft = (onDevice: ReadonlySet<string>): Draft => ({
  slots: [],
  masks: [],
  options: new Set(),
  observations: [],
  names: [],
  onDevice,
  uses: new Map()
})

/** The optimizer's contract, a line each. `docs/backends.md` says of every backend and every line whether it holds. */
import type { Line } from './line.js'
import { GIVING } from './lines/giving.js'
import { LAYERS } from './lines/layers.js'
import { LOSING } from './lines/losing.js'
import { STATE } from './lines/state.js'

export const LINES: readonly Line[] = [...GIVING, ...LAYERS, ...STATE, ...LOSING]

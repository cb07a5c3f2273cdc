/** The optimizer's contract, a line each. `docs/backends.md` says of every backend and every line whether it holds. */
import type { Line } from './line.js'
import { GIVING } from './lines/giving.js'
import { GOING_ON } from './lines/going-on.js'
import { LAYERS } from './lines/layers.js'
import { LOSING } from './lines/losing.js'
import { MEMORY } from './lines/memory.js'

export const LINES: readonly Line[] = [...GIVING, ...LAYERS, ...GOING_ON, ...LOSING, ...MEMORY]

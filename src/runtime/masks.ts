/** Which layers something holds for: what a mask may be overridden with, and what a group matches by. */
import { show } from './errors.js'
import type { LayerInfo } from './program.js'

/** All or none, by the layer's name (a pattern, or a list of names), or by anything that is known of it. */
export type LayerMatch = boolean | RegExp | readonly string[] | ((layer: LayerInfo) => boolean)

/** A copy of what the caller gave: without a RegExp's `g` and `y`, which would make it remember its last match. */
export function checkMatch(option: string, value: unknown): LayerMatch {
  if (typeof value === 'boolean' || typeof value === 'function') return value as LayerMatch
  if (value instanceof RegExp) return new RegExp(value.source, value.flags.replace(/[gy]/g, ''))
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return Object.freeze([...value])
  throw new Error(
    `${option} must be true, false, a RegExp, an array of layer names or a function (layer) => boolean; got ${show(value)}.`
  )
}

export function matches(option: string, match: LayerMatch, layer: LayerInfo): boolean {
  if (typeof match === 'boolean') return match
  if (match instanceof RegExp) return match.test(layer.name)
  if (typeof match !== 'function') return match.includes(layer.name)
  const answer: unknown = match(layer)
  if (typeof answer === 'boolean') return answer
  throw new Error(`${option} must give true or false for each layer; for "${layer.name}" it gave ${show(answer)}.`)
}

/** Which of a file's kernels runs on a backend. */
import type { CompiledProgram, Driver, Target } from './program.js'

export interface Choice {
  readonly driver: Driver
  /** Why it is not the fastest that there could be, or null. */
  readonly reason: string | null
}

/** The first target for the backend that opens, else the first for any. */
export function chooseDriver(program: CompiledProgram, targets: readonly Target[], backend: string): Choice {
  const refusals: string[] = []
  const own = targets.filter((target) => target.backend === backend)
  if (own.length === 0) refusals.push(`It was compiled without kernels for the "${backend}" backend.`)
  for (const target of [...own, ...targets.filter((target) => target.backend === '*')]) {
    const opened = target.open(program)
    if (typeof opened === 'string') refusals.push(opened)
    else return { driver: opened, reason: [...refusals, ...(opened.reason ? [opened.reason] : [])].join(' ') || null }
  }
  throw new Error(`It can't run on the "${backend}" backend. ${refusals.join(' ')} Compile it with --target all.`)
}

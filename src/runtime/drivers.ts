/** Which of a file's kernels runs on a backend. */
import type { CompiledProgram, Driver, Target } from './program.js'

export interface Driving {
  readonly driver: Driver
  /** The backend that it was opened for. */
  readonly backend: object
  /** Why it is not the fastest that there could be, or null. */
  readonly reason: string | null
}

/** The first target for the backend that opens, else the first for any. */
export function chooseDriver(
  program: CompiledProgram,
  targets: readonly Target[],
  backend: object,
  name: string
): Driving {
  const own = targets.filter((target) => target.backend === name)
  const reasons = own.length === 0 ? [`It was compiled without kernels for the "${name}" backend.`] : []
  for (const target of [...own, ...targets.filter((target) => target.backend === '*')]) {
    const driver = target.open(program)
    if (typeof driver === 'string') {
      reasons.push(driver)
      continue
    }
    if (driver.reason) reasons.push(driver.reason)
    return { driver, backend, reason: reasons.join(' ') || null }
  }
  throw new Error(`it can't run on the "${name}" backend. ${reasons.join(' ')} Compile it with --target all.`)
}

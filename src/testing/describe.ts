/** The properties as tests of vitest, jest or node:test: none of them is imported, they come from outside. */
import type { Load } from '../compiler/syntax/modules.js'
import type { Law } from '../reference/index.js'
import { propertiesOf } from './claims.js'
import type { CompiledClass } from './session.js'
import { judged, lawsIn, type SubjectOptions } from './subject.js'
import { type Effort, isFailure, verify } from './verify.js'
import { describeFailure, inWords } from './words.js'

export interface DescribeOptions extends Partial<Effort> {
  /** The optimizer's name in the source; by default what the class was compiled as. */
  readonly name?: string
  /** Of the test runner; by default its globals. */
  readonly describe?: (name: string, body: () => void) => unknown
  readonly test?: (name: string, body: (...context: unknown[]) => Promise<void>, timeout?: number) => unknown
}

/** A compiled class, with the options that it takes left open. */
export type AnyCompiledClass = (new (options: never) => object) & { readonly className: string }

const RUNS = 20
const TIMEOUT = 60_000

/**
 * A test a property and a law of the program, on the TensorFlow.js backend that is current when it runs. A property that says nothing of this optimizer
 * is a skipped test that says why.
 *
 * @param Optimizer the class that `optc compile` made
 * @param source what it was made of: the URL of the `.opt` file, or its text
 */
export function describeOptimizer(
  Optimizer: AnyCompiledClass,
  source: URL | string,
  options: DescribeOptions = {}
): void {
  const runner = globalThis as unknown as Required<Pick<DescribeOptions, 'describe' | 'test'>>
  const { describe = runner.describe, test = runner.test, seed = 1, runs = RUNS } = options
  if (typeof describe !== 'function' || typeof test !== 'function') {
    throw new TypeError('describeOptimizer needs `describe` and `test`: as globals, or among its options.')
  }
  const { name = Optimizer.className.replace(/^Optc/, '') } = options
  const subject = () => {
    const { text, ...options } = read(source, name)
    return judged(text, options, Optimizer as unknown as CompiledClass)
  }
  describe(name, () => {
    for (const property of propertiesOf(lawsOf(source, name))) {
      // No parameter of its own: jest would wait for one to be called.
      const body = async (...context: unknown[]): Promise<void> => {
        const [outcome] = await quietly(() => verify(subject(), { seed, runs }, [property]))
        if (outcome!.result === 'silent') return skip(context[0], `${property.name}: ${inWords(outcome!)}`)
        if (!isFailure(outcome!)) return
        const again = (found: number): string => `describeOptimizer(${name}, …, { seed: ${found}, runs: 1 })`
        const { failure } = outcome!
        const ofFormula = failure === null || (property.sides !== undefined && failure.problems.length === 0)
        throw new Error(
          [
            property.says,
            `This ${inWords(outcome!)}.`,
            ...(failure ? [describeFailure(failure, again)] : []),
            ...(ofFormula ? [] : ['If the class was compiled from another text than this source, compile it again.'])
          ].join('\n')
        )
      }
      test(`${property.name}: ${property.says}`, body, TIMEOUT)
    }
  })
}

/** What the optimizers of cases warn of is not of the author's doing. */
async function quietly<T>(f: () => Promise<T>): Promise<T> {
  const { warn } = console
  console.warn = () => {}
  try {
    return await f()
  } finally {
    console.warn = warn
  }
}

/** Says that there was nothing to try: as a skipped test in vitest and node:test, elsewhere on the console. */
function skip(context: unknown, why: string): void {
  const { skip } = (context ?? {}) as { skip?: (note: string) => void }
  if (typeof skip === 'function') skip.call(context, why)
  else console.warn(why)
}

interface Read extends SubjectOptions {
  readonly text: string
}

/** A test runner wants to know its tests at once, so files are read without waiting. */
function read(source: URL | string, name: string): Read {
  if (typeof source === 'string') return { text: source, name }
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  const { dirname, join } = process.getBuiltinModule('node:path')
  const path = fileURLToPath(source)
  const load: Load = (specifier, from) => {
    const found = join(dirname(from), specifier)
    return existsSync(found) ? { path: found, source: readFileSync(found, 'utf8') } : null
  }
  return { text: readFileSync(path, 'utf8'), path, load, name }
}

/** Where the source can't be read, each test will say so. */
function lawsOf(source: URL | string, name: string): readonly Law[] {
  try {
    const { text, ...options } = read(source, name)
    return lawsIn(text, options)
  } catch {
    return []
  }
}

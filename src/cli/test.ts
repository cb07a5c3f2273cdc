/** `optc test FILES…`: the property harness on the user's own optimizers, on every backend at hand. */
import { analyse } from '../compiler/compile.js'
import { type FileDiagnostics, toJson } from '../compiler/render.js'
import {
  describeFailure,
  describeUsability,
  inWords,
  isFailure,
  lawsIn,
  type Outcome,
  optimizersIn,
  type Property,
  propertiesOf,
  type Subject,
  type SubjectOptions,
  subjectOf,
  type Usability,
  usable,
  verify
} from '../testing/index.js'
import { oneOf, printJson, report, Sources, statusOf } from './analysis.js'
import { BACKENDS, type Backend } from './backends.js'
import { CallError } from './call-error.js'
import { expand } from './sources.js'
import { styleFor } from './terminal.js'

export interface TestFlags {
  readonly seed: string
  readonly runs: string
  readonly backend?: string
  readonly json?: boolean
}

interface Tried {
  readonly backend: string
  readonly outcome: Outcome
}

export async function testCommand(patterns: readonly string[], flags: TestFlags): Promise<void> {
  const effort = { seed: whole('--seed', flags.seed, 0), runs: whole('--runs', flags.runs, 1) }
  const wanted = flags.backend?.split(',').map((name) =>
    oneOf(
      '--backend',
      name.trim(),
      BACKENDS.map((b) => b.name)
    )
  )
  const sources = new Sources()
  const files = expand(patterns).map((path): FileDiagnostics => {
    const source = sources.open(path)
    return { path, source, diagnostics: analyse(source, path, sources.load).diagnostics }
  })
  process.exitCode = statusOf(files.flatMap((f) => f.diagnostics))
  if (process.exitCode !== 0) {
    if (flags.json) printJson(toJson(files, sources.of))
    else report(files, sources)
    return
  }
  // What TensorFlow.js and the optimizers warn of on the way is not of the author's doing.
  console.warn = () => {}
  const { open, missing } = await backends(wanted)
  const tested = []
  for (const { path, source } of files) {
    const options = { path, load: sources.load }
    for (const name of optimizersIn(source, options)) {
      const properties = propertiesOf(lawsIn(source, { ...options, name }))
      const printer = flags.json ? null : printerFor(path, name, effort, open, missing, properties)
      tested.push({ path, ...(await testOptimizer(source, { ...options, name }, effort, open, properties, printer)) })
    }
  }
  for (const backend of open) backend.close?.()
  if (flags.json) printJson({ ...effort, backends: open.map((b) => b.name), missing, optimizers: tested.map(plain) })
  process.exitCode = tested.some((t) => t.properties.some((p) => p.tried.some((x) => isFailure(x.outcome)))) ? 1 : 0
}

function whole(option: string, text: string, least: number): number {
  const n = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(n) || n < least) {
    throw new CallError(`${option} takes a whole number, ${least} or more; not ${JSON.stringify(text)}`)
  }
  return n
}

interface Missing {
  readonly backend: string
  readonly reason: string
}

/** Those that start here; why the others do not. One that was asked for by name must. */
async function backends(wanted: readonly string[] | undefined): Promise<{ open: Backend[]; missing: Missing[] }> {
  const open: Backend[] = []
  const missing: Missing[] = []
  for (const backend of BACKENDS) {
    if (wanted && !wanted.includes(backend.name)) continue
    const reason = await backend.open()
    if (reason === null) open.push(backend)
    else if (wanted) throw new CallError(`there is no ${backend.name} here: ${reason}`)
    else missing.push({ backend: backend.name, reason })
    if (backend.name === 'cpu-js') backend.close?.()
  }
  if (open.length === 0) {
    throw new CallError(`there is no backend here. Install one: npm i @tensorflow/tfjs. (${missing[0]!.reason})`)
  }
  return { open, missing }
}

interface Tested {
  readonly name: string
  readonly properties: readonly { readonly property: Property; readonly tried: readonly Tried[] }[]
  readonly usable: readonly Usability[]
}

interface Printer {
  property(property: Property, tried: readonly Tried[]): void
  end(tested: Tested): void
}

async function testOptimizer(
  source: string,
  options: SubjectOptions & { readonly name: string },
  effort: { readonly seed: number; readonly runs: number },
  open: readonly Backend[],
  tried: readonly Property[],
  printer: Printer | null
): Promise<Tested> {
  const compiled = new Map<string, Subject>()
  const subjectFor = async ({ targets }: Backend): Promise<Subject> => {
    const key = String(targets)
    const subject = compiled.get(key) ?? (await subjectOf(source, { ...options, ...(targets && { targets }) }))
    compiled.set(key, subject)
    return subject
  }
  /** One backend after the other, each current while it is its turn. */
  const onEach = async <T>(f: (subject: Subject, backend: Backend) => Promise<T>): Promise<T[]> => {
    const results: T[] = []
    for (const backend of open) {
      await backend.open()
      results.push(await f(await subjectFor(backend), backend))
      if (backend.name === 'cpu-js') backend.close?.()
    }
    return results
  }
  const properties = []
  for (const property of tried) {
    const outcomes = await onEach(async (subject, { name }) => {
      const [outcome] = await verify(subject, effort, [property])
      return { backend: name, outcome: outcome! }
    })
    properties.push({ property, tried: outcomes })
    printer?.property(property, outcomes)
  }
  // It is the formula that is tried, thousands of steps of it: where each is quickest, whichever backends were asked for.
  const [cpu] = BACKENDS
  const quickest = (await cpu!.open()) === null ? cpu! : open[0]!
  await quickest.open()
  const tested = { name: options.name, properties, usable: await usable(await subjectFor(quickest)) }
  if (quickest.name === 'cpu-js') quickest.close?.()
  printer?.end(tested)
  return tested
}

function printerFor(
  path: string,
  name: string,
  { seed, runs }: { readonly seed: number; readonly runs: number },
  open: readonly Backend[],
  missing: readonly Missing[],
  properties: readonly Property[]
): Printer {
  const style = styleFor(process.stdout)
  const write = (line: string): void => void process.stdout.write(`${line}\n`)
  const width = Math.max(...properties.map((p) => p.name.length))
  const line = (sign: string, label: string, text: string): void => write(`  ${sign} ${label.padEnd(width)}  ${text}`)
  const list = (names: readonly string[]): string => names.join(', ')

  write(`${style('bold', name)} (${path})`)
  write(`  on ${list(open.map((b) => b.name))}: ${runs} cases a property and backend, from seed ${seed}`)
  for (const { backend, reason } of missing) write(style('dim', `  not on ${backend}: ${reason}`))
  return {
    property(property, tried) {
      const failed = tried.filter((t) => isFailure(t.outcome))
      const held = tried.filter((t) => t.outcome.result === 'holds')
      const silent = tried.filter((t) => t.outcome.result === 'silent')
      if (failed.length > 0) line(style('red', '✗'), property.name, property.says)
      else if (held.length > 0) line(style('green', '✓'), property.name, property.says)
      else line('-', property.name, `${property.says} ${inWords(silent[0]!.outcome)}`)
      if (held.length > 0) {
        for (const { on, outcome } of alike(silent)) line(' ', '', style('dim', `${list(on)}: ${inWords(outcome)}`))
      }
      for (const { on, outcome } of alike(failed)) {
        line(' ', '', style('red', `${list(on)}: ${inWords(outcome)}`))
        if (!outcome.failure) continue
        const replay = (found: number): string => `optc test ${quoted(path)} --backend ${on} --seed ${found} --runs 1`
        write(describeFailure(outcome.failure, replay).replace(/^(?=.)/gm, '      '))
      }
    },
    end({ properties, usable }) {
      for (const result of usable) line('·', 'use', describeUsability(result))
      for (const { text, isGood } of closing(name, properties))
        write(isGood ? style('green', text) : style('red', text))
    }
  }
}

/** What became of a property, once for all backends of which the same is told. */
function alike(tried: readonly Tried[]): readonly { readonly on: readonly string[]; readonly outcome: Outcome }[] {
  const found = new Map<string, { on: string[]; outcome: Outcome }>()
  for (const { backend, outcome } of tried) {
    const told = inWords(outcome) + (outcome.failure ? describeFailure(outcome.failure, String) : '')
    const same = found.get(told) ?? { on: [], outcome }
    same.on.push(backend)
    found.set(told, same)
  }
  return [...found.values()]
}

type Judged = Tested['properties'][number]

/** The last lines: what follows from all that was tried. */
export function closing(
  name: string,
  properties: readonly Judged[]
): readonly { readonly text: string; readonly isGood: boolean }[] {
  const bad = (kind: ReturnType<typeof mistakeOf>, say: (all: string) => string): { text: string; isGood: false }[] => {
    const all = properties.filter((p) => mistakeOf(p) === kind).map((p) => p.property.name)
    return all.length > 0 ? [{ text: say(all.join(', ')), isGood: false }] : []
  }
  const said = [
    ...bad(
      'compiled',
      (all) =>
        `${name} is not compiled right: ${all}. That is a mistake of optc, not of your formula: please report it with the above.`
    ),
    ...bad('claimed', (all) => `${name} does not keep what its author claims: ${all}.`),
    ...bad('unclear', (all) => `${name} could not be judged by: ${all}.`)
  ]
  return said.length > 0 ? said : [{ text: `${name} is compiled right: every property holds.`, isGood: true }]
}

/** Whether the compiled class is wrong, or a claim is by the formula itself, or too little could be determined. */
function mistakeOf({ property, tried }: Judged): 'compiled' | 'claimed' | 'unclear' | null {
  const failures = tried.flatMap(({ outcome }) => outcome.failure ?? [])
  if (failures.length === 0) return tried.some((t) => isFailure(t.outcome)) ? 'unclear' : null
  return property.sides && failures.every((f) => f.problems.length === 0) ? 'claimed' : 'compiled'
}

/** For a shell, which takes what stands between spaces apart. */
export function quoted(path: string): string {
  return /^[\p{L}\p{N}_@%+=:,./\\-]+$/u.test(path) ? path : `"${path.replace(/["$`]/g, '\\$&')}"`
}

/** As JSON. */
function plain({ path, name, properties, usable }: Tested & { readonly path: string }): object {
  return {
    path,
    name,
    properties: properties.map(({ property, tried }) => ({
      name: property.name,
      says: property.says,
      backends: tried.map(({ backend, outcome: { property: _, failure, ...rest } }) => ({
        backend,
        ...rest,
        failure: failure && { ...failure, given: undefined, case: inPlainNumbers(failure.given) }
      }))
    })),
    usable
  }
}

const inPlainNumbers = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, x) =>
      x instanceof Float32Array ? Array.from(x, (n) => (Number.isFinite(n) ? n : String(n))) : x
    )
  )

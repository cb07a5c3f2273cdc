/** What things are called at the top level of a generated file, where the author's names meet the compiler's. */
import type { ClassFile } from './class-file.js'
import { ascii, freshNames } from './names.js'

/** What the text of generated files reads by name, besides what starts with a driver's name. */
const READ_BY_TEXT = [
  'Array',
  'Boolean',
  'Error',
  'Float32Array',
  'Float64Array',
  'Infinity',
  'Int32Array',
  'Map',
  'Math',
  'NaN',
  'Number',
  'Object',
  'Partial',
  'Promise',
  'Readonly',
  'Record',
  'Required',
  'Set',
  'String',
  'Uint32Array',
  'Uint8Array',
  'WebAssembly',
  'atob',
  'globalThis',
  'undefined'
]
const IMPORTED = [
  'CompiledOptimizer',
  'CompiledProgram',
  'LayerInfo',
  'LayerMatch',
  'Schedule',
  'Target',
  'schedule',
  'tf'
]

export interface ModuleNames {
  /** What the author's optimizer or schedule is called in the file. It is exported under its own name in any case. */
  readonly local: (name: string) => string
  /** Local names that differ from the exported. */
  readonly aliases: readonly (readonly [local: string, exported: string])[]
  /** A name of ours that nothing else has. */
  readonly fresh: (name: string) => string
}

export function moduleNames(file: ClassFile): ModuleNames {
  const imports = file.optimizers.flatMap((o) => o.targets.flatMap(([, emitted]) => Object.entries(emitted.imports)))
  const prefixes = new RegExp(`^(?:${['ops', ...imports.map(([module]) => module)].join('|')})`)
  const ours = new Set([...READ_BY_TEXT, ...IMPORTED, ...imports.flatMap(([, names]) => names.map(bare))])
  const exported = [...file.optimizers.map((o) => o.program.name), ...file.schedules.map((s) => s.name)].map(ascii)
  const fresh = freshNames([...ours, ...exported])
  const locals = new Map(
    exported.map((name) => {
      // `freshNames` gives a word of JavaScript's another name.
      const word = /^\w+$/.test(name) && freshNames([])(name) !== name
      return [name, word || ours.has(name) || prefixes.test(name) ? fresh(name) : name]
    })
  )
  return {
    local: (name) => locals.get(ascii(name))!,
    aliases: [...locals].filter(([name, local]) => name !== local).map(([name, local]) => [local, name]),
    fresh
  }
}

/** `type OpsVariant` → `OpsVariant` */
export function bare(specifier: string): string {
  return specifier.replace(/^type /, '')
}

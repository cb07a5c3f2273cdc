/** Type-checks texts as a user's project would: against the runtime's declarations, under the user's own options. */
import { join } from 'node:path'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')
const runtime = join(root, 'src/runtime')

/** A user's strict project. `declaration` is what `isolatedDeclarations` wants. */
export const STRICT: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2020,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  noUnusedParameters: false,
  noImplicitOverride: true,
  noImplicitReturns: true,
  verbatimModuleSyntax: true,
  isolatedDeclarations: true,
  declaration: true,
  noEmit: true,
  skipLibCheck: true
}

const parsed = new Map<string, ts.SourceFile | undefined>()
let declarations: ReadonlyMap<string, string> | undefined

/** The messages of a project that holds these files, each as `file:line message`. */
export function typeErrors(files: Readonly<Record<string, string>>, options: ts.CompilerOptions = {}): string[] {
  const texts = new Map([
    ...runtimeDeclarations(),
    ...Object.entries(files).map(([name, text]) => [place(name), text] as const)
  ])
  const all: ts.CompilerOptions = {
    ...STRICT,
    paths: { 'optc-lang/runtime': [join(runtime, 'index.d.ts')], 'optc-lang/runtime/*': [join(runtime, '*.d.ts')] },
    ...options
  }
  const host = ts.createCompilerHost(all)
  const { fileExists, readFile, getSourceFile } = host
  // The sources are hidden behind their declarations: a user has no sources.
  host.fileExists = (path) => texts.has(path) || (!isSource(path) && fileExists(path))
  host.directoryExists = (path) =>
    [...texts.keys()].some((file) => file.startsWith(`${path}/`)) || ts.sys.directoryExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  host.getSourceFile = (path, language) => {
    const text = texts.get(path)
    if (text !== undefined) return ts.createSourceFile(path, text, language)
    const known = `${path}|${JSON.stringify(language)}`
    if (!parsed.has(known)) parsed.set(known, getSourceFile(path, language))
    return parsed.get(known)
  }
  const program = ts.createProgram(Object.keys(files).map(place), all, host)
  return ts.getPreEmitDiagnostics(program).map((d) => {
    const message = ts.flattenDiagnosticMessageText(d.messageText, ' ')
    if (!d.file) return message
    const { line } = d.file.getLineAndCharacterOfPosition(d.start ?? 0)
    return `${d.file.fileName.slice(root.length + 1)}:${line + 1} ${message}`
  })
}

function place(name: string): string {
  return join(root, 'test/typed', name)
}

function isSource(path: string): boolean {
  return path.startsWith(runtime) && path.endsWith('.ts') && !path.endsWith('.d.ts')
}

function runtimeDeclarations(): ReadonlyMap<string, string> {
  if (declarations) return declarations
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const own = {
    ...options,
    incremental: false,
    tsBuildInfoFile: undefined,
    emitDeclarationOnly: true,
    outDir: runtime,
    rootDir: runtime
  }
  const files = ts.sys.readDirectory(runtime, ['.ts'])
  const made = new Map<string, string>()
  ts.createProgram(files, own as ts.CompilerOptions).emit(undefined, (path, text) => made.set(path, text))
  declarations = made
  return made
}

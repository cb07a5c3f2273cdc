/** Each room imports only what stands above it (docs/architecture.md). */
import { readFileSync } from 'node:fs'
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser'
import { globSync } from 'tinyglobby'
import { describe, expect, test } from 'vitest'
import { TARGETS } from '../src/compiler/emit/targets.js'

/** For each place: all that it may import besides itself, as patterns of resolved paths. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/compiler/syntax': [
    'src/compiler/(diagnostics|messages\\.generated|suggest|std\\.generated)\\.ts',
    '^(node_modules/)?(chevrotain|fastest-levenshtein)'
  ],
  'src/compiler/check': [
    'src/compiler/syntax/',
    'src/compiler/(diagnostics|messages\\.generated|suggest|std\\.generated)\\.ts'
  ],
  'src/compiler/plan': ['src/compiler/(syntax/ast|check/(program|graph|axes))\\.ts'],
  'src/compiler/emit': [
    'src/compiler/(plan/|check/(program|graph|axes)\\.ts)',
    'node_modules/ts-morph/',
    '^(node:)?module$'
  ],
  'src/reference': ['src/compiler/syntax/'],
  'src/runtime': ['node_modules/@tensorflow/tfjs-core/dist/tf-core\\.node\\.js'],
  'src/cli': [
    'src/(compiler|testing)/',
    'node_modules/@tensorflow/tfjs-core/',
    'node_modules/(commander|tinyglobby|chokidar|ts-morph|watr)/',
    '^(node:)?(fs|path|module|util|url)$'
  ]
}

async function violations(rules: IConfiguration['forbidden']): Promise<string[]> {
  const { output } = await cruise(
    ['src'],
    {
      ruleSet: { forbidden: rules! },
      validate: true,
      doNotFollow: { path: 'node_modules' },
      tsPreCompilationDeps: true
    },
    { extensions: ['.ts', '.js'] }
  )
  return (output as ICruiseResult).summary.violations.map((v) => `${v.from} → ${v.to}`)
}

describe('the rooms', () => {
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    const rule = { name: room, severity: 'error' as const, from: { path: `^${room}/` } }
    test(`${room} imports only what it may`, async () => {
      expect(await violations([{ ...rule, to: { pathNot: [`^${room}/`, ...allowed] } }])).toEqual([])
    })
  }

  test('are seen by these rules', async () => {
    const everything = await violations([
      { name: 'all', severity: 'error', from: { path: '^src/runtime/' }, to: { path: 'tfjs-core' } }
    ])
    expect(everything.length).toBeGreaterThan(0)
  })
})

/** Where all targets are listed (the reference lists machines); `ops`, which serves any backend, also lends the host its operations. */
const REGISTRIES = [
  'src/compiler/emit/targets.ts',
  'src/testing/targets.ts',
  'src/runtime/program.ts',
  'src/cli/backends.ts'
]

test.each(TARGETS.map((t) => t.target).filter((name) => name !== 'ops'))(
  'only its own files and the registries name the target %s',
  (target) => {
    const codeOf = (path: string): string => readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    const name = new RegExp(`'${target}'|/${target}\\.js'`)
    const naming = globSync(['src/**/*.ts', '!src/reference/**']).filter((path) => name.test(codeOf(path)))
    const others = naming.filter((path) => !/(emit|runtime)\//.test(path) || !path.includes(`/${target}`))
    expect(naming).toContain(`src/compiler/emit/${target}.ts`)
    expect(others.filter((path) => !REGISTRIES.includes(path))).toEqual([])
  }
)

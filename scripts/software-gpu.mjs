// A GPU for machines that have none: SwiftShader's Vulkan driver and loader, out of the npm package that the browser
// tests use anyway. Linux x64 with glibc only; elsewhere the system's own GPU is used.
//
// The dynamic loader reads LD_LIBRARY_PATH once, at process start. So the variables are set for child processes
// (vitest's forks), and a plain script has itself run again by `runAgainWithGpu()`.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { filesOfTar, unpackOnce } from './unpack.mjs'

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

/** Unpacks the driver out of the package. */
function unpack() {
  return unpackOnce('swiftshader', '@sparticuz/chromium', (folder, from) => {
    const archive = brotliDecompressSync(readFileSync(join(from, 'bin', 'swiftshader.tar.br')))
    for (const { name, data } of filesOfTar(archive)) {
      if (!/^(libvulkan\.so|libvk_swiftshader\.so|vk_swiftshader_icd\.json)/.test(name)) continue
      writeFileSync(join(folder, name), data, { mode: 0o755 })
    }
  })
}

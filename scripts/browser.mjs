// A real browser without a download: the headless Chromium of npm's @sparticuz/chromium, driven by playwright-core, with
// SwiftShader for WebGL and WebGPU. That is for Linux x64; elsewhere an installed Chrome (OPTC_CHROME=path names another).
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { filesOfTar, unpackOnce } from './unpack.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const GPU = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-webgpu-adapter=swiftshader',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist'
]
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
  '--disable-dev-shm-usage'
]

/**
 * Starts it. Returns playwright's browser, or why there is none, in one line.
 * @returns {Promise<import('playwright-core').Browser | string>}
 */
export async function openBrowser() {
  try {
    const { chromium } = await import('playwright-core')
    const own = process.env.OPTC_CHROME ? { executablePath: process.env.OPTC_CHROME } : packagedChromium()
    // Someone else's Chrome has a GPU of its own.
    const args =
      own?.executablePath && !process.env.OPTC_CHROME ? [...GPU, ...QUIET] : ['--enable-unsafe-webgpu', ...QUIET]
    return await chromium.launch({
      ...(own ?? { channel: 'chrome' }),
      chromiumSandbox: false,
      args: ['--no-zygote', ...args]
    })
  } catch (error) {
    const line = String(error?.message ?? error).split('\n')[0]
    return `no browser starts on ${process.platform} ${process.arch}: ${line}`
  }
}

/** Where the package has nothing to run here: null. */
function packagedChromium() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  const folder = unpackOnce('chromium', '@sparticuz/chromium', (folder, from) => {
    const read = (name) => brotliDecompressSync(readFileSync(join(from, 'bin', name)))
    writeFileSync(join(folder, 'chromium'), read('chromium.br'), { mode: 0o755 })
    for (const { name, data } of filesOfTar(read('swiftshader.tar.br'))) {
      writeFileSync(join(folder, name), data, { mode: 0o755 })
    }
    for (const { name, data } of filesOfTar(read('al2023.tar.br'))) {
      mkdirSync(join(folder, dirname(name)), { recursive: true })
      writeFileSync(join(folder, name), data, { mode: 0o755 })
    }
  })
  const executablePath = join(folder, 'chromium')
  // Libraries that a small system may lack come with the package; where the system has its own, those are the ones.
  const { status } = spawnSync(executablePath, ['--version'])
  if (status === 0) return { executablePath }
  const path = [join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  return { executablePath, env: { ...process.env, LD_LIBRARY_PATH: path } }
}

/**
 * Bundles a script as an application would, and opens a page that runs it, served from localhost.
 * @param {import('playwright-core').Browser} browser
 * @param {{ entry: string, policy?: string, files?: Record<string, string>, define?: Record<string, string> }} options
 *   the script's path, a Content-Security-Policy, and files to serve beside it, by URL path
 * @returns {Promise<{ page: import('playwright-core').Page, problems: string[], close: () => Promise<void> }>}
 *   `problems`: what the page wrote to its console as an error or warning, and errors that nobody caught
 */
export async function openPage(browser, { entry, policy, files = {} }) {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    absWorkingDir: root,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
    write: false
  })
  const script = outputFiles[0].contents
  const server = createServer(({ url }, response) => {
    const headers = policy ? { 'Content-Security-Policy': policy } : {}
    const send = (type, body) => response.writeHead(200, { ...headers, 'Content-Type': type }).end(body)
    if (url === '/')
      send('text/html', '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>')
    else if (url === '/page.js') send('text/javascript', script)
    else if (files[url]) send(url.endsWith('.wasm') ? 'application/wasm' : 'text/plain', readFileSync(files[url]))
    else response.writeHead(404).end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const page = await browser.newPage()
  const problems = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text())
  })
  await page.goto(`http://127.0.0.1:${server.address().port}/`, { waitUntil: 'load' })
  const close = async () => {
    await page.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { page, problems, close }
}

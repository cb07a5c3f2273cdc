// The webgl backend, in a headless Chromium: on SwiftShader where that comes from npm, else on the machine's GPU.
import { openBrowser, openPage } from '../scripts/browser.mjs'
import { printed } from './compiled.mjs'
import { modelsOf, report } from './report.mjs'

export async function bench(options) {
  const browser = await openBrowser()
  if (typeof browser === 'string') return console.log(`\nwebgl backend: skipped, ${browser}`)
  const files = Object.entries(await printed('webgl'))
  const bytes = Object.fromEntries(files.map(([file, { bytes }]) => [file, bytes]))
  const { page, close } = await openPage(browser, { entry: 'bench/page/webgl.mjs' })
  try {
    const renderer = await page.evaluate(() => globalThis.bench.open())
    const device = `${renderer}, Chromium ${browser.version()}`
    await report({ backend: 'webgl', device }, options, async (tell) => {
      await page.exposeFunction('tell', tell)
      const models = modelsOf(options)
      await page.evaluate(([bytes, models]) => globalThis.bench.run(bytes, models), [bytes, models])
    })
  } finally {
    await close()
    await browser.close()
  }
}

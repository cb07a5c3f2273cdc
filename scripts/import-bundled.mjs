// Runs TypeScript of src/ in a script.
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
let made = 0

/** The exports of a text that imports from `./src/…`. */
export async function importBundled(source) {
  // Beside node_modules, so that what it imports is found.
  const outfile = join(root, 'node_modules', '.cache', 'optc', `bundled-${process.pid}-${Date.now()}-${made++}.mjs`)
  await build({
    stdin: { contents: source, resolveDir: root },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error'
  })
  const exports = await import(pathToFileURL(outfile).href)
  rmSync(outfile)
  return exports
}

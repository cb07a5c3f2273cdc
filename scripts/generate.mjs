// `npm run generate`: makes every generated file of the repository from its source. Tests hold each one fresh.
// A module of scripts/generate/ exports `files()`: an array of { path, text }.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** All generated files, as they should be: [{ path, text }], paths from the root. */
export async function generated() {
  const files = []
  for (const name of readdirSync(join(root, 'scripts', 'generate')).sort()) {
    if (name.endsWith('.mjs')) files.push(...(await (await import(`./generate/${name}`)).files()))
  }
  return files
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, text } of await generated()) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    console.log(`generated ${path}`)
  }
}

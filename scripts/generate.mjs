// `npm run generate`: makes every generated file of the repository from its source; `npm run generate -- --check` only
// says which are stale. A module of scripts/generate/ exports `files()`: an array of { path, text }.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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

const isFresh = ({ path, text }) =>
  existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n') === text

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = (await generated()).filter((file) => !isFresh(file))
  const check = process.argv.includes('--check')
  for (const { path, text } of stale) {
    if (!check) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    console.log(check ? `${path} is stale: run \`npm run generate\`` : `generated ${path}`)
  }
  if (check && stale.length > 0) process.exitCode = 1
}

// Archives inside npm packages, unpacked into node_modules/.cache/optc: once a version, however many processes ask.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules', '.cache', 'optc')
/** Whoever holds the lock for longer than this has died. */
const PATIENCE = 120_000

/**
 * The folder that `fill(folder, packageFolder)` fills. It appears whole, by a rename; a lock keeps others from doing the
 * same work meanwhile.
 */
export function unpackOnce(name, packageName, fill) {
  const packageFile = findPackage(packageName)
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8'))
  const folder = join(cache, `${name}-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const unlock = lock(`${folder}.lock`)
  try {
    if (existsSync(folder)) return folder
    const mine = `${folder}.${process.pid}`
    mkdirSync(mine, { recursive: true })
    fill(mine, dirname(packageFile))
    renameSync(mine, folder)
  } finally {
    unlock()
  }
  return folder
}

function lock(file) {
  for (;;) {
    try {
      closeSync(openSync(file, 'wx'))
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const since = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
      if (Date.now() - since > PATIENCE) rmSync(file, { force: true })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
}

/** The package's `exports` may hide its package.json from `resolve`. */
function findPackage(name) {
  for (const folder of createRequire(import.meta.url).resolve.paths(name)) {
    const file = join(folder, name, 'package.json')
    if (existsSync(file)) return file
  }
  throw new Error(`${name} is not installed: run npm ci`)
}

/** Plain files of a ustar archive: a 512-byte header (name, octal size at 124, type at 156), then the data, padded. */
export function* filesOfTar(archive) {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const name = archive.toString('utf8', at, archive.indexOf(0, at))
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8)
    if (archive[at + 156] === 0x30) yield { name, data: archive.subarray(at + 512, at + 512 + size) }
    at += 512 + 512 * Math.ceil(size / 512)
  }
}

/** Finds and reads the files that a command is called with. */
import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, join, normalize } from 'node:path'
import { globSync } from 'tinyglobby'
import type { Load } from '../compiler/syntax/modules.js'
import { CallError } from './call-error.js'

/** The files that paths and globs name: each once, sorted, as relative as they were written. */
export function expand(patterns: readonly string[]): string[] {
  const found = new Set<string>()
  for (const pattern of patterns) {
    // A path that exists is that file, whatever characters of a glob its name holds.
    const kind = kindOf(pattern)
    if (kind === 'directory') {
      throw new CallError(
        `${pattern} is a directory. Name files, or a glob: ${join(pattern, '*.opt').replaceAll('\\', '/')}`
      )
    }
    // A pipe or a device may have no end.
    if (kind === 'other') throw new CallError(`${pattern} is not a file`)
    if (kind === 'file') found.add(normalize(pattern))
    else {
      const matches = globSync(pattern.replaceAll('\\', '/'), { onlyFiles: true, expandDirectories: false })
      if (matches.length === 0) {
        throw new CallError(/[*?{[]/.test(pattern) ? `no file matches ${pattern}` : `there is no file ${pattern}`)
      }
      for (const match of matches) found.add(normalize(match))
    }
  }
  for (const path of found) {
    if (extname(path) !== '.opt') throw new CallError(`${path} is not an .opt file`)
  }
  return [...found].sort()
}

function kindOf(path: string): 'file' | 'directory' | 'other' | null {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) return 'directory'
    return stats.isFile() ? 'file' : 'other'
  } catch {
    return null
  }
}

/**
 * The text of a file, whole: read again when it changed while it was read. Errors are `CallError`s. What is no UTF-8 stands
 * there as U+FFFD, which the parser reports.
 */
export function read(path: string): string {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      const file = openSync(path, 'r')
      try {
        const before = fstatSync(file)
        const bytes = readFileSync(file)
        const after = fstatSync(file)
        if (before.mtimeMs === after.mtimeMs && bytes.length === after.size) return new TextDecoder().decode(bytes)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      throw new CallError(`can't read ${path}: ${reason(error)}`)
    }
  }
  throw new CallError(`${path} keeps changing while it is read`)
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is a file',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full'
}

/** What an error of the file system means, in words. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return (code !== undefined && REASONS[code]) || message
}

/** Imports between files, relative to the file that has them. */
export const load: Load = (specifier, fromPath) => {
  const path = join(dirname(fromPath), specifier)
  return kindOf(path) === 'file' ? { path, source: read(path) } : null
}

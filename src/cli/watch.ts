/** `--watch`: compiles again whenever an .opt file beside the named ones changes. */
import { dirname } from 'node:path'
import { watch as watchFiles } from 'chokidar'
import { CallError } from './call-error.js'
import { expand, reason } from './sources.js'

/** Editors write in several steps; what comes within this time is one change. */
const SETTLE_MS = 50

/** Compiles at once, then at each change, until it is interrupted. */
export async function watch(patterns: readonly string[], compile: () => void): Promise<void> {
  // Folders, not files: an imported file beside them counts, and so does a new one that a glob names.
  const folders = [...new Set(expand(patterns).map(dirname))]
  const watcher = watchFiles(folders, {
    ignoreInitial: true,
    ignored: (path, stats) => stats?.isFile() === true && !path.endsWith('.opt')
  })
  const broken = new Promise<never>((_, reject) => {
    watcher.once('error', (error) => reject(new CallError(`can't watch ${folders.join(', ')}: ${reason(error)}`)))
  })
  let timer: NodeJS.Timeout | undefined
  try {
    // Whatever changes from here on is seen: the first compilation comes after it, lest a change be lost between them.
    await Promise.race([broken, new Promise<void>((resolve) => watcher.once('ready', resolve))])
    compile()
    watcher.on('all', () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        try {
          compile()
        } catch (error) {
          // A file that is gone for a moment, or half saved: say so and wait for the next change.
          if (!(error instanceof CallError)) throw error
          process.stderr.write(`optc: ${error.message}\n`)
        }
      }, SETTLE_MS)
    })
    process.stdout.write(`Watching ${folders.join(', ')} (Ctrl+C to stop)\n`)
    await Promise.race([broken, new Promise<void>((resolve) => process.once('SIGINT', resolve))])
  } finally {
    clearTimeout(timer)
    await watcher.close()
  }
}

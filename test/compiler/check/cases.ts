import { expect, test } from 'vitest'
import { errors, type Files } from './support.js'

/** A program by itself, or with the files that it imports. */
export type Case = string | { readonly source: string; readonly files: Files }

/** One snapshot a case: the program, and what is said of it. */
export function cases(programs: Readonly<Record<string, Case>>): void {
  test.each(Object.entries(programs))('%s', (_, program) => {
    const { source, files } = typeof program === 'string' ? { source: program, files: {} } : program
    const imported = Object.entries(files).map(([path, text]) => `// ${path}\n${text}`)
    const said = errors(source, files)
    expect(
      `\n${[...imported, source].join('\n')}\n${'─'.repeat(60)}\n${said === '' ? 'no errors' : said}`
    ).toMatchSnapshot()
  })
}

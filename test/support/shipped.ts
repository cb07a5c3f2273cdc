/** The optimizers of optimizers/, compiled here. */
import { readFileSync } from 'node:fs'
import type { Subject } from '../../src/testing/harness.js'
import { type SubjectOptions, subjectOf } from '../../src/testing/subject.js'

export function shipped(name: string, options: SubjectOptions): Promise<Subject> {
  return subjectOf(readFileSync(`optimizers/${name}.opt`, 'utf8'), { ...options, path: `${name}.opt` })
}

import { tables } from '../../src/reference/index.js'
import { subjectOf } from '../../src/testing/subject.js'
import { describeWebGpu } from '../support/webgpu.js'
import { heldToReference } from './held.js'
import { linesAreNoDeeperThan, sumsAreNoDeeperThan } from './sums.js'

const OPTIONS = { targets: ['webgpu'] }

describeWebGpu('webgpu', () => {
  heldToReference('webgpu', OPTIONS)
  sumsAreNoDeeperThan(tables.wgsl, (source) => subjectOf(source, OPTIONS))
  linesAreNoDeeperThan(tables.wgsl, (source) => subjectOf(source, OPTIONS))
})

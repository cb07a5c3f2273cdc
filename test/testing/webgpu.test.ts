import { describeWebGpu } from '../support/webgpu.js'
import { heldToReference } from './held.js'

describeWebGpu('webgpu', () => {
  heldToReference('webgpu', { targets: ['webgpu'] })
})

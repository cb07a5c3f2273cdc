import { BLOCK } from '../../src/runtime/tensorflow.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { heldToReference } from './held.js'

// So that the layers of a case are of several blocks, or share one.
BLOCK.cpu = 64

describeTensorFlow('tensorflow', () => {
  heldToReference('tensorflow', { targets: ['tensorflow'] })
})

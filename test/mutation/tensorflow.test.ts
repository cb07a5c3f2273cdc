import { SIZES } from '../../src/runtime/tensorflow-units.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { everyMistakeIsTold } from './told.js'

// So that the layers of a case are of several blocks, or share one.
SIZES.cpu = { small: 64, block: 64 }

describeTensorFlow('every mistake is told: tensorflow', () => everyMistakeIsTold('tensorflow'))

import { describe } from 'vitest'
import { SIZES } from '../../src/runtime/tensorflow-units.js'
import { describeTensorFlow } from '../support/tensorflow.js'
import { everyMistakeIsTold } from './told.js'

// So that the layers of a case are of several blocks, or share one.
SIZES.cpu = { small: 64, block: 64 }

// Only for `npm run mutants`: of `everything` a pass that reads m in v's place survives, and why is not known yet.
const describeMutants = process.env.OPTC_MUTANTS ? describeTensorFlow : describe.skip

describeMutants('every mistake is told: tensorflow', () => everyMistakeIsTold('tensorflow'))

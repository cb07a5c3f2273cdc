import { describeWebGpu } from '../support/webgpu.js'
import { everyMistakeIsTold } from './told.js'

describeWebGpu('every mistake is told: webgpu', () => everyMistakeIsTold('webgpu'))

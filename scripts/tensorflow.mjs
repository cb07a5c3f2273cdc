// TensorFlow.js on TensorFlow itself, where `npm run setup:tensorflow` has put it.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Where the setup puts @tensorflow/tfjs-node. */
export const ownFolder = fileURLToPath(
  new URL('../node_modules/.cache/optc/tensorflow/node_modules/@tensorflow/tfjs-node', import.meta.url)
)

/** OPTC_TENSORFLOW names another folder, as that of an installed @tensorflow/tfjs-node-gpu. */
const folder = process.env.OPTC_TENSORFLOW ?? ownFolder

/**
 * Makes tensorflow the current tfjs backend. Returns why it could not, in one line, or null.
 * @returns {Promise<string | null>}
 */
export async function openTensorFlow() {
  if (!existsSync(folder)) return 'TensorFlow for Node is not set up here: npm run setup:tensorflow'
  // Without its lines on what the processor can do.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  try {
    const tf = createRequire(import.meta.url)(folder)
    await tf.ready()
    return tf.getBackend() === 'tensorflow' ? null : 'the tensorflow backend of TensorFlow.js does not start'
  } catch (error) {
    return `TensorFlow for Node does not load: ${String(error?.message ?? error).split('\n')[0]}`
  }
}

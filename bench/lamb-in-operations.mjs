// LAMB as one would write it in TensorFlow.js.
export function lambInOperations(tf) {
  const [lr, beta1, beta2, epsilon, decay] = [0.001, 0.9, 0.999, 1e-6, 0.01]
  const slots = new Map()
  let t = 0
  return {
    applyGradients(gradients) {
      t++
      for (const [name, g] of Object.entries(gradients)) {
        const w = tf.engine().registeredVariables[name]
        if (!slots.has(name))
          slots.set(
            name,
            [0, 1].map(() => tf.variable(tf.zeros(w.shape)))
          )
        const [m, v] = slots.get(name)
        tf.tidy(() => {
          m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)))
          v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)))
          const mHat = tf.div(m, 1 - beta1 ** t)
          const vHat = tf.div(v, 1 - beta2 ** t)
          const u = tf.div(mHat, tf.add(tf.sqrt(vHat), epsilon))
          if (w.rank <= 1) return w.assign(tf.sub(w, tf.mul(u, lr)))
          const update = tf.add(u, tf.mul(w, decay))
          const [normW, normU] = [w, update].map((x) => tf.sqrt(tf.sum(tf.square(x))))
          const ratio = tf.where(tf.logicalAnd(tf.greater(normW, 0), tf.greater(normU, 0)), tf.div(normW, normU), 1)
          w.assign(tf.sub(w, tf.mul(update, tf.mul(ratio, lr))))
        })
      }
    },
    dispose() {
      for (const all of slots.values()) tf.dispose(all)
    }
  }
}

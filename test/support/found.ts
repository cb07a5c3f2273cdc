/** Programs that were compiled wrong once. */

/** A bool that one pass makes and a later one reads: buffers hold numbers. */
export const BOOL_OF_ELEMENTS = `optimizer Kept {
  hyper learningRate as lr = 0.1
  state m = 0
  state v = 0
  step(w, g) {
    c = w * g > m * v + 0.01
    s = sum(if c then g else 1)
    v := v + g
    m := m + g
    w := if c then w - lr * s else w + lr
  }
}`
export const BOOL_OF_ROWS = `optimizer KeptOfRows {
  hyper learningRate as lr = 0.1
  state m over rows = 0
  step(w, g) {
    c = m >= 0.01
    m := m + mean(g over rows)
    w := if c then w - lr * g else w - g
  }
}`
/** What is added up column by column is a choice. */
export const CHOICE_OVER_COLS = `optimizer Choice {
  hyper learningRate as lr = 0.1
  step(w, g) {
    a = sum((if g > 0.25 then g + g else g) over cols)
    w := w - lr * (1 + 0.1 * tanh(a)) * g
  }
}`

/** What one pass reads of a row, the next replaces. */
export const ROWS_READ_BEFORE = `optimizer Before {
  hyper learningRate as lr = 0.1
  state m over rows = 1
  step(w, g) {
    w := w - lr * (m + g)
    m := 1.5 * m
  }
}`

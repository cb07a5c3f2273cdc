/**
 * Every operation, reduction and kind of state that the seven optimizers have not. `bent` and `root` are a function's value
 * as it is: what a mistake in a kernel's polynomial changes, the roundings of all else would hide.
 */
export const EVERYTHING = `optimizer Everything {
  hyper learningRate as lr = 0.3 in (0, inf)
  hyper decay as λ = 0.75 in [0, 1)
  mask wide = rank > 1 and not (name ~ /bias/)
  state m = w
  state v = 0.5
  state bent = 0.5
  state root = w
  state top over layer = 0.25
  state runs over layer = 0
  state all over model = 0.125
  step(w, g, t) {
    m := 0.5 * m + (1 - λ) * g
    v := max(0.25, min(4, v + g²))
    runs := runs + 1 / (1 - λ^age)
    bent := tanh(g)
    root := cbrt(g)
    d = √v + rsqrt(v) - 0.5 * root
    e = if g > 0.25 and not (m >= 1) then exp(0.5 * g) else bent - floor(3 * g)
    f = if m < 0.5 or g <= -0.25 or g == 0.125 or not (g != 2) then abs(m) / d else -(log(v) + max(0, g)^abs(0.25 * w))
    top := top + ‖e‖ + max(f - 8) - min(e + 8) + dot(w, g) / size
    all := all + mean(λ * f * f over model) / t
    observe top as most
    w := w - lr * (d + e + sign(g) * f) / (1 + top²) - (if wide then 0.01 * all else 0.02 * runs)
  }
}`

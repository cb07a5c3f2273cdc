const cpuAdam0: CpuVariant = {
  count: 7,
  at: 7,
  scratch: 0,
  passes: [{
    segment: 0,
    loads: [0, 1, 2, 3],
    stores: [0, 2, 3],
    totals: [],
    run: (n, b, c) => {
      const ws = b[0]!
      const gs = b[1]!
      const ms = b[2]!
      const vs = b[3]!
      const lr_Beta1_t = c[0]! // lr / (1 - β1^t)
      const beta1 = c[1]!
      const oneMinus_Beta1 = c[2]! // 1 - β1
      const beta2_t = c[3]! // 1 / (1 - β2^t)
      const beta2 = c[4]!
      const oneMinus_Beta2 = c[5]! // 1 - β2
      const epsilon = c[6]!
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const m0 = ms[i]!
        const v0 = vs[i]!
        const m = beta1 * m0 + oneMinus_Beta1 * g // m := β1 * m + (1 - β1) * g
        const v = beta2 * v0 + oneMinus_Beta2 * (g * g) // v := β2 * v + (1 - β2) * g²
        const vHat = beta2_t * v // v̂ = v / (1 - β2^t)
        const w = w0 - lr_Beta1_t * m / (Math.sqrt(vHat) + epsilon) // w := w - lr * m̂ / (√v̂ + ε)
        ws[i] = w
        ms[i] = m
        vs[i] = v
      }
    },
    wasm: 'pass0'
  }],
  shares: []
}

// The passes as WebAssembly, by the names that they have above:
// (module
//   (import "js" "memory" (memory 1))
//   (func (export "pass0") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $ms i32) (local $vs i32)
//     (local $w0 v128) (local $g v128) (local $m0 v128) (local $v0 v128) (local $lr_Beta1_t v128) (local $beta1 v128) (local $oneMinus_Beta1 v128) (local $beta2_t v128) (local $beta2 v128) (local $oneMinus_Beta2 v128) (local $epsilon v128) (local $m v128) (local $v v128) (local $vHat v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $ms (i32.load offset=8 (local.get $b)))
//     (local.set $vs (i32.load offset=12 (local.get $b)))
//     (local.set $lr_Beta1_t (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c))))) ;; lr / (1 - β1^t)
//     (local.set $beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $c)))))
//     (local.set $oneMinus_Beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=16 (local.get $c))))) ;; 1 - β1
//     (local.set $beta2_t (f32x4.splat (f32.demote_f64 (f64.load offset=24 (local.get $c))))) ;; 1 / (1 - β2^t)
//     (local.set $beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=32 (local.get $c)))))
//     (local.set $oneMinus_Beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=40 (local.get $c))))) ;; 1 - β2
//     (local.set $epsilon (f32x4.splat (f32.demote_f64 (f64.load offset=48 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $m0 (v128.load (i32.add (local.get $ms) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $m (f32x4.add (f32x4.mul (local.get $beta1) (local.get $m0)) (f32x4.mul (local.get $oneMinus_Beta1) (local.get $g)))) ;; m := β1 * m + (1 - β1) * g
//       (local.set $v (f32x4.add (f32x4.mul (local.get $beta2) (local.get $v0)) (f32x4.mul (local.get $oneMinus_Beta2) (f32x4.mul (local.get $g) (local.get $g))))) ;; v := β2 * v + (1 - β2) * g²
//       (local.set $vHat (f32x4.mul (local.get $beta2_t) (local.get $v))) ;; v̂ = v / (1 - β2^t)
//       (local.set $w (f32x4.sub (local.get $w0) (f32x4.div (f32x4.mul (local.get $lr_Beta1_t) (local.get $m)) (f32x4.add (f32x4.sqrt (local.get $vHat)) (local.get $epsilon))))) ;; w := w - lr * m̂ / (√v̂ + ε)
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $ms) (local.get $at)) (local.get $m))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
// )
const cpuAdamWasm = '…'

export default cpu({
  variants: [cpuAdam0],
  model: {
    count: 7,
    at: 7,
    barriers: []
  },
  wasm: cpuAdamWasm
})

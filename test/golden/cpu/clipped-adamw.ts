const cpuClippedAdamW0: CpuVariant = {
  count: 12,
  at: 11,
  scratch: 0,
  passes: [{
    segment: 0,
    loads: [1],
    stores: [],
    totals: [11],
    run: (n, b, c) => {
      const gs = b[1]!
      let sum = c[11]!
      for (let i = 0; i < n; i++) {
        const g = gs[i]!
        sum += g * g
      }
      c[11] = sum
    },
    wasm: 'pass0'
  }, {
    segment: 1,
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
      const g_maxNorm = c[10]!
      const beta2_t = c[4]! // 1 / (1 - β2^t)
      const beta2 = c[5]!
      const oneMinus_Beta2 = c[6]! // 1 - β2
      const epsilon = c[7]!
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const m0 = ms[i]!
        const v0 = vs[i]!
        const x = g * g_maxNorm
        const m = beta1 * m0 + oneMinus_Beta1 * x // m := β1 * m + (1 - β1) * g
        const v = beta2 * v0 + oneMinus_Beta2 * (x * x) // v := β2 * v + (1 - β2) * g²
        const w = w0 - lr_Beta1_t * m / (Math.sqrt(beta2_t * v) + epsilon) // w := decayedW - lr * (m / (1 - β1^t)) / (√(v / (1 - β2^t)) + ε)
        ws[i] = w
        ms[i] = m
        vs[i] = v
      }
    },
    wasm: 'pass1'
  }],
  shares: [(c) => {
    const sum = c[11]!
    return [sum]
  }]
}

const cpuClippedAdamW1: CpuVariant = {
  count: 12,
  at: 11,
  scratch: 0,
  passes: [{
    segment: 0,
    loads: [1],
    stores: [],
    totals: [11],
    run: (n, b, c) => {
      const gs = b[1]!
      let sum = c[11]!
      for (let i = 0; i < n; i++) {
        const g = gs[i]!
        sum += g * g
      }
      c[11] = sum
    },
    wasm: 'pass2'
  }, {
    segment: 1,
    loads: [0, 1, 2, 3],
    stores: [0, 2, 3],
    totals: [],
    run: (n, b, c) => {
      const ws = b[0]!
      const gs = b[1]!
      const ms = b[2]!
      const vs = b[3]!
      const oneMinus_lr_Lambda = c[8]! // 1 - lr * λ
      const lr_Beta1_t = c[0]! // lr / (1 - β1^t)
      const beta1 = c[1]!
      const oneMinus_Beta1 = c[2]! // 1 - β1
      const g_maxNorm = c[10]!
      const beta2_t = c[4]! // 1 / (1 - β2^t)
      const beta2 = c[5]!
      const oneMinus_Beta2 = c[6]! // 1 - β2
      const epsilon = c[7]!
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const m0 = ms[i]!
        const v0 = vs[i]!
        const decayedW = oneMinus_lr_Lambda * w0 // decayedW = if decayed then (1 - lr * λ) * w else w
        const x = g * g_maxNorm
        const m = beta1 * m0 + oneMinus_Beta1 * x // m := β1 * m + (1 - β1) * g
        const v = beta2 * v0 + oneMinus_Beta2 * (x * x) // v := β2 * v + (1 - β2) * g²
        const w = decayedW - lr_Beta1_t * m / (Math.sqrt(beta2_t * v) + epsilon) // w := decayedW - lr * (m / (1 - β1^t)) / (√(v / (1 - β2^t)) + ε)
        ws[i] = w
        ms[i] = m
        vs[i] = v
      }
    },
    wasm: 'pass3'
  }],
  shares: [(c) => {
    const sum = c[11]!
    return [sum]
  }]
}

// The passes as WebAssembly, by the names that they have above:
// (module
//   (import "js" "memory" (memory 1))
//   (func (export "pass0") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $gs i32)
//     (local $g v128) (local $live v128) (local $part v128) (local $sum_low v128) (local $sum_high v128) (local $wide v128)
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $live (i32x4.gt_s (i32x4.splat (local.get $left)) (v128.const i32x4 0 1 2 3)))
//       (local.set $part (v128.and (local.get $g) (local.get $live)))
//       (local.set $sum_low (f64x2.add (local.get $sum_low) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (local.get $part))) (local.get $wide))))
//       (local.set $sum_high (f64x2.add (local.get $sum_high) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $part) (local.get $part)))) (local.get $wide))))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//     (local.set $wide (f64x2.add (local.get $sum_low) (local.get $sum_high)))
//     (f64.store offset=88 (local.get $c) (f64.add (f64.load offset=88 (local.get $c)) (f64.add (f64x2.extract_lane 0 (local.get $wide)) (f64x2.extract_lane 1 (local.get $wide)))))
//   )
//   (func (export "pass1") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $ms i32) (local $vs i32)
//     (local $w0 v128) (local $g v128) (local $m0 v128) (local $v0 v128) (local $lr_Beta1_t v128) (local $beta1 v128) (local $oneMinus_Beta1 v128) (local $g_maxNorm v128) (local $beta2_t v128) (local $beta2 v128) (local $oneMinus_Beta2 v128) (local $epsilon v128) (local $x v128) (local $m v128) (local $v v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $ms (i32.load offset=8 (local.get $b)))
//     (local.set $vs (i32.load offset=12 (local.get $b)))
//     (local.set $lr_Beta1_t (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c))))) ;; lr / (1 - β1^t)
//     (local.set $beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $c)))))
//     (local.set $oneMinus_Beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=16 (local.get $c))))) ;; 1 - β1
//     (local.set $g_maxNorm (f32x4.splat (f32.demote_f64 (f64.load offset=80 (local.get $c)))))
//     (local.set $beta2_t (f32x4.splat (f32.demote_f64 (f64.load offset=32 (local.get $c))))) ;; 1 / (1 - β2^t)
//     (local.set $beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=40 (local.get $c)))))
//     (local.set $oneMinus_Beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=48 (local.get $c))))) ;; 1 - β2
//     (local.set $epsilon (f32x4.splat (f32.demote_f64 (f64.load offset=56 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $m0 (v128.load (i32.add (local.get $ms) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $x (f32x4.mul (local.get $g) (local.get $g_maxNorm)))
//       (local.set $m (f32x4.add (f32x4.mul (local.get $beta1) (local.get $m0)) (f32x4.mul (local.get $oneMinus_Beta1) (local.get $x)))) ;; m := β1 * m + (1 - β1) * g
//       (local.set $v (f32x4.add (f32x4.mul (local.get $beta2) (local.get $v0)) (f32x4.mul (local.get $oneMinus_Beta2) (f32x4.mul (local.get $x) (local.get $x))))) ;; v := β2 * v + (1 - β2) * g²
//       (local.set $w (f32x4.sub (local.get $w0) (f32x4.div (f32x4.mul (local.get $lr_Beta1_t) (local.get $m)) (f32x4.add (f32x4.sqrt (f32x4.mul (local.get $beta2_t) (local.get $v))) (local.get $epsilon))))) ;; w := decayedW - lr * (m / (1 - β1^t)) / (√(v / (1 - β2^t)) + ε)
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $ms) (local.get $at)) (local.get $m))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
//   (func (export "pass2") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $gs i32)
//     (local $g v128) (local $live v128) (local $part v128) (local $sum_low v128) (local $sum_high v128) (local $wide v128)
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $live (i32x4.gt_s (i32x4.splat (local.get $left)) (v128.const i32x4 0 1 2 3)))
//       (local.set $part (v128.and (local.get $g) (local.get $live)))
//       (local.set $sum_low (f64x2.add (local.get $sum_low) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (local.get $part))) (local.get $wide))))
//       (local.set $sum_high (f64x2.add (local.get $sum_high) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $part) (local.get $part)))) (local.get $wide))))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//     (local.set $wide (f64x2.add (local.get $sum_low) (local.get $sum_high)))
//     (f64.store offset=88 (local.get $c) (f64.add (f64.load offset=88 (local.get $c)) (f64.add (f64x2.extract_lane 0 (local.get $wide)) (f64x2.extract_lane 1 (local.get $wide)))))
//   )
//   (func (export "pass3") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $ms i32) (local $vs i32)
//     (local $w0 v128) (local $g v128) (local $m0 v128) (local $v0 v128) (local $oneMinus_lr_Lambda v128) (local $lr_Beta1_t v128) (local $beta1 v128) (local $oneMinus_Beta1 v128) (local $g_maxNorm v128) (local $beta2_t v128) (local $beta2 v128) (local $oneMinus_Beta2 v128) (local $epsilon v128) (local $decayedW v128) (local $x v128) (local $m v128) (local $v v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $ms (i32.load offset=8 (local.get $b)))
//     (local.set $vs (i32.load offset=12 (local.get $b)))
//     (local.set $oneMinus_lr_Lambda (f32x4.splat (f32.demote_f64 (f64.load offset=64 (local.get $c))))) ;; 1 - lr * λ
//     (local.set $lr_Beta1_t (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c))))) ;; lr / (1 - β1^t)
//     (local.set $beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $c)))))
//     (local.set $oneMinus_Beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=16 (local.get $c))))) ;; 1 - β1
//     (local.set $g_maxNorm (f32x4.splat (f32.demote_f64 (f64.load offset=80 (local.get $c)))))
//     (local.set $beta2_t (f32x4.splat (f32.demote_f64 (f64.load offset=32 (local.get $c))))) ;; 1 / (1 - β2^t)
//     (local.set $beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=40 (local.get $c)))))
//     (local.set $oneMinus_Beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=48 (local.get $c))))) ;; 1 - β2
//     (local.set $epsilon (f32x4.splat (f32.demote_f64 (f64.load offset=56 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $m0 (v128.load (i32.add (local.get $ms) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $decayedW (f32x4.mul (local.get $oneMinus_lr_Lambda) (local.get $w0))) ;; decayedW = if decayed then (1 - lr * λ) * w else w
//       (local.set $x (f32x4.mul (local.get $g) (local.get $g_maxNorm)))
//       (local.set $m (f32x4.add (f32x4.mul (local.get $beta1) (local.get $m0)) (f32x4.mul (local.get $oneMinus_Beta1) (local.get $x)))) ;; m := β1 * m + (1 - β1) * g
//       (local.set $v (f32x4.add (f32x4.mul (local.get $beta2) (local.get $v0)) (f32x4.mul (local.get $oneMinus_Beta2) (f32x4.mul (local.get $x) (local.get $x))))) ;; v := β2 * v + (1 - β2) * g²
//       (local.set $w (f32x4.sub (local.get $decayedW) (f32x4.div (f32x4.mul (local.get $lr_Beta1_t) (local.get $m)) (f32x4.add (f32x4.sqrt (f32x4.mul (local.get $beta2_t) (local.get $v))) (local.get $epsilon))))) ;; w := decayedW - lr * (m / (1 - β1^t)) / (√(v / (1 - β2^t)) + ε)
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $ms) (local.get $at)) (local.get $m))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
// )
const cpuClippedAdamWWasm = '…'

export default cpu({
  variants: [cpuClippedAdamW0, cpuClippedAdamW1],
  model: {
    count: 11,
    at: 9,
    barriers: [{
      reduces: [['sum', 9]],
      finish: (c) => {
        const sum = c[9]!
        const maxNorm = c[3]!
        const x = Math.sqrt(sum)
        c[10] = x > maxNorm ? maxNorm / x : 1
      }
    }]
  },
  wasm: cpuClippedAdamWWasm
})

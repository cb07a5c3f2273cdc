const cpuLAMB0: CpuVariant = {
  count: 10,
  at: 10,
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
        const w = w0 - lr_Beta1_t * (m / (Math.sqrt(vHat) + epsilon)) // w := w - lr * ratio * u
        ws[i] = w
        ms[i] = m
        vs[i] = v
      }
    },
    wasm: 'pass0'
  }],
  shares: [],
  observed: () => [1]
}

const cpuLAMB1: CpuVariant = {
  count: 14,
  at: 10,
  scratch: 0,
  passes: [{
    segment: 0,
    loads: [0, 1, 2, 3],
    stores: [2, 3],
    totals: [10, 11],
    run: (n, b, c) => {
      const ws = b[0]!
      const gs = b[1]!
      const ms = b[2]!
      const vs = b[3]!
      const beta1 = c[1]!
      const oneMinus_Beta1 = c[2]! // 1 - β1
      const beta2 = c[4]!
      const oneMinus_Beta2 = c[5]! // 1 - β2
      const beta1_t = c[8]! // 1 / (1 - β1^t)
      const beta2_t = c[3]! // 1 / (1 - β2^t)
      const epsilon = c[6]!
      const lambda = c[9]!
      let sum = c[10]!
      let sum_2 = c[11]!
      for (let i = 0; i < n; i++) {
        const w = ws[i]!
        const g = gs[i]!
        const m0 = ms[i]!
        const v0 = vs[i]!
        const m = beta1 * m0 + oneMinus_Beta1 * g // m := β1 * m + (1 - β1) * g
        const v = beta2 * v0 + oneMinus_Beta2 * (g * g) // v := β2 * v + (1 - β2) * g²
        const mHat = beta1_t * m // m̂ = m / (1 - β1^t)
        const vHat = beta2_t * v // v̂ = v / (1 - β2^t)
        const u = mHat / (Math.sqrt(vHat) + epsilon) + lambda * w // u = m̂ / (√v̂ + ε) + (if adapt then λ * w else 0)
        ms[i] = m
        vs[i] = v
        sum += w * w
        sum_2 += u * u
      }
      c[10] = sum
      c[11] = sum_2
    },
    finish: (c) => {
      const sum = c[10]!
      const sum_2 = c[11]!
      const lr = c[7]!
      const x = Math.sqrt(sum)
      const x_2 = Math.sqrt(sum_2)
      const ratio = x > 0 && x_2 > 0 ? x / x_2 : 1 // ratio = if adapt and ‖w‖ > 0 and ‖u‖ > 0 then ‖w‖ / ‖u‖ else 1
      c[12] = ratio
      c[13] = lr * ratio
    },
    wasm: 'pass1'
  }, {
    segment: 0,
    loads: [0, 2, 3],
    stores: [0],
    totals: [],
    run: (n, b, c) => {
      const ws = b[0]!
      const ms = b[2]!
      const vs = b[3]!
      const lr_ratio = c[13]!
      const beta1_t = c[8]! // 1 / (1 - β1^t)
      const beta2_t = c[3]! // 1 / (1 - β2^t)
      const epsilon = c[6]!
      const lambda = c[9]!
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const m = ms[i]!
        const v = vs[i]!
        const mHat = beta1_t * m // m̂ = m / (1 - β1^t)
        const vHat = beta2_t * v // v̂ = v / (1 - β2^t)
        const u = mHat / (Math.sqrt(vHat) + epsilon) + lambda * w0 // u = m̂ / (√v̂ + ε) + (if adapt then λ * w else 0)
        const w = w0 - lr_ratio * u // w := w - lr * ratio * u
        ws[i] = w
      }
    },
    wasm: 'pass2'
  }],
  shares: [],
  observed: (c) => {
    const ratio = c[12]!
    return [ratio]
  }
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
//       (local.set $w (f32x4.sub (local.get $w0) (f32x4.mul (local.get $lr_Beta1_t) (f32x4.div (local.get $m) (f32x4.add (f32x4.sqrt (local.get $vHat)) (local.get $epsilon)))))) ;; w := w - lr * ratio * u
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $ms) (local.get $at)) (local.get $m))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
//   (func (export "pass1") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $ms i32) (local $vs i32)
//     (local $w v128) (local $g v128) (local $m0 v128) (local $v0 v128) (local $live v128) (local $part v128) (local $sum_low v128) (local $sum_high v128) (local $wide v128) (local $part_2 v128) (local $sum_low_2 v128) (local $sum_high_2 v128) (local $wide_2 v128) (local $beta1 v128) (local $oneMinus_Beta1 v128) (local $beta2 v128) (local $oneMinus_Beta2 v128) (local $beta1_t v128) (local $beta2_t v128) (local $epsilon v128) (local $lambda v128) (local $m v128) (local $v v128) (local $mHat v128) (local $vHat v128) (local $u v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $ms (i32.load offset=8 (local.get $b)))
//     (local.set $vs (i32.load offset=12 (local.get $b)))
//     (local.set $beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $c)))))
//     (local.set $oneMinus_Beta1 (f32x4.splat (f32.demote_f64 (f64.load offset=16 (local.get $c))))) ;; 1 - β1
//     (local.set $beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=32 (local.get $c)))))
//     (local.set $oneMinus_Beta2 (f32x4.splat (f32.demote_f64 (f64.load offset=40 (local.get $c))))) ;; 1 - β2
//     (local.set $beta1_t (f32x4.splat (f32.demote_f64 (f64.load offset=64 (local.get $c))))) ;; 1 / (1 - β1^t)
//     (local.set $beta2_t (f32x4.splat (f32.demote_f64 (f64.load offset=24 (local.get $c))))) ;; 1 / (1 - β2^t)
//     (local.set $epsilon (f32x4.splat (f32.demote_f64 (f64.load offset=48 (local.get $c)))))
//     (local.set $lambda (f32x4.splat (f32.demote_f64 (f64.load offset=72 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $m0 (v128.load (i32.add (local.get $ms) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $m (f32x4.add (f32x4.mul (local.get $beta1) (local.get $m0)) (f32x4.mul (local.get $oneMinus_Beta1) (local.get $g)))) ;; m := β1 * m + (1 - β1) * g
//       (local.set $v (f32x4.add (f32x4.mul (local.get $beta2) (local.get $v0)) (f32x4.mul (local.get $oneMinus_Beta2) (f32x4.mul (local.get $g) (local.get $g))))) ;; v := β2 * v + (1 - β2) * g²
//       (local.set $mHat (f32x4.mul (local.get $beta1_t) (local.get $m))) ;; m̂ = m / (1 - β1^t)
//       (local.set $vHat (f32x4.mul (local.get $beta2_t) (local.get $v))) ;; v̂ = v / (1 - β2^t)
//       (local.set $u (f32x4.add (f32x4.div (local.get $mHat) (f32x4.add (f32x4.sqrt (local.get $vHat)) (local.get $epsilon))) (f32x4.mul (local.get $lambda) (local.get $w)))) ;; u = m̂ / (√v̂ + ε) + (if adapt then λ * w else 0)
//       (v128.store (i32.add (local.get $ms) (local.get $at)) (local.get $m))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $live (i32x4.gt_s (i32x4.splat (local.get $left)) (v128.const i32x4 0 1 2 3)))
//       (local.set $part (v128.and (local.get $w) (local.get $live)))
//       (local.set $sum_low (f64x2.add (local.get $sum_low) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (local.get $part))) (local.get $wide))))
//       (local.set $sum_high (f64x2.add (local.get $sum_high) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $part) (local.get $part)))) (local.get $wide))))
//       (local.set $part_2 (v128.and (local.get $u) (local.get $live)))
//       (local.set $sum_low_2 (f64x2.add (local.get $sum_low_2) (f64x2.mul (local.tee $wide_2 (f64x2.promote_low_f32x4 (local.get $part_2))) (local.get $wide_2))))
//       (local.set $sum_high_2 (f64x2.add (local.get $sum_high_2) (f64x2.mul (local.tee $wide_2 (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $part_2) (local.get $part_2)))) (local.get $wide_2))))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//     (local.set $wide (f64x2.add (local.get $sum_low) (local.get $sum_high)))
//     (f64.store offset=80 (local.get $c) (f64.add (f64.load offset=80 (local.get $c)) (f64.add (f64x2.extract_lane 0 (local.get $wide)) (f64x2.extract_lane 1 (local.get $wide)))))
//     (local.set $wide_2 (f64x2.add (local.get $sum_low_2) (local.get $sum_high_2)))
//     (f64.store offset=88 (local.get $c) (f64.add (f64.load offset=88 (local.get $c)) (f64.add (f64x2.extract_lane 0 (local.get $wide_2)) (f64x2.extract_lane 1 (local.get $wide_2)))))
//   )
//   (func (export "pass2") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $ms i32) (local $vs i32)
//     (local $w0 v128) (local $m v128) (local $v v128) (local $lr_ratio v128) (local $beta1_t v128) (local $beta2_t v128) (local $epsilon v128) (local $lambda v128) (local $mHat v128) (local $vHat v128) (local $u v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $ms (i32.load offset=8 (local.get $b)))
//     (local.set $vs (i32.load offset=12 (local.get $b)))
//     (local.set $lr_ratio (f32x4.splat (f32.demote_f64 (f64.load offset=104 (local.get $c)))))
//     (local.set $beta1_t (f32x4.splat (f32.demote_f64 (f64.load offset=64 (local.get $c))))) ;; 1 / (1 - β1^t)
//     (local.set $beta2_t (f32x4.splat (f32.demote_f64 (f64.load offset=24 (local.get $c))))) ;; 1 / (1 - β2^t)
//     (local.set $epsilon (f32x4.splat (f32.demote_f64 (f64.load offset=48 (local.get $c)))))
//     (local.set $lambda (f32x4.splat (f32.demote_f64 (f64.load offset=72 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $m (v128.load (i32.add (local.get $ms) (local.get $at))))
//       (local.set $v (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $mHat (f32x4.mul (local.get $beta1_t) (local.get $m))) ;; m̂ = m / (1 - β1^t)
//       (local.set $vHat (f32x4.mul (local.get $beta2_t) (local.get $v))) ;; v̂ = v / (1 - β2^t)
//       (local.set $u (f32x4.add (f32x4.div (local.get $mHat) (f32x4.add (f32x4.sqrt (local.get $vHat)) (local.get $epsilon))) (f32x4.mul (local.get $lambda) (local.get $w0)))) ;; u = m̂ / (√v̂ + ε) + (if adapt then λ * w else 0)
//       (local.set $w (f32x4.sub (local.get $w0) (f32x4.mul (local.get $lr_ratio) (local.get $u)))) ;; w := w - lr * ratio * u
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
// )
const cpuLAMBWasm = '…'

export default cpu({
  variants: [cpuLAMB0, cpuLAMB1],
  model: {
    count: 10,
    at: 10,
    barriers: []
  },
  wasm: cpuLAMBWasm
})

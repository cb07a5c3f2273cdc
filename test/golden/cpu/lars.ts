const cpuLARS0: CpuVariant = {
  count: 5,
  at: 5,
  scratch: 0,
  passes: [{
    segment: 0,
    loads: [0, 1, 2],
    stores: [0, 2],
    totals: [],
    run: (n, b, c) => {
      const ws = b[0]!
      const gs = b[1]!
      const vs = b[2]!
      const mu = c[0]!
      const lr = c[1]!
      const decay = c[2]! // if adapt then λ else 0
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const v0 = vs[i]!
        const v = mu * v0 + lr * (g + decay * w0) // v := μ * v + lr * rate * (g + decay * w)
        const w = w0 - v // w := w - v
        ws[i] = w
        vs[i] = v
      }
    },
    wasm: 'pass0'
  }],
  shares: [],
  observed: () => [1]
}

const cpuLARS1: CpuVariant = {
  count: 9,
  at: 5,
  scratch: 0,
  passes: [{
    segment: 0,
    loads: [0, 1],
    stores: [],
    totals: [5, 6],
    run: (n, b, c) => {
      const ws = b[0]!
      const gs = b[1]!
      let sum = c[5]!
      let sum_2 = c[6]!
      for (let i = 0; i < n; i++) {
        const w = ws[i]!
        const g = gs[i]!
        sum += w * w
        sum_2 += g * g
      }
      c[5] = sum
      c[6] = sum_2
    },
    finish: (c) => {
      const sum = c[5]!
      const sum_2 = c[6]!
      const eta = c[3]!
      const decay = c[2]! // if adapt then λ else 0
      const epsilon = c[4]!
      const lr = c[1]!
      const x = Math.sqrt(sum)
      const x_2 = Math.sqrt(sum_2)
      const scaled = x > 0 && x_2 > 0 // scaled = adapt and ‖w‖ > 0 and ‖g‖ > 0
      const rate = scaled ? eta * x / (x_2 + decay * x + epsilon) : 1 // rate = if scaled then η * ‖w‖ / (‖g‖ + decay * ‖w‖ + ε) else 1
      c[7] = rate
      c[8] = lr * rate
    },
    wasm: 'pass1'
  }, {
    segment: 0,
    loads: [0, 1, 2],
    stores: [0, 2],
    totals: [],
    run: (n, b, c) => {
      const ws = b[0]!
      const gs = b[1]!
      const vs = b[2]!
      const mu = c[0]!
      const lr_rate = c[8]!
      const decay = c[2]! // if adapt then λ else 0
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const v0 = vs[i]!
        const v = mu * v0 + lr_rate * (g + decay * w0) // v := μ * v + lr * rate * (g + decay * w)
        const w = w0 - v // w := w - v
        ws[i] = w
        vs[i] = v
      }
    },
    wasm: 'pass2'
  }],
  shares: [],
  observed: (c) => {
    const rate = c[7]!
    return [rate]
  }
}

// The passes as WebAssembly, by the names that they have above:
// (module
//   (import "js" "memory" (memory 1))
//   (func (export "pass0") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $vs i32)
//     (local $w0 v128) (local $g v128) (local $v0 v128) (local $mu v128) (local $lr v128) (local $decay v128) (local $v v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $vs (i32.load offset=8 (local.get $b)))
//     (local.set $mu (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c)))))
//     (local.set $lr (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $c)))))
//     (local.set $decay (f32x4.splat (f32.demote_f64 (f64.load offset=16 (local.get $c))))) ;; if adapt then λ else 0
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $v (f32x4.add (f32x4.mul (local.get $mu) (local.get $v0)) (f32x4.mul (local.get $lr) (f32x4.add (local.get $g) (f32x4.mul (local.get $decay) (local.get $w0)))))) ;; v := μ * v + lr * rate * (g + decay * w)
//       (local.set $w (f32x4.sub (local.get $w0) (local.get $v))) ;; w := w - v
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
//   (func (export "pass1") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32)
//     (local $w v128) (local $g v128) (local $live v128) (local $part v128) (local $sum_low v128) (local $sum_high v128) (local $wide v128) (local $part_2 v128) (local $sum_low_2 v128) (local $sum_high_2 v128) (local $wide_2 v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $live (i32x4.gt_s (i32x4.splat (local.get $left)) (v128.const i32x4 0 1 2 3)))
//       (local.set $part (v128.and (local.get $w) (local.get $live)))
//       (local.set $sum_low (f64x2.add (local.get $sum_low) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (local.get $part))) (local.get $wide))))
//       (local.set $sum_high (f64x2.add (local.get $sum_high) (f64x2.mul (local.tee $wide (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $part) (local.get $part)))) (local.get $wide))))
//       (local.set $part_2 (v128.and (local.get $g) (local.get $live)))
//       (local.set $sum_low_2 (f64x2.add (local.get $sum_low_2) (f64x2.mul (local.tee $wide_2 (f64x2.promote_low_f32x4 (local.get $part_2))) (local.get $wide_2))))
//       (local.set $sum_high_2 (f64x2.add (local.get $sum_high_2) (f64x2.mul (local.tee $wide_2 (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $part_2) (local.get $part_2)))) (local.get $wide_2))))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//     (local.set $wide (f64x2.add (local.get $sum_low) (local.get $sum_high)))
//     (f64.store offset=40 (local.get $c) (f64.add (f64.load offset=40 (local.get $c)) (f64.add (f64x2.extract_lane 0 (local.get $wide)) (f64x2.extract_lane 1 (local.get $wide)))))
//     (local.set $wide_2 (f64x2.add (local.get $sum_low_2) (local.get $sum_high_2)))
//     (f64.store offset=48 (local.get $c) (f64.add (f64.load offset=48 (local.get $c)) (f64.add (f64x2.extract_lane 0 (local.get $wide_2)) (f64x2.extract_lane 1 (local.get $wide_2)))))
//   )
//   (func (export "pass2") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $vs i32)
//     (local $w0 v128) (local $g v128) (local $v0 v128) (local $mu v128) (local $lr_rate v128) (local $decay v128) (local $v v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $vs (i32.load offset=8 (local.get $b)))
//     (local.set $mu (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c)))))
//     (local.set $lr_rate (f32x4.splat (f32.demote_f64 (f64.load offset=64 (local.get $c)))))
//     (local.set $decay (f32x4.splat (f32.demote_f64 (f64.load offset=16 (local.get $c))))) ;; if adapt then λ else 0
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $v (f32x4.add (f32x4.mul (local.get $mu) (local.get $v0)) (f32x4.mul (local.get $lr_rate) (f32x4.add (local.get $g) (f32x4.mul (local.get $decay) (local.get $w0)))))) ;; v := μ * v + lr * rate * (g + decay * w)
//       (local.set $w (f32x4.sub (local.get $w0) (local.get $v))) ;; w := w - v
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
// )
const cpuLARSWasm = '…'

export default cpu({
  variants: [cpuLARS0, cpuLARS1],
  model: {
    count: 5,
    at: 5,
    barriers: []
  },
  wasm: cpuLARSWasm
})

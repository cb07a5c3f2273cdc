const cpuMomentum0: CpuVariant = {
  count: 2,
  at: 2,
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
      const lr = c[0]!
      const mu = c[1]!
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const v0 = vs[i]!
        const v = mu * v0 + g // v := μ * v + g
        const w = w0 - lr * v // w := w - lr * (if nesterov then g + μ * v else v)
        ws[i] = w
        vs[i] = v
      }
    },
    wasm: 'pass0'
  }],
  shares: []
}

const cpuMomentum1: CpuVariant = {
  count: 2,
  at: 2,
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
      const lr = c[0]!
      const mu = c[1]!
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const v0 = vs[i]!
        const v = mu * v0 + g // v := μ * v + g
        const w = w0 - lr * (g + mu * v) // w := w - lr * (if nesterov then g + μ * v else v)
        ws[i] = w
        vs[i] = v
      }
    },
    wasm: 'pass1'
  }],
  shares: []
}

// The passes as WebAssembly, by the names that they have above:
// (module
//   (import "js" "memory" (memory 1))
//   (func (export "pass0") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $vs i32)
//     (local $w0 v128) (local $g v128) (local $v0 v128) (local $lr v128) (local $mu v128) (local $v v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $vs (i32.load offset=8 (local.get $b)))
//     (local.set $lr (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c)))))
//     (local.set $mu (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $v (f32x4.add (f32x4.mul (local.get $mu) (local.get $v0)) (local.get $g))) ;; v := μ * v + g
//       (local.set $w (f32x4.sub (local.get $w0) (f32x4.mul (local.get $lr) (local.get $v)))) ;; w := w - lr * (if nesterov then g + μ * v else v)
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
//   (func (export "pass1") (param $n i32) (param $b i32) (param $c i32)
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32) (local $vs i32)
//     (local $w0 v128) (local $g v128) (local $v0 v128) (local $lr v128) (local $mu v128) (local $v v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $vs (i32.load offset=8 (local.get $b)))
//     (local.set $lr (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c)))))
//     (local.set $mu (f32x4.splat (f32.demote_f64 (f64.load offset=8 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $v0 (v128.load (i32.add (local.get $vs) (local.get $at))))
//       (local.set $v (f32x4.add (f32x4.mul (local.get $mu) (local.get $v0)) (local.get $g))) ;; v := μ * v + g
//       (local.set $w (f32x4.sub (local.get $w0) (f32x4.mul (local.get $lr) (f32x4.add (local.get $g) (f32x4.mul (local.get $mu) (local.get $v)))))) ;; w := w - lr * (if nesterov then g + μ * v else v)
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (v128.store (i32.add (local.get $vs) (local.get $at)) (local.get $v))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
// )
const cpuMomentumWasm = '…'

export default cpu({
  variants: [cpuMomentum0, cpuMomentum1],
  model: {
    count: 2,
    at: 2,
    barriers: []
  },
  wasm: cpuMomentumWasm
})

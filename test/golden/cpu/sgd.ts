const cpuSGD0: CpuVariant = {
  count: 1,
  at: 1,
  scratch: 0,
  passes: [{
    segment: 0,
    loads: [0, 1],
    stores: [0],
    totals: [],
    run: (n, b, c) => {
      const ws = b[0]!
      const gs = b[1]!
      const lr = c[0]!
      for (let i = 0; i < n; i++) {
        const w0 = ws[i]!
        const g = gs[i]!
        const w = w0 - lr * g // w := w - lr * g
        ws[i] = w
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
//     (local $left i32) (local $at i32) (local $ws i32) (local $gs i32)
//     (local $w0 v128) (local $g v128) (local $lr v128) (local $w v128)
//     (local.set $ws (i32.load offset=0 (local.get $b)))
//     (local.set $gs (i32.load offset=4 (local.get $b)))
//     (local.set $lr (f32x4.splat (f32.demote_f64 (f64.load offset=0 (local.get $c)))))
//     (local.set $left (local.get $n))
//     (loop $next
//       (local.set $w0 (v128.load (i32.add (local.get $ws) (local.get $at))))
//       (local.set $g (v128.load (i32.add (local.get $gs) (local.get $at))))
//       (local.set $w (f32x4.sub (local.get $w0) (f32x4.mul (local.get $lr) (local.get $g)))) ;; w := w - lr * g
//       (v128.store (i32.add (local.get $ws) (local.get $at)) (local.get $w))
//       (local.set $at (i32.add (local.get $at) (i32.const 16)))
//       (br_if $next (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)))
//     )
//   )
// )
const cpuSGDWasm = '…'

export default cpu({
  variants: [cpuSGD0],
  model: {
    count: 1,
    at: 1,
    barriers: []
  },
  wasm: cpuSGDWasm
})

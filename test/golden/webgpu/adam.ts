const webgpuAdam0: WebGpuVariant = {
  stores: [0, 2, 3],
  scratch: 0,
  cells: 0,
  partials: 0,
  state: [],
  observed: [],
  segments: [{
    parts: [{
      pass: ['part0', [0, 2, 3, 4, 5]]
    }]
  }],
  code: /* wgsl */ `
  @group(0) @binding(2) var<storage, read_write> w_: array<T>;
  @group(0) @binding(3) var<storage, read> g_: array<T>;
  @group(0) @binding(4) var<storage, read_write> m_: array<T>;
  @group(0) @binding(5) var<storage, read_write> v_: array<T>;
  fn pass0(id: u32, first: u32, end: u32) {
    let lr_Beta1_t = layer.s[0].x;
    let beta1 = layer.s[0].y;
    let oneMinus_Beta1 = layer.s[0].z;
    let beta2_t = layer.s[0].w;
    let beta2 = layer.s[1].x;
    let oneMinus_Beta2 = layer.s[1].y;
    let epsilon = layer.s[1].z;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let m = m_[i];
      let g = g_[i];
      let v = v_[i];
      let m_2 = beta1 * m + oneMinus_Beta1 * g; // m := β1 * m + (1 - β1) *
      let v_2 = beta2 * v + oneMinus_Beta2 * (g * g); // v := β2 * v + (1 - β2) * g
      let vHat = beta2_t * v_2; // v̂ = v / (1 - β2^t
      let w_2 = w - lr_Beta1_t * m_2 / (sqrt(vHat) + epsilon); // w := w - lr * m̂ / (√v̂ + ε
      w_[i] = w_2;
      m_[i] = m_2;
      v_[i] = v_2;
    }
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
  }
  `
}

export default webgpu({
  variants: [webgpuAdam0]
})

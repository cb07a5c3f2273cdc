const webgpuLAMB0: WebGpuVariant = {
  stores: [0, 2, 3],
  scratch: 0,
  cells: 1,
  partials: 0,
  state: [],
  observed: [0],
  segments: [{
    parts: [{
      pass: ['part0', [0, 1, 2, 3, 4, 5]]
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
      let w_2 = w - lr_Beta1_t * (m_2 / (sqrt(vHat) + epsilon)); // w := w - lr * ratio *
      w_[i] = w_2;
      m_[i] = m_2;
      v_[i] = v_2;
    }
  }
  fn finish0() {
    cells[layer.at + 0u] = 1.0;
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
    if (group.x == 0u && id == 0u) { finish0(); }
  }
  `
}

const webgpuLAMB1: WebGpuVariant = {
  stores: [0, 2, 3],
  scratch: 0,
  cells: 4,
  partials: 2,
  state: [],
  observed: [2],
  segments: [{
    parts: [{
      pass: ['part0', [0, 1, 2, 3, 4, 5]],
      finish: ['meet0', [0, 1]]
    }, {
      pass: ['part1', [0, 1, 2, 4, 5]]
    }],
    whole: ['whole0', [0, 1, 2, 3, 4, 5]]
  }],
  code: /* wgsl */ `
  @group(0) @binding(2) var<storage, read_write> w_: array<T>;
  @group(0) @binding(3) var<storage, read> g_: array<T>;
  @group(0) @binding(4) var<storage, read_write> m_: array<T>;
  @group(0) @binding(5) var<storage, read_write> v_: array<T>;
  var<workgroup> bin0: array<f32, 64>;
  var<workgroup> bin1: array<f32, 64>;
  fn pass0(id: u32, first: u32, end: u32) {
    let beta1 = layer.s[0].y;
    let oneMinus_Beta1 = layer.s[0].z;
    let beta2 = layer.s[1].x;
    let oneMinus_Beta2 = layer.s[1].y;
    let beta1_t = layer.s[2].x;
    let beta2_t = layer.s[0].w;
    let epsilon = layer.s[1].z;
    let lambda = layer.s[2].y;
    var all0 = T(0.0);
    var all1 = T(0.0);
    for (var i = first; i < end;) {
      var block0 = T(0.0);
      var block1 = T(0.0);
      for (var n = 0u; n < 16u && i < end; n++) {
        let m = m_[i];
        let g = g_[i];
        let v = v_[i];
        let w = w_[i];
        let m_2 = beta1 * m + oneMinus_Beta1 * g; // m := β1 * m + (1 - β1) *
        let v_2 = beta2 * v + oneMinus_Beta2 * (g * g); // v := β2 * v + (1 - β2) * g
        let mHat = beta1_t * m_2; // m̂ = m / (1 - β1^t
        let vHat = beta2_t * v_2; // v̂ = v / (1 - β2^t
        let u = mHat / (sqrt(vHat) + epsilon) + lambda * w; // u = m̂ / (√v̂ + ε) + (if adapt then λ * w else 0
        m_[i] = m_2;
        v_[i] = v_2;
        block0 = block0 + w * w;
        block1 = block1 + u * u;
        i += 64u;
      }
      all0 = all0 + block0;
      all1 = all1 + block1;
    }
    bin0[id] = sum_lanes(all0);
    bin1[id] = sum_lanes(all1);
  }
  fn gather0(id: u32) {
    for (var half = 32u; half > 0u; half >>= 1u) {
      workgroupBarrier();
      if (id < half) {
        bin0[id] = bin0[id] + bin0[id + half];
        bin1[id] = bin1[id] + bin1[id + half];
      }
    }
  }
  fn finish0() {
    let x = sqrt(bin0[0]);
    let x_2 = sqrt(bin1[0]);
    let ratio = select(1.0, x / x_2, ((x > 0.0) & (x_2 > 0.0))); // ratio = if adapt and ‖w‖ > 0 and ‖u‖ > 0 then ‖w‖ / ‖u‖ else
    cells[layer.at + 0u] = bin0[0];
    cells[layer.at + 1u] = bin1[0];
    cells[layer.at + 2u] = ratio;
    cells[layer.at + 3u] = layer.s[1].w * ratio;
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
    gather0(id);
    if (id == 0u) {
      cells[layer.partials + group.x] = bin0[0];
      cells[layer.partials + layer.parts + group.x] = bin1[0];
    }
  }
  @compute @workgroup_size(64)
  fn meet0(@builtin(local_invocation_index) id: u32) {
    bin0[id] = collect_sum(id, layer.partials, layer.parts);
    bin1[id] = collect_sum(id, layer.partials + layer.parts, layer.parts);
    gather0(id);
    if (id == 0u) { finish0(); }
  }
  fn pass1(id: u32, first: u32, end: u32) {
    let lr_ratio = cells[layer.at + 3u];
    let beta1_t = layer.s[2].x;
    let beta2_t = layer.s[0].w;
    let epsilon = layer.s[1].z;
    let lambda = layer.s[2].y;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let m = m_[i];
      let v = v_[i];
      let mHat = beta1_t * m; // m̂ = m / (1 - β1^t
      let vHat = beta2_t * v; // v̂ = v / (1 - β2^t
      let u = mHat / (sqrt(vHat) + epsilon) + lambda * w; // u = m̂ / (√v̂ + ε) + (if adapt then λ * w else 0
      let w_2 = w - lr_ratio * u; // w := w - lr * ratio *
      w_[i] = w_2;
    }
  }
  @compute @workgroup_size(64)
  fn part1(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass1(id, start + id, min(start + layer.span, layer.size));
  }
  @compute @workgroup_size(64)
  fn whole0(@builtin(local_invocation_index) id: u32) {
    pass0(id, id, layer.size);
    gather0(id);
    if (id == 0u) { finish0(); }
    storageBarrier();
    workgroupBarrier();
    pass1(id, id, layer.size);
  }
  `
}

export default webgpu({
  variants: [webgpuLAMB0, webgpuLAMB1]
})

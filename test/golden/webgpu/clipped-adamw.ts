const webgpuClippedAdamW0: WebGpuVariant = {
  stores: [0, 2, 3],
  scratch: 0,
  cells: 0,
  partials: 1,
  state: [],
  observed: [],
  segments: [{
    parts: [{
      pass: ['part0', [0, 1, 3]],
      finish: ['meet0', [0, 1]]
    }],
    whole: ['whole0', [0, 1, 3]]
  }, {
    parts: [{
      pass: ['part1', [0, 1, 2, 3, 4, 5]]
    }]
  }],
  code: /* wgsl */ `
  @group(0) @binding(2) var<storage, read_write> w_: array<T>;
  @group(0) @binding(3) var<storage, read> g_: array<T>;
  @group(0) @binding(4) var<storage, read_write> m_: array<T>;
  @group(0) @binding(5) var<storage, read_write> v_: array<T>;
  var<workgroup> bin0: array<f32, 64>;
  fn pass0(id: u32, first: u32, end: u32) {
    var all0 = T(0.0);
    for (var i = first; i < end;) {
      var block0 = T(0.0);
      for (var n = 0u; n < 16u && i < end; n++) {
        let g = g_[i];
        block0 = block0 + g * g;
        i += 64u;
      }
      all0 = all0 + block0;
    }
    bin0[id] = sum_lanes(all0);
  }
  fn gather0(id: u32) {
    for (var half = 32u; half > 0u; half >>= 1u) {
      workgroupBarrier();
      if (id < half) {
        bin0[id] = bin0[id] + bin0[id + half];
      }
    }
  }
  fn finish0() {
    cells[layer.table + layer.row] = bin0[0];
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
    gather0(id);
    if (id == 0u) {
      cells[layer.partials + group.x] = bin0[0];
    }
  }
  @compute @workgroup_size(64)
  fn meet0(@builtin(local_invocation_index) id: u32) {
    bin0[id] = collect_sum(id, layer.partials, layer.parts);
    gather0(id);
    if (id == 0u) { finish0(); }
  }
  @compute @workgroup_size(64)
  fn whole0(@builtin(local_invocation_index) id: u32) {
    pass0(id, id, layer.size);
    gather0(id);
    if (id == 0u) { finish0(); }
  }
  fn pass1(id: u32, first: u32, end: u32) {
    let lr_Beta1_t = layer.s[0].x;
    let beta1 = layer.s[0].y;
    let oneMinus_Beta1 = layer.s[0].z;
    let g_maxNorm = cells[1u];
    let beta2_t = layer.s[1].x;
    let beta2 = layer.s[1].y;
    let oneMinus_Beta2 = layer.s[1].z;
    let epsilon = layer.s[1].w;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let m = m_[i];
      let g = g_[i];
      let v = v_[i];
      let x = g * g_maxNorm;
      let m_2 = beta1 * m + oneMinus_Beta1 * x; // m := β1 * m + (1 - β1) *
      let v_2 = beta2 * v + oneMinus_Beta2 * (x * x); // v := β2 * v + (1 - β2) * g
      let w_2 = w - lr_Beta1_t * m_2 / (sqrt(beta2_t * v_2) + epsilon); // w := decayedW - lr * (m / (1 - β1^t)) / (√(v / (1 - β2^t)) + ε
      w_[i] = w_2;
      m_[i] = m_2;
      v_[i] = v_2;
    }
  }
  @compute @workgroup_size(64)
  fn part1(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass1(id, start + id, min(start + layer.span, layer.size));
  }
  `
}

const webgpuClippedAdamW1: WebGpuVariant = {
  stores: [0, 2, 3],
  scratch: 0,
  cells: 0,
  partials: 1,
  state: [],
  observed: [],
  segments: [{
    parts: [{
      pass: ['part0', [0, 1, 3]],
      finish: ['meet0', [0, 1]]
    }],
    whole: ['whole0', [0, 1, 3]]
  }, {
    parts: [{
      pass: ['part1', [0, 1, 2, 3, 4, 5]]
    }]
  }],
  code: /* wgsl */ `
  @group(0) @binding(2) var<storage, read_write> w_: array<T>;
  @group(0) @binding(3) var<storage, read> g_: array<T>;
  @group(0) @binding(4) var<storage, read_write> m_: array<T>;
  @group(0) @binding(5) var<storage, read_write> v_: array<T>;
  var<workgroup> bin0: array<f32, 64>;
  fn pass0(id: u32, first: u32, end: u32) {
    var all0 = T(0.0);
    for (var i = first; i < end;) {
      var block0 = T(0.0);
      for (var n = 0u; n < 16u && i < end; n++) {
        let g = g_[i];
        block0 = block0 + g * g;
        i += 64u;
      }
      all0 = all0 + block0;
    }
    bin0[id] = sum_lanes(all0);
  }
  fn gather0(id: u32) {
    for (var half = 32u; half > 0u; half >>= 1u) {
      workgroupBarrier();
      if (id < half) {
        bin0[id] = bin0[id] + bin0[id + half];
      }
    }
  }
  fn finish0() {
    cells[layer.table + layer.row] = bin0[0];
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
    gather0(id);
    if (id == 0u) {
      cells[layer.partials + group.x] = bin0[0];
    }
  }
  @compute @workgroup_size(64)
  fn meet0(@builtin(local_invocation_index) id: u32) {
    bin0[id] = collect_sum(id, layer.partials, layer.parts);
    gather0(id);
    if (id == 0u) { finish0(); }
  }
  @compute @workgroup_size(64)
  fn whole0(@builtin(local_invocation_index) id: u32) {
    pass0(id, id, layer.size);
    gather0(id);
    if (id == 0u) { finish0(); }
  }
  fn pass1(id: u32, first: u32, end: u32) {
    let oneMinus_lr_Lambda = layer.s[2].x;
    let lr_Beta1_t = layer.s[0].x;
    let beta1 = layer.s[0].y;
    let oneMinus_Beta1 = layer.s[0].z;
    let g_maxNorm = cells[1u];
    let beta2_t = layer.s[1].x;
    let beta2 = layer.s[1].y;
    let oneMinus_Beta2 = layer.s[1].z;
    let epsilon = layer.s[1].w;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let m = m_[i];
      let g = g_[i];
      let v = v_[i];
      let decayedW = oneMinus_lr_Lambda * w; // decayedW = if decayed then (1 - lr * λ) * w else
      let x = g * g_maxNorm;
      let m_2 = beta1 * m + oneMinus_Beta1 * x; // m := β1 * m + (1 - β1) *
      let v_2 = beta2 * v + oneMinus_Beta2 * (x * x); // v := β2 * v + (1 - β2) * g
      let w_2 = decayedW - lr_Beta1_t * m_2 / (sqrt(beta2_t * v_2) + epsilon); // w := decayedW - lr * (m / (1 - β1^t)) / (√(v / (1 - β2^t)) + ε
      w_[i] = w_2;
      m_[i] = m_2;
      v_[i] = v_2;
    }
  }
  @compute @workgroup_size(64)
  fn part1(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass1(id, start + id, min(start + layer.span, layer.size));
  }
  `
}

const webgpuClippedAdamWModel: WebGpuModel = {
  cells: 2,
  rows: 1,
  state: [],
  barriers: [['barrier0', [0, 1]]],
  code: /* wgsl */ `
  var<workgroup> bin0: array<f32, 64>;
  fn finish0() {
    let x = sqrt(bin0[0]);
    cells[0u] = bin0[0];
    cells[1u] = select(1.0, layer.s[0].w / x, (x > layer.s[0].w));
  }
  fn gather0(id: u32) {
    for (var half = 32u; half > 0u; half >>= 1u) {
      workgroupBarrier();
      if (id < half) {
        bin0[id] = bin0[id] + bin0[id + half];
      }
    }
  }
  @compute @workgroup_size(64)
  fn barrier0(@builtin(local_invocation_index) id: u32) {
    bin0[id] = collect_sum(id, layer.table, layer.rows);
    gather0(id);
    if (id == 0u) { finish0(); }
  }
  `
}

export default webgpu({
  variants: [webgpuClippedAdamW0, webgpuClippedAdamW1],
  model: webgpuClippedAdamWModel
})
